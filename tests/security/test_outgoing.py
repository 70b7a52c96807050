"""Whatever somebody gives as an address, nothing of our own house is called; and nobody calls past that one module."""

import ast
import ipaddress
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import outgoing
from services.chassis.outgoing import AddressRefused, is_public, resolve, web_address

ROOT = Path(__file__).resolve().parents[2]
INSIDE = {
    "services/chassis/auth.py",  # identity's key set
    "services/chassis/management.py",  # our own broker
    "services/portal/client.py",  # our own services
    "services/chassis/outgoing.py",
}
CALLS = {
    "AsyncClient",
    "Client",
    "AsyncHTTPTransport",
    "HTTPTransport",
    "urlopen",
    "open_connection",
    "create_connection",
}
PRIVATE = [ipaddress.ip_network(network) for network in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "224.0.0.0/4", "240.0.0.0/4", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)]  # fmt: skip
DISGUISES = ["::{}", "::ffff:{}", "::ffff:0:{}", "64:ff9b::{}", "64:ff9b:1::{}", "2002:{hex}::", "2001:0:{hex}::"]


def within(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> st.SearchStrategy[str]:
    first, last = int(network.network_address), int(network.broadcast_address)
    return st.integers(first, last).map(lambda number: str(type(network.network_address)(number)))


private = st.sampled_from(PRIVATE).flatmap(within)
ipv4 = st.ip_addresses(v=4).map(str)


def test_only_our_own_house_is_called_without_that_module() -> None:
    callers: set[str] = set()
    for path in (ROOT / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in CALLS:
                    callers.add(path.relative_to(ROOT).as_posix())
    assert callers == INSIDE


@given(private)
def test_no_address_of_a_private_network_is_public(address: str) -> None:
    assert not is_public(address)


@given(ipv4, st.sampled_from(DISGUISES))
def test_no_ipv4_address_gets_in_disguised_as_ipv6(address: str, form: str) -> None:
    number = f"{int(ipaddress.ip_address(address)):08x}"
    written = form.format(address, hex=f"{number[:4]}:{number[4:]}")
    assert not is_public(written)


@given(private, st.integers(0, 65535), st.text(max_size=20))
async def test_a_name_that_leads_inside_is_refused_whatever_else_it_leads_to(host: str, port: int, zone: str) -> None:
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("9.9.9.9", port))]
    with pytest.MonkeyPatch.context() as patch:
        answers = [*public, (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (host, port)), *public]

        async def found(*_args: Any, **_kwargs: Any) -> list[Any]:
            return answers

        patch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", found)
        with pytest.raises(AddressRefused):
            await resolve("lille.example", port, allow_private=False)


async def test_the_connection_goes_to_what_was_checked_and_not_to_what_the_name_says_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: the second answer leads inside. There is no second question."""
    asked: list[str] = []

    async def once(_loop: object, host: str, *_args: Any, **_kwargs: Any) -> list[Any]:
        asked.append(host)
        address = "9.9.9.9" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]

    called: list[str] = []

    async def send(_client: object, request: Any, **_kwargs: Any) -> Any:
        called.append(request.url.host)
        raise outgoing.httpx.ConnectError("no further")

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", once)
    monkeypatch.setattr(outgoing.httpx.AsyncClient, "send", send)
    limits = outgoing.Limits(idle_seconds=1, answer_seconds=1, largest=10)
    address = web_address("https://lille.example/", allow_plain=False)
    with pytest.raises(outgoing.Unreachable):
        await outgoing.call("GET", address, allow_private=False, limits=limits, headers={})
    assert (asked, called) == (["lille.example"], ["9.9.9.9"])


@given(
    st.sampled_from(["http", "ftp", "gopher", "file", "amqp", "dict", "HTTPS ", "javascript", ""]),
    st.sampled_from(["lille.example", "127.0.0.1", "[::1]"]),
    st.sampled_from(["", "/", "//x", "?a", "/../.."]),
)
def test_only_https_is_called(scheme: str, host: str, rest: str) -> None:
    with pytest.raises(AddressRefused):
        web_address(f"{scheme}://{host}{rest}", allow_plain=False)


@given(
    st.text(alphabet="@:\\\t\r\n #%/?[]lé0.", min_size=1, max_size=12),
    st.sampled_from(["https://{}lille.example/", "https://lille.example{}", "https://lille{}.example/x"]),
)
def test_a_strange_address_is_refused_or_means_what_it_shows(odd: str, form: str) -> None:
    """No userinfo, no other host than a browser would show, nothing that splits a request."""
    written = form.format(odd)
    try:
        parts = web_address(written, allow_plain=False)
    except AddressRefused:
        return
    assert parts.scheme == "https"
    assert "@" not in parts.host
    assert 0 < parts.port < 65536
    assert parts.host in written.lower()
    assert not set("\r\n\t \\") & set(parts.host + parts.target)
