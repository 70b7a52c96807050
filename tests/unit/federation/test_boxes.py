"""A box is of one kind only; what is made to trip its reader is refused like any other rubbish."""

import base64
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from contracts.booking import Partly
from contracts.border import BorderBusyChanged
from contracts.shared import SharedBusy
from services.booking.commands.telling import MOST_INTERVALS
from services.chassis.ids import new_id
from services.chassis.outbox import LARGEST_EVENT
from services.federation import boxes
from services.federation.keys import NotGenuine
from services.federation.sealed import content_of, seal
from tests.unit.federation.peers import NAMUR, STRANGER, x_of


def closed(**header: Any) -> bytes:
    """A box for Namur with parts of its header replaced."""
    head, _, rest = boxes.close(b"dedans", NAMUR.instance_id, x_of(NAMUR.box)).decode().partition(".")
    fields = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))) | header
    return f"{base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip('=')}.{rest}".encode()


def test_what_is_for_namur_only_namur_can_open() -> None:
    body = boxes.close(b"dedans", NAMUR.instance_id, x_of(NAMUR.box))
    assert boxes.recipient_of(body) == NAMUR.instance_id
    assert boxes.opened(body, NAMUR) == b"dedans"
    with pytest.raises(NotGenuine):
        boxes.opened(body, STRANGER)


def test_the_longest_list_of_busy_times_is_an_event_and_goes_into_a_box() -> None:
    begin, hour = datetime(2026, 11, 27, 8, tzinfo=UTC), timedelta(hours=1)
    times = [begin + hour * number for number in range(MOST_INTERVALS + 1)]
    partly = tuple(Partly(start=start, end=end, taken=100) for start, end in pairwise(times))
    busy = SharedBusy(offer_id=new_id(), since=begin, until=times[-1], busy=[], partly=partly, version=2_000_000_000)
    place: dict[str, Any] = {"stream": new_id(), "epoch": 30_000_000, "seq": 10**9, "now": begin}
    said = content_of(BorderBusyChanged(busy=busy), event_id=new_id(), audience=NAMUR.instance_id, **place)
    body = seal(said.model_dump_json(), STRANGER)
    assert len(body) <= LARGEST_EVENT
    closed_body = boxes.close(body, NAMUR.instance_id, x_of(NAMUR.box))
    assert LARGEST_EVENT < len(closed_body) <= boxes.LARGEST_BOX
    assert boxes.opened(closed_body, NAMUR) == body


P_256 = {
    "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}  # fmt: skip


@pytest.mark.parametrize(
    "epk",
    [P_256, {"kty": "OKP", "crv": "Ed25519", "x": x_of(STRANGER.signing)}, {"kty": "oct", "k": "AA"}, {}, 7, None],
)
def test_a_box_closed_with_a_key_of_another_kind_is_none(epk: object) -> None:
    assert boxes.recipient_of(closed(epk=epk)) is None
    with pytest.raises(NotGenuine):
        boxes.opened(closed(epk=epk), NAMUR)


@pytest.mark.parametrize(
    "header",
    [
        {"epk": {"kty": "OKP", "crv": "X25519", "x": ""}},
        {"epk": {"kty": "OKP", "crv": "X25519", "x": "AAAA"}},
        {"epk": {"kty": "OKP", "crv": "X25519", "x": base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")}},
        {"epk": {"kty": "OKP", "crv": "X25519", "x": "é" * 43}},
        {"epk": {"kty": "OKP", "crv": "X25519", "x": x_of(STRANGER.box), "key_ops": ["sign"], "use": "sig"}},
        {"epk": {"kty": "OKP", "crv": "X25519", "x": x_of(STRANGER.box), "d": "AAAA"}},
        {"alg": "dir"}, {"alg": ["ECDH-ES"]}, {"enc": {}}, {"zip": "DEF"}, {"apu": "é"}, {"crit": ["epk"]}, {"crit": 5},
    ],
)  # fmt: skip
def test_whatever_is_wrong_with_a_box_its_reader_only_finds_it_not_genuine(header: dict[str, Any]) -> None:
    with pytest.raises(NotGenuine):
        boxes.opened(closed(**header), NAMUR)
