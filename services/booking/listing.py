"""Lists of bookings, by page."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Status
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Person
from services.booking.queries.underneath import is_orphaned
from services.booking.tables import bookings, changes, changes_abroad, resources
from services.chassis import paging
from services.chassis.problems import NotAllowed

IS_BOOKED = sa.not_(sa.and_(bookings.c.status == "held", bookings.c.waiting_id.is_not(None)))
"""No place that is kept for a waiting list: that is shown there."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which bookings: those that a person asked for, of their offers, or that wait for their decision.

    To decide is on requests, and on changes that the other side asks for.

    `orphaned` (for coordinators): those to come of offers whose owner has left.

    With `offer_id`, a coordinator sees those of anybody's resource as its owner would. `by_series`: of the requests of
    one series that wait, and of changes that are asked for in one step, the first alone.
    """

    role: Literal["borrower", "owner", "to_decide", "orphaned"]
    statuses: list[Status] = field(default_factory=list[Status])
    ends_after: datetime | None = None
    offer_id: UUID | None = None
    by_series: bool = False


async def page(
    session: AsyncSession, person: Person, wanted: Filter, *, cursor: str | None, limit: int, now: datetime
) -> paging.Page[Any]:
    """A page of `wanted`: upcoming first when `ends_after` is given (or to decide), else the latest first."""
    ascending = wanted.ends_after is not None or wanted.role in {"to_decide", "orphaned"}
    found = sa.select(Booking).where(_whose(person, wanted, now))
    if wanted.statuses:
        found = found.where(bookings.c.status.in_(wanted.statuses))
    if wanted.ends_after is not None:
        under_way = bookings.c.status.in_(("in_use", "overdue"))
        found = found.where(sa.or_(bookings.c.ends_at > wanted.ends_after, under_way))
    if wanted.offer_id is not None:
        found = found.where(bookings.c.offer_id == wanted.offer_id)
    if wanted.by_series:
        found = found.where(_is_first_that_waits())
    key = sa.tuple_(bookings.c.starts_at, bookings.c.id)
    if cursor is not None:
        after = _position(cursor)
        found = found.where(key > after if ascending else key < after)
    order = (bookings.c.starts_at, bookings.c.id)
    found = found.order_by(*(column.asc() if ascending else column.desc() for column in order)).limit(limit + 1)
    rows = list((await session.execute(found)).scalars())
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    return paging.Page[Any](
        items=rows[:limit], next=paging.encode(last.starts_at.isoformat(), str(last.id)) if last else None
    )


def _whose(person: Person, wanted: Filter, now: datetime) -> sa.ColumnElement[bool]:
    """The rows of the role. Raises NotAllowed."""
    if wanted.role == "orphaned":
        if not person.is_coordinator:
            raise NotAllowed
        return sa.and_(is_orphaned(now), sa.not_(bookings.c.private))
    if wanted.role == "borrower":
        return sa.and_(bookings.c.borrower_member_id == person.id, IS_BOOKED)
    ours = bookings.c.resource_origin.is_(None)
    if wanted.role == "owner":
        everybody = person.is_coordinator and wanted.offer_id is not None
        ours = sa.and_(ours, bookings.c.status != "held")  # nobody is told of a hold
        own = bookings.c.owner_member_id == person.id
        return sa.and_(ours, sa.or_(own, sa.not_(bookings.c.private)) if everybody else own)
    return bookings.c.id.in_(_waits_for(person, now))


def _waits_for(person: Person, now: datetime) -> sa.CompoundSelect[Any]:
    """The bookings of which something waits for this person: a request, or a change that one of the two wishes.

    Ids of their own selects, so that each finds its few rows by its own index.
    """
    of = bookings.alias()
    requests = sa.select(of.c.id).where(of.c.status == "pending", of.c.decide_by > now, _decides(person, of))
    waits = changes.c.decide_by > now
    changed = sa.select(changes.c.booking_id).join(of, of.c.id == changes.c.booking_id)
    by_borrower = changed.where(waits, sa.not_(changes.c.asked_by_owner), _decides(person, of))
    by_owner = changed.where(waits, changes.c.asked_by_owner, of.c.borrower_member_id == person.id)
    of_peer = sa.select(changes_abroad.c.booking_id).join(of, of.c.id == changes_abroad.c.booking_id)
    unanswered = sa.and_(changes_abroad.c.by_owner, changes_abroad.c.accepted.is_(None))
    mine = of.c.borrower_member_id == person.id
    by_peer = of_peer.where(unanswered, changes_abroad.c.decide_by > now, mine)
    return sa.union_all(requests, by_borrower, by_owner, by_peer)


def _decides(person: Person, of: sa.FromClause) -> sa.ColumnElement[bool]:
    """The same as `deciding.would_decide`."""
    not_own = sa.or_(of.c.borrower_member_id.is_(None), of.c.borrower_member_id != person.id)
    here = sa.and_(of.c.resource_origin.is_(None), not_own)
    if person.is_coordinator:
        return sa.and_(here, sa.or_(of.c.owner_member_id == person.id, sa.not_(of.c.private)))
    coordinators_only = sa.select(resources.c.offer_id).where(resources.c.approval == "coordinator")
    decides = sa.or_(of.c.private, of.c.offer_id.not_in(coordinators_only))
    return sa.and_(here, of.c.owner_member_id == person.id, decides)


def _is_first_that_waits() -> sa.ColumnElement[bool]:
    """No other request of the same series waits for a date before, nor a change that is asked for in the same step."""
    before, this = bookings.alias(), changes.alias()
    earlier = sa.tuple_(before.c.starts_at, before.c.id) < sa.tuple_(bookings.c.starts_at, bookings.c.id)
    requested = sa.select(sa.literal(1)).where(
        before.c.series_id == bookings.c.series_id, before.c.status == "pending", earlier
    )
    with_it = sa.and_(this.c.booking_id == bookings.c.id, this.c.together == changes.c.together)
    wished = sa.select(sa.literal(1)).select_from(changes).join(this, with_it)
    wished = wished.join(before, before.c.id == changes.c.booking_id).where(earlier).correlate(bookings)
    is_first = sa.case((bookings.c.status == "pending", sa.not_(requested.exists())), else_=sa.not_(wished.exists()))
    return sa.or_(bookings.c.series_id.is_(None), is_first)


def _position(cursor: str) -> sa.ColumnElement[Any]:
    """Where a page ended. Raises InvalidFields for a cursor that is not ours."""
    starts_at, booking_id = paging.decode(cursor, 2)
    try:
        at, last_id = datetime.fromisoformat(str(starts_at)), UUID(str(booking_id))
    except ValueError:
        paging.decode("not ours", 2)
        raise
    if at.tzinfo is None:
        paging.decode("not ours", 2)
    return sa.tuple_(sa.bindparam(None, at, sa.DateTime(timezone=True)), sa.bindparam(None, last_id, sa.Uuid))
