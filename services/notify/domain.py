"""The rules: which message is worth a mail to whom, who decides on a request, who is told of what in a booking."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal
from uuid import UUID

from contracts.booking import (
    Approval,
    BookingState,
    ChangeState,
    SeatStatus,
    SeriesChange,
    SeriesState,
    SessionSeat,
    SessionState,
)

EmailPreference = Literal["all", "important", "none"]
DEFAULT_PREFERENCE: EmailPreference = "all"

AboutType = Literal["booking", "session", "waiting", "need", "link", "member", "mail", "searches", "introduction"]


class Weight(IntEnum):
    """How much a message matters to its reader."""

    QUIET = 0
    """Seen in the inbox, never mailed: the reader has just done it, or nothing follows from it."""
    NEWS = 1
    """Good to know."""
    IMPORTANT = 2
    """Needs an answer, or changes the reader's plans."""


@dataclass(frozen=True, kw_only=True)
class About:
    """The thing that a message is about. `origin` is None when it is ours, else the peer's instance id."""

    type: AboutType
    id: str
    origin: str | None = None


@dataclass(frozen=True, kw_only=True)
class Message:
    """Something to tell members of ours. `url` is a path on the portal, `facts` (JSON-ready) fill the template."""

    template: str
    weight: Weight
    about: About
    url: str
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class Told:
    """One message and its readers."""

    message: Message
    readers: frozenset[UUID]


def is_mailed(weight: Weight, preference: EmailPreference) -> bool:
    """Whether a message of this weight goes out by e-mail under the reader's preference."""
    least: dict[EmailPreference, Weight] = {"all": Weight.NEWS, "important": Weight.IMPORTANT}
    return preference in least and weight >= least[preference]


def deciders(
    *,
    approval: Approval,
    owner: UUID | None,
    borrower: UUID | None,
    active: Collection[UUID],
    coordinators: Collection[UUID],
) -> frozenset[UUID]:
    """Who is asked to decide: the owner; the coordinators where they approve or the owner cannot.

    `active` holds the owner unless they have left. Nobody decides on their own request (rule 9 of the domain).
    """
    owner_can = owner is not None and owner in active and owner != borrower
    asked = frozenset(coordinators) - {borrower}
    if owner is not None and owner_can and (approval != "coordinator" or not asked):
        return frozenset({owner})
    return asked


def calendar_of(method: Literal["REQUEST", "CANCEL"], booking: BookingState) -> dict[str, Any]:
    """What the calendar attachment needs beside the booking's own facts."""
    return {"method": method, "booking_id": str(booking.id), "sequence": booking.version}


def booking_facts(booking: BookingState) -> dict[str, Any]:
    """The facts of a booking that templates may speak of."""
    return {
        "offer": booking.offer_title,
        "start": booking.start.isoformat(),
        "end": booking.end.isoformat(),
        "time_zone": booking.time_zone,
        "place": booking.place_label,
        "origin_name": booking.origin_name,
        "borrower": booking.borrower.name,
        "borrower_cooperative": booking.borrower.peer_name,
        "owner": booking.owner.name,
        "owner_cooperative": booking.owner.peer_name or booking.origin_name,
        "quantity": booking.quantity,
        "note": booking.note,
        "reason": booking.reason,
        "decide_by": booking.decide_by.isoformat() if booking.decide_by else None,
        "changed_at": booking.changed_at.isoformat(),
        "circle": booking.circle_name,
        "price": booking.price.model_dump() if booking.price else None,
        "instructions": booking.instructions,
    }


def change_facts(change: ChangeState) -> dict[str, Any]:
    """The facts of a change that is asked for."""
    return {
        "by": "owner" if change.by_owner else "borrower",
        "new_start": change.start.isoformat(),
        "new_end": change.end.isoformat(),
        "new_quantity": change.quantity,
        "change_note": change.note,
        "answer_by": change.decide_by.isoformat(),
    }


def session_facts(state: SessionState) -> dict[str, Any]:
    """The facts of a session that templates may speak of; `offer` is its title, as in those of a booking."""
    return {
        "offer": state.title,
        "start": state.start.isoformat(),
        "end": state.end.isoformat(),
        "time_zone": state.time_zone,
        "place": state.place_label,
        "organiser": state.organiser_name,
        "reason": state.reason,
        "changed_at": state.changed_at.isoformat(),
    }


def seat_facts(seat: SessionSeat) -> dict[str, Any]:
    """The facts of one person's seat."""
    return {
        "role": seat.role_label,
        "position": seat.position,
        "accept_by": seat.accept_by.isoformat() if seat.accept_by else None,
        "video": seat.video_url,
    }


def session_calendar(method: Literal["REQUEST", "CANCEL"], state: SessionState) -> dict[str, Any]:
    """What the calendar attachment needs beside the session's own facts."""
    return {"method": method, "booking_id": str(state.id), "sequence": state.version}


def is_moved(before: SessionState, after: SessionState) -> bool:
    """Whether people have to come at another time or to another place."""
    return (before.start, before.end, before.place_label) != (after.start, after.end, after.place_label)


SEAT_WEIGHTS: dict[SeatStatus, Weight] = {
    "taken": Weight.IMPORTANT,
    "offered": Weight.IMPORTANT,
    "waiting": Weight.QUIET,
    "left": Weight.QUIET,
    "missed": Weight.NEWS,
}
"""How much news of one's own seat matters."""


def series_facts(series: SeriesState) -> dict[str, Any]:
    """The facts of a series that templates may speak of; `dates` are those that the message is about."""
    dates = [{"start": one.start.isoformat(), "end": one.end.isoformat()} for one in series.dates]
    return {
        **dates[0],
        "offer": series.offer_title,
        "dates": dates,
        "count": len(dates),
        "time_zone": series.time_zone,
        "place": series.place_label,
        "borrower": series.borrower.name,
        "borrower_cooperative": series.borrower.peer_name,
        "owner": series.owner.name,
        "owner_cooperative": series.owner.peer_name,
        "quantity": series.quantity,
        "note": series.note,
        "reason": series.reason,
        "decide_by": series.decide_by.isoformat() if series.decide_by else None,
        "changed_at": series.changed_at.isoformat(),
    }


def series_change_facts(change: SeriesChange) -> dict[str, Any]:
    """The facts of a change that is asked for several dates; `dates` are the new ones."""
    dates = [{"start": one.start.isoformat(), "end": one.end.isoformat()} for one in change.dates]
    return {
        "by": "owner" if change.by_owner else "borrower",
        "new_dates": dates,
        "new_quantity": change.quantity,
        "change_note": change.note,
        "answer_by": change.decide_by.isoformat(),
    }


def series_calendar(status: Literal["CONFIRMED", "CANCELLED"], series: SeriesState) -> dict[str, Any]:
    """The calendar attachment of several dates; nothing where the event does not say which versions they have."""
    dates = [
        {
            "booking_id": str(one.booking_id),
            "sequence": one.version,
            "start": one.start.isoformat(),
            "end": one.end.isoformat(),
        }
        for one in series.dates
        if one.version is not None
    ]
    return {"calendar": {"method": "PUBLISH", "status": status, "dates": dates}} if dates else {}
