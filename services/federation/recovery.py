"""Coming back from a backup: a new epoch on every link, and what we have forgotten, handed back (`handing_back.py`).

Detected by a peer's receipt ahead of our own counter (it proves it with what we signed), or declared by command.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import BorderBookingRequested
from contracts.federation import RecoveryChanged
from contracts.link import Receipt, RecoveryAsked
from services.chassis import logs, outbox
from services.chassis.ids import new_id
from services.federation import erasing, hub, manifests, mending, tables
from services.federation.domain import OPEN_ANSWERS, SPEAKING
from services.federation.handing_back import our_own
from services.federation.keys import Keys
from services.federation.mending_tables import readmissions, recoveries
from services.federation.saying import say, share_everything
from services.federation.sealed import Content
from services.federation.tables import bookings_abroad, links, streams

LONGEST_READMISSION = timedelta(minutes=10)
"""How long after the last peer's answer booking may take to say what became of all that was handed back."""

ASKED_AGAIN_AFTER = timedelta(minutes=5)
"""A peer that says much already drops what it is asked: it is asked again until it has answered."""

LOG_REACHES_BACK = timedelta(days=29)
"""Whatever was said since must be in the log, which is tidied after 30 days."""

_LOCK = 7_211_930
_log = logs.get(__name__)


async def begin(session: AsyncSession, *, by: str, now: datetime, anew: bool = False) -> bool:
    """Begin anew with every peer. `by`: who noticed or declares it. Returns whether that was news.

    `anew`: also when a recovery goes on, because that one was in the backup.
    """
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    if anew:
        over = sa.update(recoveries).where(recoveries.c.ended_at.is_(None)).values(ended_at=now, ended_by=by)
        await session.execute(over)
    if await current(session) is not None:
        return False
    await session.execute(sa.insert(recoveries).values(id=new_id(), begun_at=now, begun_by=by))
    await session.execute(sa.delete(readmissions))
    _log.error("recovery-begun", by=by)
    living = sa.and_(links.c.status.in_(SPEAKING), links.c.kind != "heard")
    query = sa.select(links).where(living).order_by(links.c.id).with_for_update(read=True)
    for link in (await session.execute(query)).mappings().all():
        await _begin_epoch(session, link, now=now)
    await _announce(session, recovering=True, now=now)
    return True


async def current(session: AsyncSession) -> sa.RowMapping | None:
    """The recovery that goes on; None when there is none."""
    query = sa.select(recoveries).where(recoveries.c.ended_at.is_(None))
    return (await session.execute(query)).mappings().first()


