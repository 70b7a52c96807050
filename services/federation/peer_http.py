"""Calls to other cooperatives' servers. The address is checked in form, resolved, checked again, and then pinned."""

from typing import Protocol

from services.chassis import outgoing
from services.chassis.outgoing import Limits, WebAddress
from services.federation.addresses import check_web_address
from services.federation.documents import LARGEST_DOCUMENT

TIMEOUT_SECONDS = 10.0
ANSWER_SECONDS = 20.0
"""For the whole call: a peer that sends a byte now and then must not hold up what we owe to others."""
_UNDERSTOOD = (200, 201, 202)
_HEADERS = {"accept": "application/jose, text/plain", "content-type": "application/jose"}


class PeerUnreachable(Exception):
    """No usable answer. The text says why, in a few words."""


class PeerRefused(PeerUnreachable):
    """The peer answered and said no. `status`: its HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class Peers(Protocol):
    """How to call a peer. Two implementations: `PeerHttp`, and the tests' direct line between two applications."""

    async def get(self, address: str, path: str) -> str: ...

    async def post(self, address: str, path: str, document: str) -> str: ...


class PeerHttp:
    """Calls with time and size limits, no redirects, no proxies, no cookies.

    `allow_private`: private addresses and plain HTTP are fine (the demo).
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    async def get(self, address: str, path: str) -> str:
        """The body of `path` at a peer's `address`. Raises AddressRefused, PeerUnreachable, PeerRefused."""
        return await self._call("GET", address, path, None)

    async def post(self, address: str, path: str, document: str) -> str:
        """The same for a signed document that is handed in."""
        return await self._call("POST", address, path, document)

    async def _call(self, method: str, address: str, path: str, document: str | None) -> str:
        scheme, host, port = check_web_address(address, allow_private=self._allow_private)
        try:
            answer = await outgoing.call(
                method,
                WebAddress(scheme=scheme, host=host, port=port, target=path),
                allow_private=self._allow_private,
                limits=Limits(idle_seconds=TIMEOUT_SECONDS, answer_seconds=ANSWER_SECONDS, largest=LARGEST_DOCUMENT),
                headers=_HEADERS,
                content=document,
            )
            body = answer.body.decode("utf-8")
        except outgoing.Unreachable as error:
            raise PeerUnreachable(str(error)) from error
        except UnicodeError as error:
            raise PeerUnreachable(type(error).__name__) from error
        if answer.status not in _UNDERSTOOD:
            raise PeerRefused(answer.status)
        return body
