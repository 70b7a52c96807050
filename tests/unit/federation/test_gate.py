"""The gate lets through what a peer has signed for us, and nothing else."""

import base64
import json
from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.border import (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBookingWithdrawn,
    BorderBusyChanged,
    BorderContactShared,
    BorderIntroduced,
    BorderIntroductionAnswered,
    BorderIntroductionRequested,
    BorderIntroductionWithdrawn,
    BorderListingPublished,
    BorderListingWithdrawn,
    BorderResourceChanged,
)
from contracts.envelope import Event
from contracts.registry import events_of
from services.federation.gate import (
    Introduction,
    Ownership,
    PeerKey,
    Refused,
    Turn,
    UnknownKey,
    authenticate,
    check_expiry,
    check_ownership,
    check_way,
    read_event,
    turn,
)
from services.federation.sealed import LIFETIME, Sealed
from tests.unit.federation.peers import LILLE, NAMUR, NOW, STRANGER, message, passage, signed, withdrawn, x_of


def refusal_of(body: bytes, **changes: object) -> str:
    with pytest.raises(Refused) as refused:
        authenticate(body, passage(**changes))
    return refused.value.reason


def sealed(**changes: object) -> Sealed:
    return authenticate(message(**changes), passage())  # pyright: ignore[reportArgumentType] - parts of the content


def test_what_lille_signed_for_namur_passes() -> None:
    event = withdrawn()
    opened = authenticate(message(event), passage())
    assert opened.source == LILLE.instance_id
    assert read_event(opened) == event


def test_a_changed_byte_is_forged() -> None:
    header, payload, signature = message().decode().split(".")
    content = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    content["seq"] = 2
    other = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    assert refusal_of(f"{header}.{other}.{signature}".encode()) == "forged"


def test_a_stranger_who_names_lilles_key_is_a_forger() -> None:
    content = json.loads(sealed().model_dump_json())
    assert refusal_of(signed(content, key=STRANGER.signing, kid=LILLE.signing_kid)) == "forged"


def test_an_unknown_key_waits() -> None:
    with pytest.raises(UnknownKey):
        authenticate(message(by=STRANGER), passage())


def test_a_key_of_a_set_that_is_out_of_date_is_unknown() -> None:
    with pytest.raises(UnknownKey):
        authenticate(message(), passage(keys={}))


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"alg": "Ed25519", "b64": False}])
def test_no_other_algorithm_counts(header: dict[str, object]) -> None:
    _, payload, signature = message().decode().split(".")
    text = json.dumps({"kid": LILLE.signing_kid, "typ": "maillage-event", **header})
    spoiled = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    assert refusal_of(f"{spoiled}.{payload}.{signature}".encode()) in {"forged", "unreadable"}


def test_a_signature_on_another_kind_of_document_is_none_on_an_event() -> None:
    content = json.loads(sealed().model_dump_json())
    body = signed(content, key=LILLE.signing, kid=LILLE.signing_kid, typ="maillage-keys")
    assert refusal_of(body) == "unreadable"


def test_lille_cannot_speak_for_another() -> None:
    content = json.loads(sealed().model_dump_json()) | {"source": STRANGER.instance_id}
    assert refusal_of(signed(content, key=LILLE.signing, kid=LILLE.signing_kid)) == "wrong_source"


def test_what_was_said_to_another_is_not_for_us() -> None:
    assert refusal_of(message(audience=STRANGER.instance_id)) == "wrong_audience"


def test_what_was_said_on_another_link_does_not_count_on_this_one() -> None:
    assert refusal_of(message(stream=str(uuid4()))) == "wrong_stream"


def test_a_key_revoked_from_a_number_on_counts_below_it_only() -> None:
    keys = {LILLE.signing_kid: PeerKey(x_of(LILLE.signing), revoked_from=10)}
    assert authenticate(message(seq=9), passage(keys=keys)).seq == 9
    assert refusal_of(message(seq=10), keys=keys) == "key_revoked"


@pytest.mark.parametrize("body", [b"", b"{}", b"a.b.c", b"\xff\xfe", "é.é.é".encode(), b"." * 100])
def test_rubbish_is_unreadable(body: bytes) -> None:
    assert refusal_of(body) == "unreadable"


def test_what_is_too_large_is_not_even_read() -> None:
    assert refusal_of(b"x" * (256 * 1024 + 1)) == "too_large"


@pytest.mark.parametrize(
    "changes",
    [{"seq": 0}, {"seq": -1}, {"seq": 2**70}, {"epoch": 0}, {"schema_version": 2}, {"time": "2026-03-10T12:00:00"}],
)
def test_numbers_and_times_out_of_form_are_unreadable(changes: dict[str, object]) -> None:
    content = json.loads(sealed().model_dump_json()) | changes
    assert refusal_of(signed(content, key=LILLE.signing, kid=LILLE.signing_kid)) == "unreadable"


@pytest.mark.parametrize(
    ("seq", "expected"), [(4, Turn.DUPLICATE), (5, Turn.DUPLICATE), (6, Turn.NEXT), (7, Turn.AHEAD), (900, Turn.AHEAD)]
)
def test_numbers_say_whose_turn_it_is(seq: int, expected: Turn) -> None:
    assert turn(sealed(seq=seq), epoch=1, applied_to=5) is expected


def test_a_later_epoch_begins_anew_and_an_earlier_one_is_over() -> None:
    assert turn(sealed(seq=1, epoch=3), epoch=2, applied_to=500) is Turn.NEW_EPOCH
    with pytest.raises(Refused, match="old_epoch"):
        turn(sealed(seq=501, epoch=1), epoch=2, applied_to=500)


