"""The gate: what every message from a peer passes before anything is done with it. Pure rules.

In this order: key known and in force → source is the peer of this link → audience is us → stream and sequence →
type allowed → ownership → expiry. (federation.md; two famous CVEs, Mastodon 2024-23832 and Synapse 2020-26257, were
a missing link in this chain.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Literal
from uuid import UUID

from joserfc.jws import CompactSignature
from pydantic import ValidationError

from contracts.border import (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBookingWithdrawn,
    BorderBusyChanged,
    BorderChangeAnswered,
    BorderChangeRequested,
    BorderChangeWithdrawn,
    BorderContactShared,
    BorderIntroduced,
    BorderIntroductionAnswered,
    BorderIntroductionRequested,
    BorderIntroductionWithdrawn,
    BorderListingPublished,
    BorderListingWithdrawn,
    BorderResourceChanged,
    BorderUseReported,
)
from contracts.envelope import Event
from contracts.link import ManifestTold, MemberTold
from contracts.registry import events_of
from services.chassis.outbox import LARGEST_EVENT
from services.federation.bounds import first_breach
from services.federation.keys import CLOCK_TOLERANCE, NotGenuine, public_key, verified
from services.federation.sealed import TYP, Sealed, claim_of

Reason = Literal[
    "too_large",
    "unreadable",
    "forged",
    "key_revoked",
    "wrong_source",
    "wrong_audience",
    "wrong_stream",
    "old_epoch",
    "gone_before",
    "unknown_type",
    "malformed",
    "not_theirs",
    "expired",
    "unknown_key",
    "not_applied",
    "not_a_member",
    "another_key",
    "too_much",
]

PARKED_AT_MOST, PARKED_OCTETS_AT_MOST = 1000, 32_000_000
_PUBLIC = (BorderListingPublished, BorderListingWithdrawn, BorderResourceChanged, BorderBusyChanged, ManifestTold)
_BETWEEN_MEMBERS = tuple(kind for kind in events_of("border").values() if kind not in _PUBLIC)
"""Of things, bookings and people: nothing that a hub itself could have to say."""
ALLOWED = events_of("border") | events_of("link")
"""The vocabulary between cooperatives. What services say among themselves is not in it."""


class Refused(Exception):
    """The message does not pass. `detail` is for coordinators and holds nothing that was not checked for length."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.detail = detail[:500]


class UnknownKey(Exception):
    """The key is not one that we know of that peer: the message waits while its key set is fetched again."""


@dataclass(frozen=True)
class PeerKey:
    """A key in force of the peer. `revoked_epoch`, `revoked_from`: from where on it does not count."""

    x: str
    revoked_from: int | None = None
    revoked_epoch: int | None = None

    def counts_for(self, epoch: int, seq: int) -> bool:
        """A thief can back-date a time, not a number that we have seen."""
        if self.revoked_from is None:
            return True
        return (epoch, seq) < (epoch if self.revoked_epoch is None else self.revoked_epoch, self.revoked_from)


@dataclass(frozen=True, kw_only=True)
class Passage:
    """What we know of the link that a message came by. `keys`: by thumbprint. `peer_id`: an instance id.

    `us`: for whom it must be, our instance id or "public".
    """

    us: str
    peer_id: str
    peer_link_id: UUID
    keys: Mapping[str, PeerKey]


def authenticate(body: bytes, passage: Passage) -> Sealed:
    """The content of `body`, said by the peer of this link to us. Raises Refused or UnknownKey.

    Until this returns, nothing in the message counts, its sequence number included.
    """
    if len(body) > LARGEST_EVENT:
        raise Refused("too_large", f"{len(body)} bytes")
    claim = claim_of(body)
    if claim is None:
        raise Refused("unreadable", "not a signed event")
    kid, taken_apart = claim
    key = passage.keys.get(kid)
    if key is None:
        raise UnknownKey(kid[:100])
    sealed = _opened(taken_apart, key)
    if not key.counts_for(sealed.epoch, sealed.seq):
        raise Refused("key_revoked", kid)
    if sealed.source != passage.peer_id:
        raise Refused("wrong_source", sealed.source)
    if sealed.audience != passage.us:
        raise Refused("wrong_audience", sealed.audience)
    if sealed.stream != passage.peer_link_id:
        raise Refused("wrong_stream", str(sealed.stream))
    return sealed


def _opened(taken_apart: CompactSignature, key: PeerKey) -> Sealed:
    try:
        header, payload = verified(taken_apart, public_key(key.x))
    except NotGenuine as error:
        raise Refused("forged", "the signature is wrong") from error
    if header.get("typ") != TYP:
        raise Refused("forged", "the signature is of another kind of document")
    try:
        return Sealed.model_validate_json(payload)
    except ValidationError as error:
        raise Refused("unreadable", _first_error(error)) from error


