"""What is forgotten of somebody who has left: names at once, words as soon as nothing open needs them.

What was lent stays by its title, and lines of the accounts by the member's id, which nobody can tell a name for.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.decide import forget_change
from services.booking.commands.expiring import BATCH
from services.booking.commands.telling import busy_changed_by, tell
from services.booking.domain.booking import Booking
from services.booking.domain.states import OPEN
from services.booking.tables import (
    bookings,
    changes,
    changes_abroad,
    history,
    members,
    metadata,
    offers,
    resources,
    session_sign_ups,
    sessions,
    uses,
    waiting,
)

FORGOTTEN = ""
"""The name of a peer's person who has left and had lent us something: unlike None, which is one not told yet."""
_TO_COME = ("pending", "confirmed")
_BORROWERS: dict[str, Any] = {"note": "", "reason": None, "change_reason": None}
_OWNERS: dict[str, Any] = {
    "instructions": "", "place_label": None, "reason": None, "change_reason": None, "proposal": sa.null(),
}  # fmt: skip
_ORGANISERS: dict[str, Any] = {"text": "", "place_label": None, "video_url": None, "reason": None}


async def forget(session: AsyncSession, member_id: UUID, name: str) -> None:
    """Forget somebody whose membership has ended; what they had booked for later is called off. `name`: their last."""
    await _call_off(session, member_id)
    await session.flush()
    names = await _names(session, member_id) | {name}
    theirs = sa.or_(bookings.c.borrower_member_id == member_id, bookings.c.owner_member_id == member_id)
    of_them = history.c.booking_id.in_(sa.select(bookings.c.id).where(theirs))
    shared = sa.select(members.c.name).where(members.c.name.in_(names), members.c.id != member_id)
    ones_own = sa.or_(of_them, history.c.by_name.not_in(shared))
    await session.execute(sa.update(history).where(history.c.by_name.in_(names), ones_own).values(by_name=None))
    for table in (bookings, uses):
        for side in ("borrower", "owner"):
            mine = table.c[f"{side}_member_id"] == member_id
            await session.execute(sa.update(table).where(mine).values({f"{side}_name": None}))
    await _forget_names_elsewhere(session, member_id)
    kept = metadata.tables["idempotency"].c
    named = sa.or_(*(kept.answer.contains(one, autoescape=True) for one in names if one))
    await session.execute(sa.delete(kept.answer.table).where(sa.or_(kept.member_id == member_id, named)))
    await session.execute(sa.update(members).where(members.c.id == member_id).values(to_forget=True))
    await forget_words(session)


async def forget_words(session: AsyncSession) -> int:
    """Forget what people who have left wrote, except where something open still needs it. Returns who is done with."""
    lent = sa.and_(bookings.c.resource_origin.is_not(None), bookings.c.owner_name == FORGOTTEN)
    over = sa.and_(lent, bookings.c.status.not_in(OPEN), bookings.c.place_label.is_not(None))
    await session.execute(sa.update(bookings).where(over).values(place_label=None, instructions=""))
    some = sa.select(members.c.id).where(members.c.to_forget).limit(BATCH).with_for_update(skip_locked=True)
    done = 0
    for member_id in (await session.execute(some)).scalars().all():
        still = await _forget_words_of(session, member_id)
        if not still:
            await session.execute(sa.update(members).where(members.c.id == member_id).values(to_forget=False))
            done += 1
    return done


async def _call_off(session: AsyncSession, member_id: UUID) -> None:
    now = await queries.database_time(session)
    mine = sa.and_(bookings.c.borrower_member_id == member_id, bookings.c.starts_at > now)
    found = sa.select(Booking).where(mine, bookings.c.status.in_(_TO_COME)).order_by(bookings.c.id).with_for_update()
    called_off = [one for one in (await session.execute(found)).scalars() if one.may_be_cancelled(now)]
    for booking in called_off:
        booking.borrower_name = None
        await tell(session, booking, booking.cancel(by="borrower", reason=None, now=now))
        await forget_change(session, booking)
    await busy_changed_by(session, called_off)


async def _names(session: AsyncSession, member_id: UUID) -> set[str]:
    """As they were called over time: a history has names alone."""
    known = [
        sa.select(table.c[f"{side}_name"]).where(table.c[f"{side}_member_id"] == member_id)
        for table in (bookings, uses)
        for side in ("borrower", "owner")
    ]
    found = (await session.execute(sa.union(*known))).scalars().all()
    return {name for name in found if name}


async def _forget_names_elsewhere(session: AsyncSession, member_id: UUID) -> None:
    gone = {"member_name": "", "answers": {}}
    await session.execute(sa.update(session_sign_ups).where(session_sign_ups.c.member_id == member_id).values(gone))
    organised = sessions.c.organiser_member_id == member_id
    await session.execute(sa.update(sessions).where(organised).values(organiser_name=""))
    await session.execute(sa.update(members).where(members.c.id == member_id).values(name=""))
    await session.execute(sa.update(waiting).where(waiting.c.member_id == member_id).values(member_name="", note=""))
    alone = sa.and_(offers.c.owner_member_id == member_id, offers.c.owner_circle_id.is_(None))
    await session.execute(sa.update(offers).where(alone).values(owner_name=None))


async def _forget_words_of(session: AsyncSession, member_id: UUID) -> bool:
    """Returns whether something of theirs is still open."""
    borrowed, lent = bookings.c.borrower_member_id == member_id, bookings.c.owner_member_id == member_id
    over, open_still = bookings.c.status.not_in(OPEN), bookings.c.status.in_(OPEN)
    for side, words in ((borrowed, _BORROWERS), (lent, _OWNERS)):
        await session.execute(sa.update(bookings).where(side, over).values(words))
    ended = sa.select(bookings.c.id).where(sa.or_(borrowed, lent), over)
    for table in (changes, changes_abroad):
        await session.execute(sa.delete(table).where(table.c.booking_id.in_(ended)))
    organised = sessions.c.organiser_member_id == member_id
    past = sa.or_(sessions.c.ends_at <= sa.func.now(), sessions.c.status != "planned")
    await session.execute(sa.update(sessions).where(organised, past).values(_ORGANISERS))
    await _forget_own_offers(session, member_id, lent)
    waits = sa.or_(sa.exists().where(sa.or_(borrowed, lent), open_still), sa.exists().where(organised, sa.not_(past)))
    return bool((await session.execute(sa.select(waits))).scalar_one())


async def _forget_own_offers(session: AsyncSession, member_id: UUID, lent: sa.ColumnElement[bool]) -> None:
    """Where their things were, and how to find them; a circle's things are the circle's."""
    alone = sa.and_(offers.c.owner_member_id == member_id, offers.c.owner_circle_id.is_(None))
    needed = sa.exists().where(lent, bookings.c.offer_id == offers.c.id, bookings.c.status.in_(OPEN))
    gone = sa.update(offers).where(alone, sa.not_(needed)).values(place_label=None).returning(offers.c.id)
    ids = list((await session.execute(gone)).scalars())
    plain = sa.update(resources).where(resources.c.offer_id.in_(ids))
    await session.execute(plain.values(terms=resources.c.terms.delete_path(["instructions"])))
