"""No address of a peer leads into our own house, and no field of one changes the URI around it."""

from typing import Any
from uuid import uuid4

import pytest

from services.chassis.outgoing import AddressRefused, check_host
from services.federation.addresses import PeerQueue, Trust, amqp_uri, check_web_address

LINK = uuid4()
FIELDS: dict[str, Any] = {
    "host": "broker.namur.example",
    "port": 5671,
    "tls": True,
    "vhost": "namur.border",
    "user": f"namur.peer.{LINK}",
    "password": "p" * 43,
    "queue": f"out.{LINK}",
}


def uri(*, allow_plain: bool = False, **changes: Any) -> str:
    return amqp_uri(PeerQueue(**(FIELDS | changes)), trust=Trust(ca_file="/etc/ssl/ca.crt"), allow_plain=allow_plain)


def test_the_uri_is_ours_around_checked_fields() -> None:
    assert uri() == (
        f"amqps://namur.peer.{LINK}:{'p' * 43}@broker.namur.example:5671/namur.border?verify=verify_peer"
        "&cacertfile=/etc/ssl/ca.crt&server_name_indication=broker.namur.example&heartbeat=10&connection_timeout=5000"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"host": ""},
        {"host": "/victim"},
        {"host": "a@b"},
        {"host": "host?x=1"},
        {"host": "exa mple.org"},
        {"host": "-a.example"},
        {"host": "127.1"},
        {"host": "0x7f000001.1"},
        {"host": "a" * 64 + ".example"},
        {"port": 0},
        {"port": 70000},
        {"vhost": "victim"},
        {"vhost": ".*.border"},
        {"vhost": "a/b.border"},
        {"user": ".*"},
        {"user": "namur.peer.x:y@z"},
        {"user": "namur.federation"},
        {"password": "short"},
        {"password": "p@" * 20},
        {"queue": ".*"},
        {"queue": "inbound." + str(LINK)},
        {"queue": f"out.{LINK}\n"},
        {"tls": False},
    ],
)
def test_a_field_out_of_form_makes_no_uri(changes: dict[str, Any]) -> None:
    with pytest.raises(AddressRefused):
        uri(**changes)


def test_plain_amqp_is_for_private_networks_that_the_operator_allows() -> None:
    assert uri(tls=False, allow_plain=True).startswith("amqp://")


@pytest.mark.parametrize(
    "address",
    [
        "http://lille.example",
        "ftp://lille.example",
        "https://user:pass@lille.example",
        "https://lille.example/path",
        "https://lille.example?x=1",
        "https://lille.example#x",
        "https://",
        "https://lille.example:99999",
        "https://lille .example",
        "javascript:alert(1)",
        "",
    ],
)
def test_a_web_address_is_https_host_and_port_alone(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_web_address(address, allow_private=False)


def test_a_good_web_address_comes_apart() -> None:
    assert check_web_address("https://Lille.example/", allow_private=False) == ("https", "lille.example", 443)
    assert check_web_address("http://127.0.0.1:8001", allow_private=True) == ("http", "127.0.0.1", 8001)


def test_ipv6_literals_are_bracketed() -> None:
    assert check_host("2620:FE::FE") == "2620:fe::fe"
    assert "@[2620:fe::fe]:5671/" in uri(host="2620:fe::fe")
