"""Addresses that a peer gave: checked in form, then in what they resolve to, before every use.

Nothing but host, port and percent-encoded credentials of a peer ever enters a URI that we build.
(Tried: `amqp:///victim` as a peer's URI read another vhost without a password.)
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from services.chassis.outgoing import AddressRefused, check_host, web_address

VHOST = r"^[a-z0-9-]{2,30}\.border$"
USER = r"^[a-z0-9-]{2,30}\.peer\.[0-9a-f-]{36}$"
PASSWORD = r"^[A-Za-z0-9_-]{32,100}$"  # noqa: S105 - a form, no password
QUEUE = r"^out\.[0-9a-f-]{36}$"
_PARAMETERS = "heartbeat=10&connection_timeout=5000"


def check_web_address(address: str, *, allow_private: bool) -> tuple[str, str, int]:
    """Scheme, host and port of a peer's address, which is nothing more than these. Raises AddressRefused."""
    parts = web_address(address, allow_plain=allow_private)
    if parts.target != "/":
        raise AddressRefused("the address must be https://host alone")
    return parts.scheme, parts.host, parts.port


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


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Files on our broker's machine: whom it trusts, and, where peers ask for that, who it is."""

    ca_file: str
    certificate: str | None = None
    key: str | None = None
    links: Path | None = None
    """A folder, the same for the broker-agent: `<link id>.pem` and `.key` are who we are towards that peer alone."""

    def for_link(self, link_id: UUID) -> "tuple[Trust, bool]":
        """What to show to the peer of our link `link_id`, and whether that alone lets us in (EXTERNAL)."""
        if self.links is None or not (self.links / f"{link_id}.pem").is_file():
            return self, False
        own = {"certificate": str(self.links / f"{link_id}.pem"), "key": str(self.links / f"{link_id}.key")}
        return replace(self, **own), True

    def parameters(self, host: str) -> str:
        """What a shovel's address says of them for the broker at `host`."""
        said = f"verify=verify_peer&cacertfile={quote(self.ca_file, safe='/')}&server_name_indication={host}"
        if self.certificate and self.key:
            said += f"&certfile={quote(self.certificate, safe='/')}&keyfile={quote(self.key, safe='/')}"
        return said


def amqp_uri(access: PeerQueue, *, trust: Trust, allow_plain: bool, external: bool = False) -> str:
    """The address of a peer's broker for our shovel, with fixed parameters. Raises AddressRefused.

    `external`: the certificate of `trust` says who we are, and no password crosses.
    """
    host = check_host(access.check().host)
    if not access.tls and not allow_plain:
        raise AddressRefused("the peer's broker does not speak TLS")
    bracketed = f"[{host}]" if ":" in host else host
    credentials = f"{quote(access.user, safe='')}:{quote(access.password, safe='')}"
    place = f"{credentials}@{bracketed}:{access.port}/{quote(access.vhost, safe='')}"
    if not access.tls:
        return f"amqp://{place}?{_PARAMETERS}"
    if external:
        place = place.removeprefix(f"{credentials}@")
        return f"amqps://{place}?auth_mechanism=external&{trust.parameters(host)}&{_PARAMETERS}"
    return f"amqps://{place}?{trust.parameters(host)}&{_PARAMETERS}"
