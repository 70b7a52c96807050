"""What a calendar feed says of a booking, to whom. Least data: what its holder may see at that moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import quote
from uuid import UUID

from contracts.booking import BookingState, Party, Status
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Person, may_read
from services.booking.domain.spans import Span
from services.chassis.problems import Language, Text

FeedKind = Literal["member", "resource", "busy", "circle"]
EventStatus = Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]
KEPT = timedelta(days=366)
"""How long what is over stays in a feed."""
_OF_PEOPLE = ("expertise", "training", "help")
"""Kinds of offers that are somebody's own time."""

_STATUSES: dict[Status, EventStatus] = {
    "pending": "TENTATIVE",
    "cancelling": "TENTATIVE",
    "confirmed": "CONFIRMED",
    "in_use": "CONFIRMED",
    "overdue": "CONFIRMED",
    "completed": "CONFIRMED",
    "no_show": "CANCELLED",
    "declined": "CANCELLED",
    "cancelled": "CANCELLED",
    "expired": "CANCELLED",
}
SHOWN: tuple[Status, ...] = tuple(_STATUSES)
"""Bookings in these states are in feeds: all but holds, which end by themselves in minutes."""

_WAITS = Text(fr="en attente", en="waiting", nl="in afwachting")
_FOR = Text(fr="Pour : {who}", en="For: {who}", nl="Voor: {who}")
_WITH = Text(fr="Chez : {who}", en="With: {who}", nl="Bij: {who}")
_CIRCLE = Text(fr="Au nom de : {circle}", en="On behalf of: {circle}", nl="Namens: {circle}")
_QUANTITY = Text(fr="Quantité : {number}", en="Quantity: {number}", nl="Aantal: {number}")
_REASON = Text(fr="Motif : {reason}", en="Reason: {reason}", nl="Reden: {reason}")
_SOMEBODY_AT = Text(fr="une personne de {peer}", en="somebody at {peer}", nl="iemand bij {peer}")
_SOMEBODY = Text(fr="un membre", en="a member", nl="een lid")
BUSY = Text(fr="Occupé", en="Busy", nl="Bezet")
NAMES: dict[FeedKind, Text] = {
    "member": Text(fr="Mes réservations", en="My bookings", nl="Mijn reserveringen"),
    "resource": Text(fr="Réservations : {title}", en="Bookings: {title}", nl="Reserveringen: {title}"),
    "busy": Text(fr="Libre ou occupé : {title}", en="Free or busy: {title}", nl="Vrij of bezet: {title}"),
    "circle": Text(fr="Réservations : {title}", en="Bookings: {title}", nl="Reserveringen: {title}"),
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An event of a feed. Instants UTC, shown in the IANA zone `time_zone`; `path`: its page on the portal.

    `is_busy`: whether its holder's time is taken by it.
    """

    booking_id: UUID
    sequence: int
    created: datetime
    changed: datetime
    start: datetime
    end: datetime
    time_zone: str
    title: str
    description: str
    place: str | None
    path: str
    status: EventStatus
    is_busy: bool


@dataclass(frozen=True, kw_only=True)
class Feed:
    """What a feed holds now: `entries`, or (a free/busy feed) only `busy` spans in `time_zone` within `window`."""

    kind: FeedKind
    feed_id: UUID
    name: str
    language: Language
    entries: tuple[Entry, ...] = ()
    busy: tuple[Span, ...] = ()
    window: Span | None = None
    time_zone: str = "UTC"


def may_follow(kind: str) -> bool:
    """Whether an offer of that kind may follow its owner's calendar: it is their own time, or not known (yet)."""
    return kind in {"", *_OF_PEOPLE}


def uid_of(booking_id: UUID, instance: str) -> str:
    """The one UID of a booking in every calendar that we write, mails included: it never changes (RFC 7986, 5.3)."""
    return f"{booking_id}@{instance}"


def entry_of(booking: Booking, holder: Person, language: Language, *, kind: str) -> Entry:
    """`booking` in a feed of `holder`. `kind`: of the offer, empty when unknown.

    Names, notes and reasons only where the holder may read the booking itself; names across the border only once it
    is agreed (`Booking.state`).
    """
    state = booking.state()
    readable = may_read(booking, holder)
    mine = state.borrower.member_id == holder.id
    status = _STATUSES[state.status]
    say = _sayer(language)
    who = _who(state.borrower, say) if readable and not mine else None
    title = f"{state.offer_title} – {who}" if who else state.offer_title
    lines = _lines(state, mine=mine, say=say) if readable else []
    return Entry(
        booking_id=state.id,
        sequence=state.version,
        created=booking.created_at,
        changed=state.changed_at,
        start=state.start,
        end=state.end,
        time_zone=state.time_zone,
        title=f"{title} ({say(_WAITS)})" if status == "TENTATIVE" else title,
        description="\n".join(lines),
        place=state.place_label,
        path=f"/bookings/{state.id}" if readable else _offer_path(state),
        status=status,
        is_busy=status != "CANCELLED" and (mine or (state.owner.member_id == holder.id and may_follow(kind))),
    )


def _lines(state: BookingState, *, mine: bool, say: Callable[..., str]) -> list[str]:
    other = state.owner if mine else state.borrower
    lines = [say(_WITH if mine else _FOR, who=_who(other, say))]
    if state.quantity > 1:
        lines.append(say(_QUANTITY, number=state.quantity))
    if state.circle_name:
        lines.append(say(_CIRCLE, circle=state.circle_name))
    if state.note:
        lines.append(state.note)
    if mine and state.instructions:
        lines.append(state.instructions)
    if state.reason:
        lines.append(say(_REASON, reason=state.reason))
    return lines


def _offer_path(state: BookingState) -> str:
    before = f"/from/{quote(state.resource_origin, safe='')}" if state.resource_origin else ""
    return f"{before}/offers/{state.offer_id}"


def _sayer(language: Language) -> Callable[..., str]:
    def say(text: Text, **values: object) -> str:
        return text.say(language, **values)

    return say


def _who(party: Party, say: Callable[..., str]) -> str:
    if party.name:
        return f"{party.name} ({party.peer_name})" if party.peer_name else party.name
    return say(_SOMEBODY_AT, peer=party.peer_name) if party.peer_name else say(_SOMEBODY)
