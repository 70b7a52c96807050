"""How much one member, circle or peer may book in a week or a month, counted in bookings or in hours."""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.booking import Quota
from services.booking.domain.booking import Booking
from services.booking.domain.limits import QuotaReached
from services.booking.domain.opening import local_midnight
from services.booking.domain.spans import Span

COUNTED = ("pending", "confirmed", "in_use", "overdue", "completed", "no_show")
"""Bookings in these states use up a quota. A hold does not: it becomes a booking, and is counted then."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """What has been booked in the window of a quota."""

    bookings: int
    hours: Fraction


def whose(quota: Quota, booking: Booking) -> UUID | str | None:
    """Whom of `booking` the quota is counted for; None when it is not about anybody of it."""
    match quota.scope:
        case "member":
            return booking.borrower_member_id
        case "circle":
            return booking.circle_id
        case "peer":
            return booking.borrower_peer_id


def window_of(quota: Quota, booking: Booking) -> Span:
    """The local week (from Monday, ISO 8601) or month in which the booking begins."""
    zone = ZoneInfo(booking.time_zone)
    day = booking.starts_at.astimezone(zone).date()
    if quota.per == "week":
        first = day - timedelta(days=day.weekday())
        return Span(local_midnight(first, zone), local_midnight(first + timedelta(days=7), zone))
    first = day.replace(day=1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return Span(local_midnight(first, zone), local_midnight(following, zone))


def check_quota(quota: Quota, booking: Booking, used: Use) -> None:
    """Raises QuotaReached when `booking` would be one too many, or its hours."""
    if quota.unit == "bookings":
        after, before = Fraction(used.bookings + 1), Fraction(used.bookings)
    else:
        before = used.hours
        after = before + Fraction(int(booking.period.length.total_seconds()), 3600)
    if after > quota.most:
        raise QuotaReached(most=quota.most, used=round(float(before), 2), unit=quota.unit, per=quota.per)


@dataclass(eq=False, kw_only=True)
class Ledger:
    """A quota and the periods that are counted for it: what many bookings at once are checked against."""

    quota: Quota
    counted: list[Span]

    def check(self, booking: Booking) -> None:
        """Raises QuotaReached when `booking` would be more than what is counted leaves."""
        window = window_of(self.quota, booking)
        inside = [span for span in self.counted if window.start <= span.start < window.end]
        seconds = sum(int(span.length.total_seconds()) for span in inside)
        check_quota(self.quota, booking, Use(bookings=len(inside), hours=Fraction(seconds, 3600)))

    def add(self, booking: Booking) -> None:
        """Count `booking` too."""
        self.counted.append(booking.period)
