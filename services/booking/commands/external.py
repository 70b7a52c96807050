"""A member's calendar elsewhere: giving it, what was read of it, and which of their offers it blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.telling import busy_changed
from services.booking.domain.calendar_problems import NotAPersonsTime
from services.booking.domain.deciding import Person, may_see
from services.booking.domain.external import Busy
from services.booking.domain.feeds import may_follow
from services.booking.domain.problems import NotBookable, OfferUnknown
from services.booking.domain.spans import Span
from services.booking.tables import external_busy, external_calendars, feeds, resource_calendars
from services.chassis.problems import NotAllowed

LEASE = timedelta(minutes=5)
"""How long a replica has for a calendar that it has taken to read, before another one takes it."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What came of reading a calendar: `busy` (None: not changed), with the server's validators; or an `error`."""

    busy: Busy | None = None
    error: str | None = None
    etag: str | None = None
    modified: str | None = None


async def give_calendar(
    session: AsyncSession, member_id: UUID, *, address: bytes, host: str, time_zone: str, now: datetime
) -> None:
    """Keep the (sealed) address of a member's calendar; it is read as soon as somebody has time.

    What the former address blocked stays blocked until then.
    """
    fresh: dict[str, Any] = {
        "address": address,
        "host": host,
        "time_zone": time_zone,
        "etag": None,
        "modified": None,
        "whole_at": None,
        "read_at": None,
        "next_at": now,
        "failures": 0,
        "error": None,
    }
    put = insert(external_calendars).values(member_id=member_id, version=1, times=0, cut=False, **fresh)
    counted = {**fresh, "version": external_calendars.c.version + 1}
    await session.execute(put.on_conflict_do_update(index_elements=["member_id"], set_=counted))


async def take_back_calendar(session: AsyncSession, member_id: UUID) -> None:
    """Forget a member's calendar and all that was read of it."""
    await session.execute(sa.delete(external_calendars).where(external_calendars.c.member_id == member_id))
    await _keep_busy(session, member_id, [])


async def forget_member(session: AsyncSession, member_id: UUID) -> None:
    """A member has left: their feeds answer nobody any more, and nothing of their calendar stays."""
    await session.execute(sa.delete(feeds).where(feeds.c.member_id == member_id))
    await take_back_calendar(session, member_id)
    await session.execute(sa.delete(resource_calendars).where(resource_calendars.c.member_id == member_id))


async def follow_calendar(session: AsyncSession, offer_id: UUID, *, follows: bool, by: Person, now: datetime) -> None:
    """Let an offer of one's own time follow one's calendar, or not any more.

    Raises OfferUnknown, NotAllowed, NotBookable, NotAPersonsTime.
    """
    offer = await queries.offer(session, offer_id)
    if offer is None or not (may_see(offer, by, now) or offer.owner_member_id == by.id):
        raise OfferUnknown
    if offer.owner_member_id != by.id:
        raise NotAllowed
    if await queries.resource(session, offer_id) is None:
        raise NotBookable
    if follows and not may_follow(offer.kind):
        raise NotAPersonsTime
    values = {"member_id": by.id, "follows_calendar": follows, "changed_at": now}
    put = insert(resource_calendars).values(offer_id=offer_id, **values)
    await session.execute(put.on_conflict_do_update(index_elements=["offer_id"], set_=values))
    await busy_changed(session, offer_id)


async def take_due(session: AsyncSession, *, most: int) -> list[sa.Row[Any]]:
    """Calendars that are due by the database's clock, at most `most`: this replica's alone until the lease ends."""
    due = (
        sa.select(external_calendars.c.member_id)
        .where(external_calendars.c.next_at <= sa.func.now())
        .order_by(external_calendars.c.next_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    taking = (
        sa.update(external_calendars)
        .where(external_calendars.c.member_id.in_(due.scalar_subquery()))
        .values(next_at=sa.func.now() + LEASE)
        .returning(*external_calendars.c)
    )
    return list((await session.execute(taking)).all())


async def keep_reading(
    session: AsyncSession, member_id: UUID, version: int, reading: Reading, *, wait: timedelta, now: datetime
) -> None:
    """Keep what came of reading `version` of the calendar; nothing when another address was given meanwhile.

    After a failure the times that were read before go on blocking. `wait`: until the next reading.
    """
    current = await queries.external_of(session, member_id, lock=True)
    if current is None or current.version != version:
        return
    values: dict[str, Any] = {"next_at": now + wait, "error": reading.error}
    if reading.error is not None:
        values |= {"failures": current.failures + 1}
    else:
        values |= {"failures": 0, "read_at": now}
    if reading.busy is not None:
        told = {"etag": reading.etag, "modified": reading.modified, "whole_at": now}
        values |= {"times": reading.busy.count, "cut": reading.busy.cut, **told}
    update = sa.update(external_calendars).where(external_calendars.c.member_id == member_id)
    await session.execute(update.values(values))
    if reading.busy is not None:
        await _keep_busy(session, member_id, reading.busy.spans)


async def _keep_busy(session: AsyncSession, member_id: UUID, spans: Sequence[Span]) -> None:
    """Replace a member's busy times; whoever follows them says its own again, when they are others than before."""
    before = await session.execute(sa.select(external_busy.c.busy).where(external_busy.c.member_id == member_id))
    former, coming = set(before.scalars()), set(spans)
    if gone := former - coming:
        of_member = external_busy.c.member_id == member_id
        await session.execute(sa.delete(external_busy).where(of_member, external_busy.c.busy.in_(gone)))
    if new := coming - former:
        await session.execute(
            sa.insert(external_busy), [{"member_id": member_id, "busy": span} for span in sorted(new)]
        )
    if former != coming:
        await busy_changed(session, *await queries.offers_that_follow(session, member_id))
