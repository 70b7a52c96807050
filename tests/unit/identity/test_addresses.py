"""E-mail addresses and networks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.problems import InvalidFields
from services.identity.domain.addresses import email_address
from services.identity.limits import network_of


@pytest.mark.parametrize(
    ("written", "text", "key"),
    [
        ("claire@opteos.example", "claire@opteos.example", "claire@opteos.example"),
        ("  Claire.D+test@OPTEOS.Example ", "Claire.D+test@opteos.example", "claire.d+test@opteos.example"),
        ("jo@coopérative.example", "jo@xn--cooprative-e7a.example", "jo@xn--cooprative-e7a.example"),
        ("o'brien@a-b.co.uk", "o'brien@a-b.co.uk", "o'brien@a-b.co.uk"),
    ],
)
def test_address_is_kept_as_written_and_compared_folded(written: str, text: str, key: str) -> None:
    address = email_address(written)
    assert (address.text, address.key) == (text, key)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "claire",
        "@opteos.example",
        "claire@",
        "claire@localhost",
        "claire@opteos..example",
        "claire@.example",
        "claire@-a.example",
        ".claire@opteos.example",
        "claire.@opteos.example",
        "cla..ire@opteos.example",
        "cla ire@opteos.example",
        "claire@opteos.example\nBcc: all@opteos.example",
        "Claire <claire@opteos.example>",
        "claire@127.0.0.1",
        "a" * 65 + "@opteos.example",
        "claire@" + "a" * 64 + ".example",
        "claire@" + ".".join(["abcdefghi"] * 26),
        "claire@opteos.example\x00",
    ],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        email_address(written, field="contact_email")
    assert refused.value.errors[0].field == "contact_email"


@given(st.text(max_size=300))
def test_whatever_is_accepted_is_one_line_and_is_accepted_again(written: str) -> None:
    try:
        address = email_address(written)
    except InvalidFields:
        return
    assert address.text.isprintable()
    assert address.text.isascii()
    assert email_address(address.text) == address


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_one_subscriber_is_one_network(address: str, network: str) -> None:
    assert network_of(address) == network
