"""Calls to the services: one shared HTTP client, and refusals as exceptions that a page can show."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from services.chassis import logs, tracing
from services.chassis.settings import ServiceSettings

log = logs.get(__name__)

Json = dict[str, Any]
_UNREACHABLE = (httpx.TransportError, httpx.InvalidURL)
_CUT = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
_REPEATABLE = {"GET", "PUT", "DELETE"}
_MOST_CALLS = 100
_IDLE_SECONDS = 2  # less than the 5 s after which uvicorn closes an idle connection, perhaps under our next request


@dataclass(eq=False)
class Refusal(Exception):
    """A service said no. `detail` is its sentence in the reader's language; `errors` are sentences by field."""

    status: int
    slug: str = "unknown"
    detail: str = ""
    errors: dict[str, str] = field(default_factory=dict[str, str])
    values: Json = field(default_factory=dict[str, Any])

    @property
    def retry_after(self) -> str | None:
        """Seconds after which the same may be tried again, for the header of that name."""
        seconds = self.values.get("retry_after_seconds")
        return None if seconds is None else str(seconds)


@dataclass(eq=False)
class PartMissing(Refusal):
    """A service does not answer."""

    service: str = ""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """On whose behalf a call is made: the member's `token` (None for a visitor), language and network address."""

    token: str | None = None
    language: str = "fr"
    address: str = ""

    def headers(self) -> dict[str, str]:
        """The headers that carry it."""
        headers = {"accept-language": self.language}
        if self.address:
            headers["x-client-address"] = self.address
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        if traceparent := tracing.current():
            headers["traceparent"] = traceparent
        return headers


class Services:
    """The APIs behind the pages.

    `http` is for calls; what stays open as long as a browser wants goes over `streams`, so that any number of people
    who follow their messages leaves connections for the pages.
    """

    def __init__(
        self, settings: ServiceSettings, *, answer_seconds: float = 8, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self.http = httpx.AsyncClient(
            transport=transport or _transport(most=_MOST_CALLS),
            timeout=httpx.Timeout(answer_seconds, connect=2),
            trust_env=False,
        )
        self.streams = httpx.AsyncClient(
            transport=transport or _transport(most=None), timeout=httpx.Timeout(None, connect=3), trust_env=False
        )

    def url(self, service: str, path: str) -> str:
        """The address of `path` ("/listings") in the API of `service`; what an id may hold stays in the path."""
        return self._settings.url_of(service) + quote(path, safe="/%:@!$&'()*+,;=~")

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        *,
        caller: Caller,
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> Any:
        """The JSON that the service answers (None: nothing). `body` goes to httpx (`json`, `params`, `files`).

        Raises Refusal with what the service said, PartMissing when it says nothing.
        """
        sent = {**caller.headers(), **(headers or {})}
        try:
            answer = await self._send(method, self.url(service, path), headers=sent, **body)
        except _UNREACHABLE as error:
            log.warning("part-missing", part=service, method=method, path=path, error=repr(error))
            raise PartMissing(503, "unavailable", service=service) from error
        if answer.is_success:
            return answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else None
        raise _refusal(service, answer)

    async def _send(self, method: str, url: str, *, headers: dict[str, str], **body: Any) -> httpx.Response:
        """Send it; once more when the connection was cut and doing it twice does no harm."""
        try:
            return await self.http.request(method, url, headers=headers, **body)
        except _CUT:
            if method not in _REPEATABLE and "idempotency-key" not in headers:
                raise
            return await self.http.request(method, url, headers=headers, **body)

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()
        await self.streams.aclose()


def _transport(*, most: int | None) -> httpx.AsyncHTTPTransport:
    """`most` connections at a time; None: as many as are asked for."""
    limits = httpx.Limits(max_connections=most, max_keepalive_connections=_MOST_CALLS, keepalive_expiry=_IDLE_SECONDS)
    return httpx.AsyncHTTPTransport(retries=1, limits=limits)


def _refusal(service: str, answer: httpx.Response) -> Refusal:
    try:
        problem: Any = answer.json()
    except ValueError:
        problem = None
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        return PartMissing(503, "unavailable", service=service)
    if not isinstance(problem, dict):
        return Refusal(answer.status_code)
    document: Json = problem
    errors = document.get("errors")
    return Refusal(
        answer.status_code,
        str(document.get("type", "")).removeprefix("urn:maillage:problem:"),
        str(document.get("detail", "")),
        {str(one["field"]): str(one["detail"]) for one in errors if "field" in one} if isinstance(errors, list) else {},
        document,
    )
