"""The life of a use: people arrive and leave, come late or not at all (see the booking states in the domain).

A booking without `grace_minutes` asks nothing of the kind: it is completed when it is over.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.booking import BookingEvent, BookingStartAtRisk, BookingUseAsked, UseStep
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Person, may_read
from services.booking.domain.problems_of_use import AlreadyArrived, NoCheckIn, NotInUse, TooEarly, TooLateToArrive
from services.booking.domain.spans import Span

EARLY = timedelta(minutes=15)
"""How long before the start people may arrive."""

AHEAD = timedelta(minutes=30)
"""How far ahead an overdue booking keeps its place, so that nobody books what is not there."""

AT_RISK = timedelta(hours=1)
"""A booking that begins within this time, and needs what is overdue, is warned."""

MOST_WRONG_CODES = 10
"""After so many the code of a booking opens nothing any more: a million codes cannot be tried out."""

CLOCKS_DIFFER = timedelta(minutes=2)
"""So much earlier a peer's person may arrive: their own pages have let them by their own clock."""

_SHORTEST = timedelta(seconds=1)


def arrival(booking: Booking) -> Span | None:
    """When people may arrive: from a little before the start until the grace, or the period, is over."""
    if booking.grace_minutes is None:
        return None
    latest = booking.starts_at + timedelta(minutes=booking.grace_minutes)
    return Span(booking.starts_at - EARLY, min(latest, booking.ends_at))


def may_check_in(booking: Booking, person: Person, now: datetime) -> bool:
    """The borrower, the owner and coordinators, within the time to arrive; at a peer's resource its borrower."""
    window = arrival(booking)
    waits = booking.status == "confirmed" and _may_say(booking, person)
    return window is not None and waits and window.start <= now < window.end


def may_check_out(booking: Booking, person: Person) -> bool:
    """The same people, while it is in use."""
    return is_out(booking) and _may_say(booking, person)


def _may_say(booking: Booking, person: Person) -> bool:
    return may_read(booking, person) if booking.is_ours else booking.borrower_member_id == person.id


def may_see_code(booking: Booking, person: Person) -> bool:
    """The owner and coordinators, who show it at the machine; never the person who has to be there."""
    shown = booking.is_ours and booking.status in {"pending", "confirmed"}
    return shown and may_read(booking, person) and person.id != booking.borrower_member_id


def is_out(booking: Booking) -> bool:
    """Whether somebody has it and has not given it back."""
    return booking.status in {"in_use", "overdue"} and booking.checked_out_at is None


def check_in(booking: Booking, *, now: datetime, early: timedelta = timedelta(0)) -> BookingEvent:
    """Somebody has come; `early`: so much before the time. Raises like `check_arrival`."""
    if not booking.is_ours:
        raise NoCheckIn
    check_arrival(booking, now=now + early)
    booking.checked_in_at = now
    return booking.turn("in_use", now=now)


def report(booking: Booking, step: UseStep, *, now: datetime) -> BookingEvent:
    """What a peer is told by its borrower; its answer counts. Raises like `check_arrival`, NotInUse."""
    if step == "check_in":
        check_arrival(booking, now=now)
    elif not is_out(booking):
        raise NotInUse(booking_status=booking.status)
    return BookingUseAsked(booking=booking.state(), step=step)


def check_arrival(booking: Booking, *, now: datetime) -> None:
    """Raises NoCheckIn, AlreadyArrived, TooEarly, TooLateToArrive, NotInUse."""
    window = arrival(booking)
    if window is None:
        raise NoCheckIn
    if booking.status in {"in_use", "overdue", "completed"}:
        raise AlreadyArrived
    if booking.status == "no_show" or (booking.status == "confirmed" and now >= window.end):
        raise TooLateToArrive
    if booking.status != "confirmed":
        raise NotInUse(booking_status=booking.status)
    if now < window.start:
        raise TooEarly(minutes=int(EARLY.total_seconds() // 60))


def check_out(booking: Booking, *, occupied_until: datetime, now: datetime) -> BookingEvent:
    """It is given back; completed at once, or when what comes after it (cleaning, transport) is over.

    `occupied_until`: the end of that. Raises NotInUse.
    """
    if not booking.is_ours or not is_out(booking):
        raise NotInUse(booking_status=booking.status)
    booking.checked_out_at = now
    if booking.occupied is not None:
        start = booking.occupied.start
        booking.occupied = Span(start, max(occupied_until, start + _SHORTEST))
    return booking.complete(now=now) if occupied_until <= now else booking.turn("in_use", now=now)


def buffer_after(booking: Booking, usual: timedelta) -> timedelta:
    """What comes after the use: as it was booked, or as `usual` where an overdue use has moved its end."""
    if booking.occupied is None:
        return timedelta(0)
    booked = booking.occupied.end - booking.ends_at
    return booked if booking.status == "in_use" and booked >= timedelta(0) else usual


def release(booking: Booking, *, now: datetime) -> BookingEvent:
    """Nobody has come: the place is free again."""
    return booking.turn("no_show", now=now)


def miss_end(booking: Booking, *, now: datetime) -> BookingEvent:
    """The end has passed and it was not given back."""
    return booking.turn("overdue", now=now)


def warn(booking: Booking, *, now: datetime) -> BookingEvent:
    """What it needs is still in use by somebody who is late."""
    booking.count_change(now)
    return BookingStartAtRisk(booking=booking.state())


def reach(
    start: datetime, until: datetime, *, quantity: int, capacity: int, others: Sequence[tuple[Span, int]]
) -> datetime:
    """How far from `start` on `quantity` pieces can be kept beside what `others` occupy; at most `until`.

    `others`: what each occupies and how many pieces of it.
    """
    for at in sorted({start} | {span.start for span, _ in others if start < span.start < until}):
        taken = sum(pieces for span, pieces in others if span.start <= at < span.end)
        if taken + quantity > capacity:
            return at
    return until
