"""Calls to other cooperatives' servers. The address is checked in form, resolved, checked again, and then pinned."""

import asyncio
from typing import Protocol

import httpx

from services.federation.addresses import check_web_address, resolve
from services.federation.documents import LARGEST_DOCUMENT

TIMEOUT_SECONDS = 10.0
ANSWER_SECONDS = 20.0
"""For the whole call: a peer that sends a byte now and then must not hold up what we owe to others."""


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
        ip = await resolve(host, port, allow_private=self._allow_private)
        # connect to what was checked, not to what the name resolves to a moment later
        url = httpx.URL(scheme=scheme, host=ip, port=port, path=path)
        request = httpx.Request(
            method,
            url,
            content=document,
            headers={
                "host": f"{host}:{port}",
                "accept": "application/jose, text/plain",
                "content-type": "application/jose",
            },
            extensions={"sni_hostname": host, "timeout": httpx.Timeout(TIMEOUT_SECONDS).as_dict()},
        )
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                httpx.AsyncClient(trust_env=False, follow_redirects=False) as client,
            ):
                return await _bounded(await client.send(request, stream=True))
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise PeerUnreachable(type(error).__name__) from error


async def _bounded(answer: httpx.Response) -> str:
    if answer.status_code not in {200, 201, 202}:
        await answer.aclose()
        raise PeerRefused(answer.status_code)
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > LARGEST_DOCUMENT:
            await answer.aclose()
            raise PeerUnreachable("its answer is too large")
    return body.decode("utf-8")
