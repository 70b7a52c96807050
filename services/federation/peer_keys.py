"""Peers' key sets: fetched again before they end, and at once when a message names a key that we do not know."""

from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import logs
from services.chassis.database import Database
from services.chassis.outgoing import AddressRefused
from services.federation import linking, receiving, refusing
from services.federation.border import Border
from services.federation.domain import LISTENING
from services.federation.gate import Refused, UnknownKey, authenticate
from services.federation.keys import Keys, NotGenuine, read_key_set
from services.federation.passages import passage_of
from services.federation.peer_http import PeerUnreachable
from services.federation.tables import key_sets, links, quarantine

RENEW_AFTER = timedelta(days=1)
TRY_EVERY = timedelta(seconds=30)
WAIT_AT_MOST = timedelta(hours=1)
"""For a key set that comes through a hub."""
BATCH = 100

_log = logs.get(__name__)


async def renew(db: Database, border: Border, *, now: datetime) -> None:
    """Fetch key sets that are a day old or lack a key that messages in quarantine name; then let these through."""
    waiting = sa.exists().where(quarantine.c.link_id == links.c.id)
    oldest = sa.select(sa.func.min(quarantine.c.at)).where(quarantine.c.link_id == links.c.id).scalar_subquery()
    heard_anew = sa.and_(waiting, sa.or_(key_sets.c.fetched_at >= oldest, oldest < now - WAIT_AT_MOST))
    tried = sa.and_(key_sets.c.tried_at.is_not(None), key_sets.c.tried_at >= now - TRY_EVERY)
    to_be_fetched = sa.and_(sa.not_(tried), sa.or_(key_sets.c.fetched_at < now - RENEW_AFTER, waiting))
    query = (
        sa.select(links, waiting.label("waiting"))
        .join(key_sets, key_sets.c.peer_id == links.c.peer_id)
        .where(links.c.status.in_(LISTENING))
        .where(sa.case((links.c.kind.in_(("behind", "heard")), heard_anew), else_=to_be_fetched))
    )
    async with db.reading() as session:
        due = (await session.execute(query)).mappings().all()
    for link in due:
        # whom we know through a hub, we hear of through it
        through_hub = link["kind"] in {"behind", "heard"}
        if (through_hub or await _fetch(db, border, link, now)) and link["waiting"]:
            while await db.run(release, link, own=border.keys, now=now) == BATCH:
                pass


async def _fetch(db: Database, border: Border, link: sa.RowMapping, now: datetime) -> bool:
    peer_id = link["peer_id"]
    async with db.transaction() as session:
        await session.execute(sa.update(key_sets).where(key_sets.c.peer_id == peer_id).values(tried_at=now))
    try:
        document = await border.peers.get(link["peer_address"], f"/federation/keys?link={link['peer_link_id']}")
        key_set = read_key_set(document, peer_id, now)
    except (PeerUnreachable, AddressRefused, NotGenuine) as error:
        _log.warning("key-set-not-renewed", peer=link["peer_name"], error=str(error))
        return False
    async with db.transaction() as session:
        await linking.keep_key_set(session, peer_id, key_set, now, signed=document)
    return True


async def release(session: AsyncSession, link: sa.RowMapping, *, own: Keys, now: datetime) -> int:
    """With a fresh key set: messages in quarantine pass the gate, or are refused for good. Returns how many."""
    oldest = sa.select(quarantine.c.id).where(quarantine.c.link_id == link["id"]).order_by(quarantine.c.id).limit(BATCH)
    taken = sa.delete(quarantine).where(quarantine.c.id.in_(oldest.scalar_subquery()))
    columns = (quarantine.c.id, quarantine.c.body, quarantine.c.handed_by)
    rows = sorted((await session.execute(taken.returning(*columns))).all(), key=itemgetter(0))
    passage = await passage_of(session, link, us=own.instance_id, now=now)
    for handed_by, some in groupby(rows, key=itemgetter(2)):
        known: list[bytes] = []
        for body in (row.body.encode() for row in some):
            try:
                authenticate(body, passage)
            except UnknownKey as error:
                to_blame = handed_by or link["via"] or link["id"]
                refusal = Refused("unknown_key", str(error))
                await refusing.count(session, to_blame, refusal, body, in_the_name_of=link, now=now)
                continue
            except Refused:
                pass  # receive refuses it, and counts it
            known.append(body)
        if known:
            given: dict[str, Any] = {"own": own, "now": now, "handed_by": handed_by}
            await receiving.receive(session, link["id"], known, **given, careful=True)
    return len(rows)
