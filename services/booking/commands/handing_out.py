"""Handing what has become free to those who wait for it, in the order that `domain/line.py` says."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.binding import Binding, bind
from services.booking.commands.expiring import expire_around
from services.booking.commands.telling import busy_changed
from services.booking.domain import line
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Offer, Person, may_see
from services.booking.domain.eligibility import Asking, may_ask
from services.booking.domain.requests import allows
from services.booking.domain.spans import Span
from services.booking.domain.waiting import Entry
from services.booking.queries.waiting import line_of, people
from services.booking.resources import Resource
from services.booking.tables import bookings, places_freed, resources, waiting
from services.chassis import logs, outbox
from services.chassis.database_listener import waking
from services.chassis.ids import new_id

PLACES_CHANNEL = "places"
_log = logs.get(__name__)


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A resource of ours with its offer and those who wait for it."""

    offer: Offer
    resource: Resource
    entries: list[Entry]
    now: datetime


async def hand_out(session: AsyncSession, offer_id: UUID) -> None:
    """Offer what is free of our resource to those who wait; end what is over. Does nothing when nobody waits.

    Runs soon after something has become free (the triggers leave a mark), whenever somebody leaves the line, and
    before the booking of anybody from outside the line that comes in between: so nobody overtakes (when that booking
    is refused, its transaction takes the handing out back with it, and the mark stays for the loop). The lock of the
    resource, which every booking of it takes too, orders all this; the mark goes first, so that what becomes free
    from now on asks again.
    """
    await lock_resource(session, offer_id)
    await session.execute(sa.delete(places_freed).where(places_freed.c.offer_id == offer_id))
    entries = await line_of(session, offer_id)
    now = await queries.database_time(session)
    given_back = await _give_back(session, offer_id, entries, now)
    offer, resource = await queries.offer(session, offer_id), await queries.resource(session, offer_id)
    if not entries or offer is None or resource is None:
        return
    here = _Line(offer=offer, resource=resource, entries=entries, now=now)
    persons = await people(session, {entry.member_id for entry in entries})
    await _end_what_is_over(session, here, persons)
    served = await _serve(session, here, persons)
    await session.flush()
    if given_back or served:
        await busy_changed(session, offer_id)


async def lock_resource(session: AsyncSession, offer_id: UUID) -> None:
    """Whoever books our resource, or hands it out, waits until this transaction ends."""
    lock = sa.select(resources.c.offer_id).where(resources.c.offer_id == offer_id)
    await session.execute(lock.with_for_update(key_share=True))


async def give_back(session: AsyncSession, entry: Entry) -> None:
    """What is kept for the wish is free again."""
    kept = sa.delete(bookings).where(
        bookings.c.offer_id == entry.offer_id, bookings.c.status == "held", bookings.c.waiting_id == entry.id
    )
    await session.execute(kept)


async def lines_to_look_at(session: AsyncSession, most: int = 100) -> list[UUID]:
    """Resources whose waiting list is to be handed out, the longest waiting first."""
    found = sa.select(places_freed.c.offer_id).order_by(places_freed.c.since).limit(most)
    return list((await session.execute(found)).scalars())


async def note_time_is_over(session: AsyncSession) -> int:
    """Mark the resources where something kept for the line, or a wish, has ended by the clock. Returns how many.

    What was marked already is not counted.
    """
    over = sa.union(
        sa.select(bookings.c.offer_id).where(
            bookings.c.status == "held",
            bookings.c.waiting_id.is_not(None),
            bookings.c.decide_by <= sa.func.clock_timestamp(),
        ),
        sa.select(waiting.c.offer_id).where(
            waiting.c.status == "waiting", waiting.c.starts_at <= sa.func.clock_timestamp()
        ),
    ).subquery()
    return await mark(session, sa.select(over.c.offer_id, sa.func.clock_timestamp()))


async def wake_lines_of(session: AsyncSession, member_ids: Collection[UUID]) -> None:
    """Have the lines handed out in which these members wait: what they may book has changed."""
    which = sa.select(waiting.c.offer_id, sa.func.clock_timestamp()).where(
        waiting.c.member_id.in_(member_ids), waiting.c.status.in_(("waiting", "offered"))
    )
    await mark(session, which.group_by(waiting.c.offer_id))


async def mark(session: AsyncSession, which: sa.Select[Any, Any]) -> int:
    """Ask for the waiting lists of these resources to be handed out. Returns how many had not been asked for."""
    put = insert(places_freed).from_select(["offer_id", "since"], which)
    locked = put.on_conflict_do_update(index_elements=["offer_id"], set_={"since": places_freed.c.since})
    fresh = sa.literal_column("(xmax = 0)", sa.Boolean)
    marked = [
        row for row in await session.execute(locked.returning(places_freed.c.offer_id, fresh.label("new"))) if row.new
    ]
    if marked:
        await session.execute(sa.select(waking(PLACES_CHANNEL)))
    return len(marked)