class Turn(Enum):
    """Where a message stands in its stream."""

    NEXT = "next"
    DUPLICATE = "duplicate"
    AHEAD = "ahead"
    NEW_EPOCH = "new epoch"


def turn(sealed: Sealed, *, epoch: int, applied_to: int) -> Turn:
    """Compare with what was applied contiguously in `epoch`. Raises Refused for an epoch that is over."""
    if sealed.epoch < epoch:
        raise Refused("old_epoch", f"{sealed.epoch} < {epoch}")
    if sealed.epoch > epoch:
        return Turn.NEW_EPOCH
    if sealed.seq <= applied_to:
        return Turn.DUPLICATE
    return Turn.NEXT if sealed.seq == applied_to + 1 else Turn.AHEAD


def read_event(sealed: Sealed) -> Event:
    """The event inside, of an allowed type, well-formed and within bounds. Raises Refused."""
    kind = ALLOWED.get(sealed.type)
    if kind is None:
        raise Refused("unknown_type", sealed.type)
    try:
        event = kind.model_validate(sealed.data)
    except ValidationError as error:
        raise Refused("malformed", _first_error(error)) from error
    if breach := first_breach(event):
        raise Refused("malformed", breach)
    return event


@dataclass(frozen=True, kw_only=True)
class Introduction:
    """An introduction with the source: who asked, and whether the answer was yes."""

    asked_by_us: bool
    accepted: bool


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """What our tables know about the things that an event names.

    `asked_of`: the peer that our booking was asked of. `asked_by_source`: whether the source asked us for the booking.
    `shared_with_source`: whether we share, or did share, what it wants. `introduction`: what we know of that one.
    `unclaimed`: our booking is of somebody whom we have forgotten.
    """

    asked_of: str | None = None
    asked_by_source: bool = False
    shared_with_source: bool = False
    introduction: Introduction | None = None
    unclaimed: bool = False


def check_ownership(event: Event, source: str, known: Ownership) -> None:
    """Raises Refused when `event` is about something on which `source` has no say.

    Listings, resources and busy times need no look: copies are keyed by (origin, id), and the origin is the source.
    """
    match event:
        case BorderBookingAnswered():
            allowed = known.asked_of == source
        case BorderBookingRequested():
            allowed = known.shared_with_source and known.asked_of is None
        case BorderBookingWithdrawn() | BorderChangeRequested() | BorderChangeWithdrawn():
            allowed = known.asked_by_source
        case BorderChangeAnswered() | BorderUseReported():
            allowed = known.asked_by_source
        case BorderContactShared():
            allowed = known.asked_of == source or known.asked_by_source
        case (
            BorderIntroductionRequested()
            | BorderIntroductionAnswered()
            | BorderIntroductionWithdrawn()
            | BorderIntroduced()
        ):
            allowed = _may_say_of_introduction(event, known)
        case _:
            allowed = True
    if not allowed:
        raise Refused("not_theirs", f"{event.type} {event.subject}")


def answers_nothing(event: Event, known: Ownership) -> bool:
    """Whether `event` follows something of which we know nothing: who was restored may have forgotten it."""
    match event:
        case BorderBookingAnswered():
            return known.asked_of is None
        case BorderContactShared():
            return known.asked_of is None and not known.asked_by_source
        case BorderIntroductionAnswered() | BorderIntroduced():
            return known.introduction is None
        case _:
            return False


def check_way(event: Event, kind: str) -> None:
    """Raises Refused when `event` is nothing to be said on a link, or public stream, of this kind."""
    if kind == "heard":
        allowed = isinstance(event, _PUBLIC) and not (isinstance(event, ManifestTold) and event.public)
    elif kind in {"hub", "member"}:
        allowed = not isinstance(event, _BETWEEN_MEMBERS)
    else:
        allowed = True
    if not allowed or (isinstance(event, MemberTold) and kind != "hub"):
        raise Refused("not_theirs", f"{event.type} on this way")


def _may_say_of_introduction(event: Event, known: Ownership) -> bool:
    """Asking is for what is shared, answering for whoever was asked; an address comes only after a yes."""
    found = known.introduction
    if isinstance(event, BorderIntroductionRequested):
        return known.shared_with_source and (found is None or not found.asked_by_us)
    if found is None:
        return False
    if isinstance(event, BorderIntroduced):
        return found.accepted
    return found.asked_by_us == isinstance(event, BorderIntroductionAnswered)


def check_expiry(sealed: Sealed, now: datetime) -> None:
    """Raises Refused for what is out of date at `now` (aware UTC), or dated later than clocks differ."""
    if sealed.expires_at <= now:
        raise Refused("expired", sealed.expires_at.isoformat())
    if sealed.time > now + CLOCK_TOLERANCE:
        raise Refused("malformed", f"from the future: {sealed.time.isoformat()}")


def _first_error(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
