"""Questions to be put in touch that nobody answers end by time, on both sides of a border, each by its own clock.

Nobody is asked for ever; and where one side was restored from a backup and has forgotten a question, the other one does
not wait for ever.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.matching import IntroductionWithdrawn
from services.chassis import outbox
from services.matching.commands import introductions as store
from services.matching.member_tables import introductions
from services.matching.tables import OURS

UNANSWERED_DAYS = 30
"""So long a question of a member of ours waits for an answer."""

FORGOTTEN_DAYS = UNANSWERED_DAYS + 7
"""So long one of a peer's person waits: their cooperative should have ended it by then."""

BATCH = 20


async def end_unanswered(session: AsyncSession, *, now: datetime) -> int:
    """End some of the questions that have waited too long at `now` (aware UTC), ours as withdrawn, a peer's by a no.

    Returns how many, `BATCH` at most.
    """
    ours = introductions.c.asker_peer == OURS
    long_ago = sa.case((ours, now - timedelta(days=UNANSWERED_DAYS)), else_=now - timedelta(days=FORGOTTEN_DAYS))
    due = sa.select(introductions).where(introductions.c.status == "asked", introductions.c.asked_at <= long_ago)
    rows = (await session.execute(due.limit(BATCH).with_for_update(skip_locked=True))).mappings().all()
    for row in rows:
        if row["asker_peer"] == OURS:
            changed = await store.change(session, row, {"status": "withdrawn"}, now)
            state = store.state_of(changed)
            await outbox.add(session, IntroductionWithdrawn(introduction=state, unanswered=True))
        else:
            await store.settle(session, row, {"status": "declined", "reason": None}, now)
    return len(rows)
