"""Calls to addresses that somebody else gave us: none leads into our own house, none takes for ever, none fills memory.

An address is checked in form, resolved, checked again, and the connection is made to what was checked: not to what the
name resolves to a moment later. No redirects, no proxies, no cookies, no compressed answers.
Source: OWASP's cheat sheet on server-side request forgery.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_DEFAULT_PORTS = {"https": 443, "http": 80}


class AddressRefused(ValueError):
    """An address that we do not connect to. Says why, without the address."""


class Unreachable(Exception):
    """No usable answer. The text says why, in a few words."""


class TooLarge(Unreachable):
    """The answer is larger than we read."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`idle_seconds`: for connecting and between two pieces; `answer_seconds`: for the whole call; `largest`: bytes."""

    idle_seconds: float
    answer_seconds: float
    largest: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. `body` is empty unless the status is one of success (2xx)."""

    status: int
    headers: httpx.Headers
    body: bytes


@dataclass(frozen=True, kw_only=True)
class WebAddress:
    """An address in its parts: `host` in lower case, `target` the path with its query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def host_header(self) -> str:
        """What the Host header says."""
        bracketed = f"[{self.host}]" if ":" in self.host else self.host
        return bracketed if self.port == _DEFAULT_PORTS[self.scheme] else f"{bracketed}:{self.port}"


def check_host(host: str) -> str:
    """`host` in lower case when it is a DNS name or an IP address. Raises AddressRefused."""
    host = host.lower()
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not _NAME.fullmatch(host) or host.rpartition(".")[2].isdigit():
        raise AddressRefused("not a host name")
    return host


def web_address(address: str, *, allow_plain: bool) -> WebAddress:
    """The parts of an https address (http where `allow_plain`), without credentials. Raises AddressRefused."""
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise AddressRefused("not an address") from error
    if parts.scheme != "https" and not (allow_plain and parts.scheme == "http"):
        raise AddressRefused("the address must begin with https://")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressRefused("an address has no password and no fragment in it")
    if not all(one.isascii() and one.isprintable() and one not in " \\" for one in address):
        raise AddressRefused("not an address")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebAddress(
        scheme=parts.scheme, host=check_host(host), port=port or _DEFAULT_PORTS[parts.scheme], target=target
    )


async def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """An IP address behind `host`. Raises AddressRefused when one of them is private, unless these are allowed."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"{host} does not resolve") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses:
        raise AddressRefused(f"{host} does not resolve")
    if not allow_private and not all(map(is_public, addresses)):
        raise AddressRefused(f"{host} is a private address")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether the IP `address` is one of the public internet: not private, loopback, link-local, multicast, mapped."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is not None or ip.teredo is not None or ip in _NAT64 or ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


async def call(
    method: str,
    address: WebAddress,
    *,
    allow_private: bool,
    limits: Limits,
    headers: Mapping[str, str],
    content: str | None = None,
) -> Answer:
    """Call `address`. A redirect is an answer like any other: it is not followed.

    Raises AddressRefused, Unreachable (TooLarge).
    """
    try:
        async with asyncio.timeout(limits.answer_seconds):
            ip = await resolve(address.host, address.port, allow_private=allow_private)
            request = httpx.Request(
                method,
                httpx.URL(scheme=address.scheme, host=ip, port=address.port, raw_path=address.target.encode()),
                content=content,
                headers={**headers, "host": address.host_header, "accept-encoding": "identity"},
                extensions={
                    "sni_hostname": address.host,
                    "timeout": httpx.Timeout(limits.idle_seconds).as_dict(),
                },
            )
            async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
                return await _bounded(await client.send(request, stream=True), limits.largest)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise Unreachable(type(error).__name__) from error


async def _bounded(answer: httpx.Response, largest: int) -> Answer:
    body = bytearray()
    try:
        if answer.is_success:
            if answer.headers.get("content-encoding", "identity").lower() != "identity":
                raise Unreachable("its answer is compressed, which nobody asked for")
            async for part in answer.aiter_raw():
                body += part
                if len(body) > largest:
                    raise TooLarge("its answer is too large")
    finally:
        await answer.aclose()
    return Answer(status=answer.status_code, headers=answer.headers, body=bytes(body))
