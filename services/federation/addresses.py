"""Addresses that a peer gave: checked in form, then in what they resolve to, before every use.

Nothing but host, port and percent-encoded credentials of a peer ever enters a URI that we build.
(Tried: `amqp:///victim` as a peer's URI read another vhost without a password.)
"""

import asyncio
import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

VHOST = r"^[a-z0-9-]{2,30}\.border$"
USER = r"^[a-z0-9-]{2,30}\.peer\.[0-9a-f-]{36}$"
PASSWORD = r"^[A-Za-z0-9_-]{32,100}$"  # noqa: S105 - a form, no password
QUEUE = r"^out\.[0-9a-f-]{36}$"
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_PARAMETERS = "heartbeat=10&connection_timeout=5000"


class AddressRefused(ValueError):
    """An address that we do not connect to. Says why."""


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


def check_web_address(address: str, *, allow_private: bool) -> tuple[str, str, int]:
    """Scheme, host and port of a peer's address, which is nothing more than these. Raises AddressRefused."""
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise AddressRefused("not an address") from error
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise AddressRefused("the address must begin with https://")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise AddressRefused("the address must be https://host alone")
    if parts.path not in {"", "/"}:
        raise AddressRefused("the address must be https://host alone")
    return parts.scheme, check_host(host), port or (443 if parts.scheme == "https" else 80)


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
        if inner is not None or ip.teredo is not None or ip in _NAT64:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, kw_only=True)
class PeerQueue:
    """The fields with which we may read what a peer has to say to us."""

    host: str
    port: int
    tls: bool
    vhost: str
    user: str
    password: str
    queue: str

    def check(self) -> "PeerQueue":
        """Itself, when every field has its form. Raises AddressRefused."""
        check_host(self.host)
        forms = ((VHOST, self.vhost), (USER, self.user), (PASSWORD, self.password), (QUEUE, self.queue))
        if not all(re.fullmatch(form, value) for form, value in forms) or self.port not in range(1, 65536):
            raise AddressRefused("the fields of the peer's queue have another form")
        return self


def amqp_uri(access: PeerQueue, *, ca_file: str, allow_plain: bool) -> str:
    """The address of a peer's broker for our shovel, with fixed parameters. Raises AddressRefused."""
    host = check_host(access.check().host)
    if not access.tls and not allow_plain:
        raise AddressRefused("the peer's broker does not speak TLS")
    bracketed = f"[{host}]" if ":" in host else host
    credentials = f"{quote(access.user, safe='')}:{quote(access.password, safe='')}"
    place = f"{credentials}@{bracketed}:{access.port}/{quote(access.vhost, safe='')}"
    if not access.tls:
        return f"amqp://{place}?{_PARAMETERS}"
    checks = f"verify=verify_peer&cacertfile={quote(ca_file, safe='/')}&server_name_indication={host}"
    return f"amqps://{place}?{checks}&{_PARAMETERS}"
