"""Services that are not there: answers by rule, for the pages' own tests. Nothing outside tests/unit/portal uses it."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.unit.portal.pretend.bookings import (
    WISH,
    affected,
    availability,
    booking,
    external,
    feed,
    feed_made,
    hours,
    resource,
    session,
    session_template,
    sums,
    upcoming,
    use,
    wish,
)
from tests.unit.portal.pretend.rules import standard
from tests.unit.portal.pretend.things import (
    ANNA,
    BOOKING,
    CIRCLE,
    HOLD,
    HUB,
    IMPORT,
    INTRODUCTION,
    LETTER,
    LINK,
    NEED,
    NOW,
    OFFER,
    PAUL,
    PEER,
    PEER_OFFER,
    REPORT,
    SEARCH,
    SESSION,
    STRANGER,
    Answer,
    Rule,
    act,
    at,
    behind_hub,
    introduction,
    letter,
    link,
    listing,
    member,
    message,
    need,
    page,
    peer_offer,
    problem,
    result,
    saved_search,
    script_token,
    terms,
    widening,
)

__all__ = [
    "ANNA",
    "BOOKING",
    "CIRCLE",
    "HOLD",
    "HUB",
    "IMPORT",
    "INTRODUCTION",
    "LETTER",
    "LINK",
    "NEED",
    "NOW",
    "OFFER",
    "PAUL",
    "PEER",
    "PEER_OFFER",
    "REPORT",
    "SEARCH",
    "SESSION",
    "STRANGER",
    "WISH",
    "Answer",
    "Pretend",
    "Rule",
    "act",
    "affected",
    "at",
    "availability",
    "behind_hub",
    "booking",
    "external",
    "feed",
    "feed_made",
    "hours",
    "introduction",
    "letter",
    "link",
    "listing",
    "member",
    "message",
    "need",
    "page",
    "peer_offer",
    "problem",
    "resource",
    "result",
    "saved_search",
    "script_token",
    "session",
    "session_template",
    "sums",
    "terms",
    "upcoming",
    "use",
    "widening",
    "wish",
]


@dataclass
class Pretend:
    """`rules` by "METHOD service /path"; `away`: services that do not answer; `seen`: every request that came."""

    role: str = "member"
    rules: dict[str, Rule] = field(default_factory=dict[str, Rule])
    away: set[str] = field(default_factory=set[str])
    seen: list[httpx.Request] = field(default_factory=list[httpx.Request])

    def __post_init__(self) -> None:
        self.rules = standard(self.role) | self.rules

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        _, _, service, rest = request.url.path.split("/", 3)
        if service in self.away:
            raise httpx.ConnectError("away", request=request)
        rule = self.rules.get(f"{request.method} {service} /{rest}")
        if rule is None:
            return problem(404, "not-found", "Cet élément n'existe pas.")
        given = rule(request)
        if isinstance(given, httpx.Response):
            return given
        return httpx.Response(204) if given is None else httpx.Response(200, json=given)

    def bodies(self, method: str, path: str) -> list[dict[str, Any]]:
        """The JSON bodies sent to `path` ("/api/booking/bookings")."""
        return [json.loads(one.content or b"{}") for one in self.seen if (one.method, one.url.path) == (method, path)]