async def _give_back(session: AsyncSession, offer_id: UUID, entries: list[Entry], now: datetime) -> bool:
    """What was kept for a wish that is not whole is put together anew; what was not accepted in time goes on."""
    for entry in entries:
        if entry.status == "offered" and entry.accept_by is not None and entry.accept_by <= now:
            await outbox.add(session, entry.lapse(now=now))
    still = [entry.id for entry in entries if entry.status == "offered"]
    kept = sa.delete(bookings).where(
        bookings.c.offer_id == offer_id,
        bookings.c.status == "held",
        bookings.c.waiting_id.is_not(None),
        bookings.c.waiting_id.not_in(still),
    )
    return (await session.execute(kept.returning(bookings.c.id))).first() is not None


async def _end_what_is_over(session: AsyncSession, here: _Line, persons: dict[UUID, Person]) -> None:
    for entry in here.entries:
        begun = entry.starts_at <= here.now
        if entry.status == "waiting" and (begun or not here.offer.published or entry.member_id not in persons):
            await outbox.add(session, entry.end(now=here.now))


async def _serve(session: AsyncSession, here: _Line, persons: dict[UUID, Person]) -> bool:
    """Returns whether anything was offered or is kept."""
    standing = {entry.id: entry for entry in here.entries if _may_be_served(here, entry, persons)}
    if not standing:
        return False
    rules = here.resource.rules
    wishes = [entry.wish(rules) for entry in standing.values()]
    around = Span(min(one.occupied.start for one in wishes), max(one.occupied.end for one in wishes))
    await expire_around(session, here.offer.id, around)
    taken = await queries.occupied(session, here.offer.id, around)
    turn = line.hand_out(wishes, taken=taken, capacity=rules.capacity, now=here.now)
    for wish in turn.offered:
        await _offer(session, here, standing[wish.id], wish)
    for wish in turn.waiting:
        standing[wish.id].follow(wish)
        for part in turn.kept.get(wish.id, ()):
            until = wish.kept_until or here.now
            await _bind(session, here, _kept(here, standing[wish.id], part.span, part.quantity, until))
    return bool(turn.offered or turn.kept)


def _may_be_served(here: _Line, entry: Entry, persons: dict[UUID, Person]) -> bool:
    """Whether a booking of it would be allowed now; who may not today keeps the place in the line."""
    person = persons.get(entry.member_id)
    if entry.status != "waiting" or person is None or not here.resource.is_open:
        return False
    rules, terms = here.resource.rules, here.resource.terms
    if not allows(rules, entry.period, here.now) or entry.quantity > rules.capacity:
        return False
    asking = Asking(person=person, owner_id=here.offer.owner_member_id)
    return may_see(here.offer, person, here.now) and may_ask(rules, terms, asking, entry.period, now=here.now)


async def _offer(session: AsyncSession, here: _Line, entry: Entry, wish: line.Wish) -> None:
    until = wish.accept_by(here.now)
    place = _kept(here, entry, wish.occupied, wish.quantity, until)
    place.starts_at, place.ends_at = entry.starts_at, entry.ends_at
    if await _bind(session, here, place):
        await outbox.add(session, entry.offer(place.id, accept_by=until, now=here.now))


async def _bind(session: AsyncSession, here: _Line, place: Booking) -> bool:
    """The database has the last word; what it refuses is looked at again the next time."""
    outcome = await bind(session, Binding(booking=place, under=here.resource.version))
    if outcome != "bound":
        _log.warning("not-kept-for-the-line", outcome=outcome, offer_id=str(place.offer_id))
    return outcome == "bound"


def _kept(here: _Line, entry: Entry, occupied: Span, quantity: int, until: datetime) -> Booking:
    """A place that nobody else can take until then. Nobody sees it in a list of bookings."""
    offer = here.offer
    return Booking(
        id=new_id(),
        offer_id=offer.id,
        offer_title=offer.title,
        resource_origin=None,
        origin_name=None,
        borrower_member_id=entry.member_id,
        borrower_name=entry.member_name,
        borrower_peer_id=None,
        borrower_peer_name=None,
        borrower_pseudonym=None,
        owner_member_id=offer.owner_member_id,
        owner_name=offer.owner_name,
        starts_at=occupied.start,
        ends_at=occupied.end,
        occupied=occupied,
        exclusive=here.resource.rules.capacity == 1,
        time_zone=here.resource.rules.time_zone,
        place_label=None,
        quantity=quantity,
        note="",
        private=here.resource.terms.private,
        waiting_id=entry.id,
        status="held",
        reason=None,
        decide_by=until,
        remote_version=0,
        version=1,
        created_at=here.now,
        changed_at=here.now,
    )
