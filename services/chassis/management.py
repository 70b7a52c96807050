"""RabbitMQ's management API: what provisioning and the broker-agent make and remove on the broker."""

import asyncio
import json
from typing import Any, Self
from urllib.parse import quote

import httpx

_MISSING = 404
_STUMBLED, _PAUSES = 500, (0.1, 0.3, 1.0)
"""A list that is read while somebody removes one of what it lists ends so (`GET /api/users`): it is read again."""
_LONGEST_ANSWER = 300


class BrokerRefused(Exception):
    """The management API did not do what was asked, or does not answer: the text says what."""


class Management:
    """RabbitMQ's management API. `url`: http(s)://user:password@host:port of an administrator; `seconds`: patience."""

    def __init__(self, url: str, *, seconds: float = 60) -> None:
        parts = httpx.URL(url)
        self.user = parts.username
        self._http = httpx.AsyncClient(
            base_url=parts.copy_with(username=None, password=None, path="/api/"),
            auth=(parts.username, parts.password),
            timeout=seconds,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def call(self, method: str, *path: str, body: object = None, seconds: float | None = None) -> Any:
        """The decoded answer; None when it is empty, or when what is read or deleted is not there.

        Parts of the path are escaped here. `seconds`: patience of this call alone. Raises BrokerRefused.
        """
        address = "/".join(quote(part, safe="") for part in path)
        patience = httpx.USE_CLIENT_DEFAULT if seconds is None else seconds
        try:
            answer = await self._http.request(method, address, json=body, timeout=patience)
            for pause in _PAUSES:
                if method != "GET" or answer.status_code != _STUMBLED:
                    break
                await asyncio.sleep(pause)
                answer = await self._http.request(method, address, timeout=patience)
        except httpx.HTTPError as error:
            raise BrokerRefused(f"the broker's management API does not answer: {error!r}") from error
        if answer.status_code == _MISSING and method in {"GET", "DELETE"}:
            return None
        if answer.is_error:
            raise BrokerRefused(f"{method} /api/{address}: {answer.status_code} {answer.text[:_LONGEST_ANSWER]}")
        return json.loads(answer.content) if answer.content else None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
