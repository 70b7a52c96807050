"""Invitations, link states, keys and thumbprints."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.federation.documents import InvitationCode, KeySet, LinkEnding, PublicKey
from services.federation.domain import (
    CodeNotReadable,
    InvitationOver,
    NotNow,
    check_invitation_counts,
    decode_code,
    encode_code,
    name_to_compare,
    next_status,
)
from services.federation.keys import (
    KEY_SET_VALIDITY,
    Keys,
    NotGenuine,
    read_key_set,
    read_signed,
    thumbprint_for_people,
)
from tests.unit.federation.peers import LILLE, NAMUR, NOW, STRANGER, x_of

CODE = InvitationCode(a="https://lille.example", t=LILLE.instance_id, s="s" * 43, e=NOW)


def test_a_code_survives_a_mail_program() -> None:
    text = encode_code(CODE)
    wrapped = "  " + "\r\n ".join(text[start : start + 40] for start in range(0, len(text), 40)) + "\n"
    assert decode_code(wrapped) == CODE


@given(st.text(max_size=300))
def test_anything_else_is_said_to_be_unreadable(text: str) -> None:
    with pytest.raises(CodeNotReadable):
        decode_code(text)


def test_a_code_cut_short_is_said_to_be_unreadable() -> None:
    with pytest.raises(CodeNotReadable):
        decode_code(encode_code(CODE)[:-7])


def test_a_code_whose_end_names_no_time_zone_is_said_to_be_unreadable() -> None:
    with pytest.raises(CodeNotReadable):
        decode_code(encode_code(CODE.model_copy(update={"e": NOW.replace(tzinfo=None)})))


def counts(*, age: timedelta = timedelta(), revoked: bool = False, used_by: str | None = None) -> None:
    check_invitation_counts(
        expires_at=NOW + timedelta(hours=72) - age,
        revoked_at=NOW if revoked else None,
        used_by=used_by,
        peer_id="namur",
        now=NOW,
    )


def test_an_invitation_counts_once_for_72_hours_until_revoked() -> None:
    counts()
    counts(used_by="namur")  # its answer got lost, it asks again
    for over in ({"age": timedelta(hours=72)}, {"revoked": True}, {"used_by": "another"}):
        with pytest.raises(InvitationOver):
            counts(**over)  # pyright: ignore[reportArgumentType] - one keyword each


def test_links_go_from_state_to_state_and_no_other_way() -> None:
    assert next_status("to_confirm", "confirm") == "opening"
    assert next_status("awaiting_confirmation", "confirmed") == "opening"
    assert next_status("opening", "open") == "active"
    assert next_status("active", "pause") == "paused"
    assert next_status("paused", "resume") == "active"
    assert next_status("to_confirm", "end") == "ended"
    for state, act in (
        ("ended", "end"),
        ("ended", "resume"),
        ("awaiting_confirmation", "confirm"),
        ("to_confirm", "confirmed"),
        ("active", "confirm"),
        ("paused", "pause"),
    ):
        with pytest.raises(NotNow):
            next_status(state, act)  # pyright: ignore[reportArgumentType] - each is an act


def test_a_thumbprint_is_told_in_groups_of_digits_that_differ() -> None:
    told = thumbprint_for_people(LILLE.instance_id)
    assert re.fullmatch(r"(\d{5} ){11}\d{5}", told)
    assert told != thumbprint_for_people(NAMUR.instance_id)


def test_the_instance_id_is_the_rfc_7638_thumbprint_of_the_root_key() -> None:
    members = f'{{"crv":"Ed25519","kty":"OKP","x":"{x_of(LILLE.root)}"}}'
    digest = base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).decode().rstrip("=")
    assert digest == LILLE.instance_id


def test_a_key_set_is_read_when_its_root_is_the_one_expected() -> None:
    key_set = read_key_set(LILLE.key_set(NOW), LILLE.instance_id, NOW)
    assert [key.x for key in key_set.keys] == [x_of(LILLE.signing)]


def key_set(
    *, by: Keys = LILLE, root: Keys = LILLE, issued: datetime = NOW, valid: timedelta = KEY_SET_VALIDITY
) -> str:
    keys = [PublicKey(x=x_of(STRANGER.signing))]
    document = KeySet(
        root=PublicKey(x=x_of(root.root)), keys=keys, serial=1, issued_at=issued, expires_at=issued + valid
    )
    return by.sign(document)


@pytest.mark.parametrize(
    "text",
    [
        key_set(by=STRANGER),
        key_set(by=STRANGER, root=STRANGER),
        key_set(issued=NOW - timedelta(days=8)),
        key_set(issued=NOW + timedelta(days=1)),
        key_set(valid=timedelta(days=8)),
        "rubbish",
        "",
        "a.b.c",
    ],
)
def test_a_key_set_of_another_or_out_of_date_is_not_believed(text: str) -> None:
    with pytest.raises(NotGenuine):
        read_key_set(text, LILLE.instance_id, NOW)


def test_one_kind_of_document_is_not_taken_for_another() -> None:
    ending = LinkEnding(
        audience=NAMUR.instance_id, link_id=uuid4(), your_link_id=None, expires_at=datetime(2027, 1, 1, tzinfo=UTC)
    )
    text = LILLE.sign(ending)
    assert read_signed(text, LinkEnding, LILLE.root) == ending
    with pytest.raises(NotGenuine):
        read_signed(text, KeySet, LILLE.root)
    with pytest.raises(NotGenuine):
        read_signed(text, LinkEnding, STRANGER.root)


@pytest.mark.parametrize("name", ["NAMUR Libre", " Namur  libre\t", "Ｎａｍｕｒ libre", "Na\u200bmur\u00a0libre"])
def test_names_that_people_read_as_one_are_one(name: str) -> None:
    assert name_to_compare(name) == name_to_compare("Namur libre")
    assert name_to_compare(name) != name_to_compare("Namur")
