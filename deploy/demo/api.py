"""A member at the HTTP API of a cooperative, as any client program would be."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import httpx

T = TypeVar("T")
Json = dict[str, Any]
LONGEST_WAIT = 60.0


class Refused(RuntimeError):
    """The API answered with a problem."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.request.method} {answer.request.url} → {answer.status_code}: {answer.text[:600]}")
        self.status = answer.status_code
        self.problem: Json = answer.json() if "json" in answer.headers.get("content-type", "") else {}


def wait_for(what: str, probe: Callable[[], T | None], seconds: float = LONGEST_WAIT) -> T:
    """The first result of `probe` that is not None or False. Raises TimeoutError which says `what` did not come."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(pause)
        pause = min(pause * 1.3, 0.25)
    raise TimeoutError(f"{what} did not come within {seconds:.0f} s")


@dataclass
class Visitor:
    """Somebody at `url` who is not signed in. Calls are tried again while the other side restarts."""

    url: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    def headers(self) -> dict[str, str]:
        return {"Accept-Language": "fr"}

    def call(self, method: str, path: str, **request: Any) -> Any:
        """The JSON answer of `/api/<path>`. Raises Refused, httpx.HTTPError."""
        answer = self.http.request(
            method, f"{self.url}/api/{path}", headers=self.headers() | request.pop("headers", {}), **request
        )
        if not answer.is_success:
            raise Refused(answer)
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, params={key: value for key, value in query.items() if value is not None})

    def post(self, path: str, body: Json | None = None, *, key: str | None = None) -> Any:
        """POST with an Idempotency-Key, so that sending it again after a lost answer does nothing twice."""
        return self.call("POST", path, json=body or {}, headers={"Idempotency-Key": key or str(uuid4())})


@dataclass
class Member(Visitor):
    """A signed-in member. The session is opaque; short tokens are fetched with it when they are near their end."""

    email: str = ""
    password: str = field(default="", repr=False)
    id: str = ""
    name: str = ""
    _session: str = field(default="", repr=False)
    _token: str = field(default="", repr=False)
    _token_until: float = 0.0

    def sign_in(self) -> "Member":
        """Raises Refused when the password is wrong."""
        visitor = Visitor(self.url, self.http)
        answer = visitor.post("identity/sessions", {"email": self.email, "password": self.password})
        self._session, self._token_until = answer["session"], 0.0
        self.id, self.name = answer["member"]["id"], answer["member"]["name"]
        return self

    def headers(self) -> dict[str, str]:
        if time.monotonic() > self._token_until:
            answer = self.http.post(
                f"{self.url}/api/identity/tokens", headers={"Authorization": f"Session {self._session}"}
            )
            if not answer.is_success:
                raise Refused(answer)
            self._token, self._token_until = answer.json()["token"], time.monotonic() + 200
        return super().headers() | {"Authorization": f"Bearer {self._token}"}


def through_a_restart(call: Callable[[], T], seconds: float = LONGEST_WAIT) -> T:
    """Repeat `call` while the other side does not answer."""

    def probe() -> list[T] | None:
        try:
            return [call()]
        except (httpx.TransportError, Refused) as error:
            if isinstance(error, Refused) and error.status not in {502, 503}:
                raise
            return None

    return wait_for("an answer", probe, seconds)[0]
