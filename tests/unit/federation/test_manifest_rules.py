"""Digests of a manifest, revocation from a place in a stream on, and fields that a peer does not get."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.federation.copies import Line, digest_of, epoch_inside
from services.federation.gate import PeerKey
from services.federation.shareable import FREE_FIELDS, for_peer, shared_listing
from tests.services.federation.pair import listing
from tests.unit.federation.peers import LILLE, new_keys, x_of

lines = st.lists(st.tuples(st.uuids(), *[st.integers(0, 10**9)] * 3), max_size=8)


@given(lines, lines)
def test_digests_are_equal_only_for_equal_lines(ours: Sequence[Line], theirs: Sequence[Line]) -> None:
    assert (digest_of(ours) == digest_of(theirs)) == (list(ours) == list(theirs))


def test_a_digest_never_changes() -> None:
    assert digest_of([]).startswith("e3b0c44298fc1c14")
    assert digest_of([(UUID(int=7), 1, 2, 3)]).startswith("ee288f11fd0f885d")


@pytest.mark.parametrize(
    ("epoch", "seq", "counts"), [(2, 9, True), (2, 10, False), (2, 11, False), (1, 99, True), (3, 1, False)]
)
def test_a_revoked_key_counts_before_a_place_in_the_stream(epoch: int, seq: int, counts: bool) -> None:  # noqa: FBT001
    assert PeerKey(x_of(LILLE.signing), revoked_from=10, revoked_epoch=2).counts_for(epoch, seq) is counts


@given(st.integers(1, 10**9), st.integers(0, 999_999), st.integers(1, 10**9), st.integers(0, 999_999))
def test_epochs_come_before_generations(epoch: int, generation: int, other: int, another: int) -> None:
    mine, theirs = epoch_inside(epoch, generation), epoch_inside(other, another)
    assert (mine < theirs) == ((epoch, generation) < (other, another))
    assert 0 < mine < 2**63


@pytest.mark.parametrize("withheld", FREE_FIELDS)
def test_a_withheld_field_is_not_in_what_a_peer_gets(withheld: str) -> None:
    form = shared_listing(listing(valid_until=listing().changed_at))
    whole, less = for_peer(form, ()), for_peer(form, [withheld])
    assert whole == form
    names = {"text": "text", "place": "place", "dates": "valid_until"}
    assert getattr(whole, names[withheld])
    assert not getattr(less, names[withheld])
    assert less.title == form.title


def test_keys_know_each_other_and_one_of_them_signs() -> None:
    keys, later = new_keys(), new_keys().signing
    both = type(keys)(keys.root, keys.signing, (later,))
    turned = both.signing_with(later.thumbprint())
    assert turned.signing_kid == later.thumbprint()
    assert turned.known(keys.signing_kid) is not None
    assert turned.known("x") is None
    with pytest.raises(KeyError):
        both.signing_with("x")