async def _begin_epoch(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> None:
    """Say everything anew, under numbers that no earlier life of this database can have used.

    An epoch counts minutes: also an epoch that was begun after the backup, and is forgotten, was lower.
    """
    await session.execute(sa.delete(tables.border_outbox).where(tables.border_outbox.c.link_id == link["id"]))
    await session.execute(sa.delete(tables.shares).where(tables.shares.c.link_id == link["id"]))
    higher = sa.func.greatest(streams.c.epoch + 1, int(now.timestamp()) // 60)
    values: dict[str, Any] = {"epoch": higher, "seq": 0, "acked_to": 0, "replayed_to": 0, "recovery_asked_at": now}
    if link["kind"] == "public":  # nobody in particular would answer
        values["recovery_asked_at"] = None
    await session.execute(
        sa.update(streams).where(streams.c.link_id == link["id"]).values(**values, manifest_wanted=True)
    )
    if link["kind"] == "public":
        await share_everything(session, link)
        return
    await hub.tell_again(session, link["id"])
    await mending.ask_for_what_came_since(session, link, now=now)
    await say(session, link, RecoveryAsked(restored_at=now))
    await manifests.say_bookings_again(session, link, None)
    await _ask_again(session, link)
    await erasing.tell_again(session, link)
    await share_everything(session, link)


async def _ask_again(session: AsyncSession, link: sa.RowMapping) -> None:
    """Our members' open requests: a peer that knows them says how they stand."""
    query = sa.select(bookings_abroad.c.request).where(
        bookings_abroad.c.peer_id == link["peer_id"],
        bookings_abroad.c.request.is_not(None),
        bookings_abroad.c.status.in_(("", *OPEN_ANSWERS)),
    )
    for request in (await session.execute(query.order_by(bookings_abroad.c.booking_id))).scalars().all():
        await say(session, link, BorderBookingRequested.model_validate(Content.model_validate_json(request).data))


async def notice(session: AsyncSession, link: sa.RowMapping, receipt: Receipt, own: Keys, *, now: datetime) -> None:
    """A receipt with something that we signed and no longer know of: we were restored. Raises Refused.

    Our counter may have overtaken the peer's by then: what tells is that our log has something else under that number.
    """
    query = sa.select(streams.c.epoch, streams.c.seq).where(streams.c.link_id == link["id"])
    place = (await session.execute(query)).one_or_none()
    if place is None or receipt.proof is None:
        return
    proof = await our_own(session, receipt.proof, link, own)
    if proof.epoch < place.epoch:
        return
    log = tables.sent_log.c
    at = sa.and_(log.link_id == link["id"], log.epoch == proof.epoch, log.seq == proof.seq)
    said = (await session.execute(sa.select(log.content).where(at))).scalar_one_or_none()
    forgotten = said is None and proof.time > now - LOG_REACHES_BACK
    if forgotten or (said is not None and Content.model_validate_json(said).id != proof.id):
        await begin(session, by=link["peer_name"], now=now)


async def peer_has_answered(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> None:
    """All that it had to hand back has come. Said without having been asked, it makes the recovery no longer."""
    values: dict[str, Any] = {"recovery_asked_at": None}
    asked = sa.and_(streams.c.link_id == link["id"], streams.c.recovery_asked_at.is_not(None))
    answered = sa.update(streams).where(asked).values(**values).returning(streams.c.link_id)
    if (await session.execute(answered)).first() is None:
        return
    await session.execute(sa.update(recoveries).where(recoveries.c.ended_at.is_(None)).values(answered_at=now))


async def end_when_whole(session: AsyncSession, *, now: datetime) -> None:
    """The recovery is over once every linked peer has answered, and booking has spoken of all that they handed back.

    What it has no answer to, because its message lies among the dead letters, is not waited for without end.
    """
    recovery = await current(session)
    if recovery is None:
        return
    if (recovery["answered_at"] or recovery["begun_at"]) > now - LONGEST_READMISSION:
        waits = sa.select(sa.exists().select_from(readmissions))
        if (await session.execute(waits)).scalar_one():
            return
    silent = sa.exists().where(
        streams.c.link_id == links.c.id, links.c.status.in_(SPEAKING), streams.c.recovery_asked_at.is_not(None)
    )
    if (await session.execute(sa.select(silent))).scalar_one():
        await _ask_the_silent(session, recovery["begun_at"], now=now)
    else:
        await end(session, by="", now=now)


async def _ask_the_silent(session: AsyncSession, begun_at: datetime, *, now: datetime) -> None:
    """Once more for what we have forgotten. What is handed back twice counts once."""
    late = streams.c.recovery_asked_at <= now - ASKED_AGAIN_AFTER
    query = sa.select(links).join(streams, streams.c.link_id == links.c.id).where(late, links.c.status.in_(SPEAKING))
    for link in (await session.execute(query.order_by(links.c.id))).mappings().all():
        await say(session, link, RecoveryAsked(restored_at=begun_at))
        asked = sa.update(streams).where(streams.c.link_id == link["id"]).values(recovery_asked_at=now)
        await session.execute(asked)


async def end(session: AsyncSession, *, by: str, now: datetime) -> bool:
    """Go on confirming. `by`: the administrator who decides so before all peers have answered."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    over = sa.update(recoveries).where(recoveries.c.ended_at.is_(None)).values(ended_at=now, ended_by=by)
    if (await session.execute(over.returning(recoveries.c.id))).first() is None:
        return False
    await session.execute(sa.update(streams).values(recovery_asked_at=None))
    await _announce(session, recovering=False, now=now)
    return True


async def _announce(session: AsyncSession, *, recovering: bool, now: datetime) -> None:
    version = int(now.timestamp() * 1000)
    await outbox.add(session, RecoveryChanged(recovering=recovering, since=now, version=version))
    await session.execute(sa.select(sa.func.pg_notify(tables.LINKS_CHANNEL, "")))
