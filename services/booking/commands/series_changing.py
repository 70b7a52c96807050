"""Moving several bookings of a series by the same difference on the wall clock: at once, or asked for at once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.commands.changing import WantedChange
from services.booking.commands.expiring import expire_around
from services.booking.commands.handing_out import hand_out
from services.booking.commands.quotas import ledgers
from services.booking.commands.series import counting
from services.booking.commands.series_deciding import around, locked_resource, of_series
from services.booking.commands.series_moving import Move, ask, swap
from services.booking.commands.staying import drop_wishes
from services.booking.domain.availability import Rules, search_window
from services.booking.domain.booking import Booking
from services.booking.domain.changing import check_may_change
from services.booking.domain.deciding import Person
from services.booking.domain.limits import CannotChange
from services.booking.domain.occurrences import Conflict, Occurrence, Shift, judged, rules_for_series
from services.booking.domain.quotas import Ledger
from services.booking.domain.series import Scope, in_scope
from services.booking.domain.series_problems import SeriesHasConflicts
from services.booking.domain.spans import Occupied, Span
from services.booking.resources import Resource


@dataclass(frozen=True, kw_only=True)
class WantedMove:
    """What one booking should become, and that those of `scope` should follow it; `skip`: those that can.

    `days`: how far ahead a series may go.
    """

    change: WantedChange
    scope: Scope
    days: int
    skip: bool = False


async def move_series(
    session: AsyncSession, booking_id: UUID, wanted: WantedMove, *, by: Person, now: datetime
) -> tuple[Booking, list[Conflict]]:
    """Move bookings of a series of ours, or ask for all of it in one step where the other side has to agree.

    Answers the booking, and the conflicts of those that stay where they are. What is over, or no longer the person's to
    move, stays as it is; what was asked for them before is replaced. Raises NotFound, CannotChange, SeriesHasConflicts
    (also with `skip` when nothing can be moved), MustAskOneByOne.
    """
    repeated, its, this = await of_series(session, booking_id, by)
    check_may_change(this, by, now)
    if repeated is None:
        raise CannotChange(booking_status=this.status)
    meant = [booking for booking in in_scope(its, this, wanted.scope) if _may_change(booking, by, now)]
    resource = await locked_resource(session, this.offer_id)
    shift = Shift.between(this.period, wanted.change.period, ZoneInfo(this.time_zone))
    wishes = [shift.of(booking.period, booking.occurrence or booking.starts_at) for booking in meant]
    fitting, conflicts = await fitting_of(session, meant, wishes, wanted, resource, now=now)
    if not fitting or (conflicts and not wanted.skip):
        raise SeriesHasConflicts(conflicts, free=len(fitting))
    moving = [booking for booking in meant if booking.occurrence in fitting]
    await drop_wishes(session, moving)
    move = Move(
        series=repeated,
        bookings=moving,
        periods=[fitting[booking.occurrence] for booking in moving],
        quantity=wanted.change.quantity,
        note=wanted.change.note,
        by_owner=this.borrower_member_id != by.id,
    )
    do = swap if move.asks_nobody(resource) else ask
    await do(session, move, resource, name=by.name, now=now)
    return this, conflicts


async def fitting_of(
    session: AsyncSession,
    meant: list[Booking],
    wishes: list[Occurrence],
    wanted: WantedMove,
    resource: Resource,
    *,
    now: datetime,
) -> tuple[dict[datetime | None, Span], list[Conflict]]:
    """New periods by occurrence, and what stands in the way of the rest, which stays where it is (and in the way)."""
    rules = rules_for_series(resource.rules, wanted.days)
    window = search_window(_covering(meant, wishes, rules))
    await expire_around(session, resource.offer_id, window)
    await hand_out(session, resource.offer_id)  # nobody overtakes a waiting list
    ids = [booking.id for booking in meant]
    counted = await ledgers(session, resource, meant[0], window, leaving_out=ids)
    others = await queries.occupied(session, resource.offer_id, window, excluding=ids)
    like = meant[0].as_moved(meant[0].period, wanted.change.quantity, rules.occupied(meant[0].period))
    staying: dict[datetime | None, Conflict] = {}
    while True:
        stay = [booking for booking in meant if booking.occurrence in staying]
        fitting, conflicts = judged(
            rules,
            [wish for wish in wishes if wish.original not in staying],
            quantity=wanted.change.quantity,
            occupied=[*others, *(Occupied(one.occupied or one.period, one.quantity) for one in stay)],
            now=now,
            count=counting([_with(ledger, stay) for ledger in counted], like),
        )
        staying |= {conflict.occurrence.original: conflict for conflict in conflicts}
        if not conflicts or not wanted.skip:
            return {one.original: one.period for one in fitting}, list(staying.values())


def _with(ledger: Ledger, stay: list[Booking]) -> Ledger:
    return Ledger(quota=ledger.quota, counted=[*ledger.counted, *(booking.period for booking in stay)])


def _covering(meant: list[Booking], wishes: list[Occurrence], rules: Rules) -> Span:
    spans = [around(meant), *(rules.occupied(wish.period) for wish in wishes)]
    return Span(min(span.start for span in spans), max(span.end for span in spans))


def _may_change(booking: Booking, by: Person, now: datetime) -> bool:
    try:
        check_may_change(booking, by, now)
    except CannotChange:
        return False
    return True