@pytest.mark.parametrize("kind", ["booking.confirmed.v1", "federation.listing_received.v1", "border.unheard_of.v1", ""])
def test_only_the_borders_own_vocabulary_is_understood(kind: str) -> None:
    with pytest.raises(Refused, match="unknown_type"):
        read_event(sealed(type=kind))


@pytest.mark.parametrize("data", [{}, {"id": "no uuid", "version": 1}, {"id": str(uuid4()), "version": -1}])
def test_data_out_of_form_or_bounds_is_malformed(data: dict[str, object]) -> None:
    with pytest.raises(Refused, match="malformed"):
        read_event(sealed(data=data))


def test_what_has_expired_or_comes_from_the_future_is_refused() -> None:
    check_expiry(sealed(), NOW + LIFETIME - timedelta(seconds=1))
    check_expiry(sealed(), NOW - timedelta(minutes=5))  # clocks differ
    with pytest.raises(Refused, match="expired"):
        check_expiry(sealed(), NOW + LIFETIME)
    with pytest.raises(Refused, match="malformed"):
        check_expiry(sealed(), NOW - timedelta(hours=1))


BOOKING = uuid4()
ANSWER = BorderBookingAnswered(
    booking_id=BOOKING,
    status="confirmed",
    start=NOW,
    end=NOW + timedelta(hours=1),
    reason=None,
    owner_name=None,
    place_label=None,
    version=1,
)
REQUEST = BorderBookingRequested(
    booking_id=BOOKING,
    offer_id=uuid4(),
    pseudonym="p",
    start=NOW,
    end=NOW + timedelta(hours=1),
    quantity=1,
    note="",
    decide_by=NOW,
)
WITHDRAWAL = BorderBookingWithdrawn(booking_id=BOOKING)
CONTACT = BorderContactShared(booking_id=BOOKING, name="Ana", email="ana@example.org")
WISH = BorderIntroductionRequested(introduction_id=BOOKING, thing_id=uuid4(), pseudonym="p", message="Bonjour")
YES = BorderIntroductionAnswered(introduction_id=BOOKING, accepted=True)
NO_LONGER = BorderIntroductionWithdrawn(introduction_id=BOOKING)
ADDRESS = BorderIntroduced(introduction_id=BOOKING, pseudonym="p", name="Ana", email="ana@example.org")
OURS = Introduction(asked_by_us=True, accepted=False)
THEIRS = Introduction(asked_by_us=False, accepted=False)
US, THEM = NAMUR.instance_id, LILLE.instance_id


@pytest.mark.parametrize(
    ("event", "known"),
    [
        (ANSWER, Ownership(asked_of=THEM)),
        (REQUEST, Ownership(shared_with_source=True)),
        (WITHDRAWAL, Ownership(asked_by_source=True)),
        (CONTACT, Ownership(asked_of=THEM)),
        (CONTACT, Ownership(asked_by_source=True)),
        (BorderListingWithdrawn(id=BOOKING, version=1), Ownership()),
        (WISH, Ownership(shared_with_source=True)),
        (WISH, Ownership(shared_with_source=True, introduction=THEIRS)),
        (YES, Ownership(introduction=OURS)),
        (NO_LONGER, Ownership(introduction=THEIRS)),
        (ADDRESS, Ownership(introduction=Introduction(asked_by_us=True, accepted=True))),
        (ADDRESS, Ownership(introduction=Introduction(asked_by_us=False, accepted=True))),
    ],
)
def test_a_peer_may_speak_of_its_own_things(event: Event, known: Ownership) -> None:
    check_ownership(event, THEM, known)


@pytest.mark.parametrize(
    ("event", "known"),
    [
        (ANSWER, Ownership()),
        (ANSWER, Ownership(asked_of=STRANGER.instance_id)),
        (ANSWER, Ownership(asked_by_source=True)),
        (REQUEST, Ownership()),
        (REQUEST, Ownership(shared_with_source=True, asked_of=STRANGER.instance_id)),
        (WITHDRAWAL, Ownership(asked_of=THEM)),
        (CONTACT, Ownership(asked_of=STRANGER.instance_id)),
        (WISH, Ownership()),
        (WISH, Ownership(shared_with_source=True, introduction=OURS)),
        (YES, Ownership()),
        (YES, Ownership(introduction=THEIRS)),
        (NO_LONGER, Ownership(introduction=OURS)),
        (ADDRESS, Ownership()),
        (ADDRESS, Ownership(introduction=OURS)),
        (ADDRESS, Ownership(introduction=THEIRS)),
    ],
)
def test_a_peer_may_not_speak_of_what_belongs_to_others(event: Event, known: Ownership) -> None:
    with pytest.raises(Refused, match="not_theirs"):
        check_ownership(event, THEM, known)


SHOWN_TO_ALL = {BorderListingPublished, BorderListingWithdrawn, BorderResourceChanged, BorderBusyChanged}


@pytest.mark.parametrize("kind", ["hub", "member"])
@pytest.mark.parametrize("event", events_of("border").values())
def test_with_a_hub_itself_there_is_nothing_to_agree_on(event: type[Event], kind: str) -> None:
    said = event.model_construct()
    check_way(said, "behind")
    if event in SHOWN_TO_ALL:
        check_way(said, kind)
        return
    with pytest.raises(Refused, match="not_theirs"):
        check_way(said, kind)
    with pytest.raises(Refused, match="not_theirs"):
        check_way(said, "heard")
