"""Addresses from outside lead nowhere inside, and answers end in time and size."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from services.chassis.outgoing import (
    AddressRefused,
    Limits,
    TooLarge,
    Unreachable,
    call,
    is_public,
    resolve,
    web_address,
)

LIMITS = Limits(idle_seconds=2, answer_seconds=1, largest=1000)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.7", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:8.8.8.8", "2002:7f00:1::", "64:ff9b::7f00:1",
    ],
)  # fmt: skip
def test_private_addresses_are_known_in_every_disguise(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["9.9.9.9", "2620:fe::fe"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
async def test_what_resolves_to_ourselves_is_refused_unless_allowed(host: str) -> None:
    with pytest.raises(AddressRefused):
        await resolve(host, 443, allow_private=False)
    assert await resolve(host, 443, allow_private=True)


@pytest.mark.parametrize(
    "address",
    [
        "http://lille.example/x.ics", "https://a:b@lille.example/x", "https://lille.example/#x", "file:///etc/passwd",
        "https://", "https:///x", "https://lille.example:99999/", "https://lille .example/", "https://127.1/x",
        "https://0x7f.1/", "https://lille.example/\r\nHost: x", "https://lille.example/é", "javascript:alert(1)", "",
    ],
)  # fmt: skip
def test_an_address_is_https_without_a_password(address: str) -> None:
    with pytest.raises(AddressRefused):
        web_address(address, allow_plain=False)


def test_a_good_address_comes_apart() -> None:
    parts = web_address("https://Lille.example/a%20b.ics?key=1&x", allow_plain=False)
    assert (parts.host, parts.port, parts.target) == ("lille.example", 443, "/a%20b.ics?key=1&x")
    assert parts.host_header == "lille.example"
    plain = web_address("http://[::1]:8080", allow_plain=True)
    assert (plain.target, plain.host_header) == ("/", "[::1]:8080")


@asynccontextmanager
async def server(*pieces: bytes, pause: float = 0) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """A server that says `pieces`; the address and what it was asked."""
    asked: list[bytes] = []
    saying: list[asyncio.Task[object] | None] = []

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        saying.append(asyncio.current_task())
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        except ConnectionError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(say, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/c.ics?k=1", asked
        tasks = [task for task in saying if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # the loop closes the connections: left open, they would be a later test's warning


async def get(address: str, *, allow_private: bool = True) -> tuple[int, bytes]:
    parts = web_address(address, allow_plain=True)
    answer = await call("GET", parts, allow_private=allow_private, limits=LIMITS, headers={"accept": "text/calendar"})
    return answer.status, answer.body


async def test_an_answer_comes_back() -> None:
    async with server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi") as (address, asked):
        assert await get(address) == (200, b"hi")
    assert asked[0].startswith(b"GET /c.ics?k=1 HTTP/1.1\r\n")
    assert b"accept: text/calendar" in asked[0].lower()
    assert b"cookie" not in asked[0].lower()


async def test_nobody_is_called_inside() -> None:
    async with server(b"HTTP/1.1 200 OK\r\n\r\n") as (address, asked):
        with pytest.raises(AddressRefused):
            await get(address, allow_private=False)
        with pytest.raises(AddressRefused):
            await get(address.replace("127.0.0.1", "localhost"), allow_private=False)
    assert asked == []


async def test_a_redirect_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
    async with server(moved) as (address, _):
        assert await get(address) == (302, b"")


@pytest.mark.parametrize("length", [b"content-length: 5000", b"transfer-encoding: chunked"])
async def test_a_large_answer_is_left(length: bytes) -> None:
    body = b"x" * 5000 if b"length" in length else b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n"
    async with server(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n", body) as (address, _):
        with pytest.raises(TooLarge):
            await get(address)


async def test_a_compressed_answer_is_not_unpacked() -> None:
    async with server(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nhi") as (address, _):
        with pytest.raises(Unreachable, match="compressed"):
            await get(address)


async def test_an_answer_drop_by_drop_is_left() -> None:
    drops = [b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", *[b"x"] * 100]
    async with server(*drops, pause=0.05) as (address, _), asyncio.timeout(5):
        with pytest.raises(Unreachable, match="TimeoutError"):
            await get(address)


async def test_nobody_there_is_said_in_a_word() -> None:
    with pytest.raises(Unreachable, match="ConnectError"):
        await get("http://127.0.0.1:1/")
