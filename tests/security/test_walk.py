"""Every route of every service, with other people's ids: nobody sees or changes what is not theirs.

Walked are a visitor, a member, somebody who has left a moment ago, and a script without scopes.
"""

import time
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from deploy.demo.api import Json, wait_for
from deploy.demo.seed import RULES
from services.chassis import auth, names
from tests.instances import Instance
from tests.security.bodies import Bodies
from tests.security.village import MARK, Village, village
from tests.servers import Servers

pytestmark = [pytest.mark.xdist_group("village"), pytest.mark.timeout(900)]

OPEN = {
    "booking GET /resources/{offer_id}", "booking GET /resources/{offer_id}/availability", "booking GET /availability",
    "booking GET /calendars/{secret}.ics", "booking GET /calendars/{secret}.ifb",
    "catalog GET /listings", "catalog GET /listings/{listing_id}", "catalog GET /kinds",
    "identity GET /keys", "identity GET /cooperative", "identity GET /sessions", "identity POST /sessions",
    "identity POST /sessions/second-step", "identity POST /sessions/end-others", "identity DELETE /sessions/current",
    "identity DELETE /sessions/{session_id}", "identity POST /tokens", "identity POST /email-confirmations",
    "identity POST /password-resets", "identity POST /password-resets/complete", "identity POST /invitations/accept",
    "identity GET /invitations/by-token/{token}",
    "matching GET /search", "matching GET /suggestions", "matching GET /categories", "matching GET /skills/{thing_id}",
    "matching GET /outcomes/{key}", "matching PUT /outcomes/{key}",
    "matching GET /saved-searches/{search_id}/stop", "matching POST /saved-searches/{search_id}/stop",
}  # fmt: skip
"""For whoever has no account: what is public, and what a password or a secret opens."""
LONG = {"notify GET /inbox/live"}
FOR_EVERY_MEMBER = {"identity GET /members/{member_id}", "identity GET /circles/{circle_id}"}
"""Who is a member, and who is in which circle, is known in the house."""
OF_WHAT_IS_SHOWN = FOR_EVERY_MEMBER | {
    "catalog GET /listings/{listing_id}", "booking GET /resources/{offer_id}", "matching GET /skills/{thing_id}",
    "booking GET /resources/{offer_id}/availability", "booking GET /resources/{offer_id}/waiting",
    "matching GET /needs/{need_id}/pledges",
}  # fmt: skip
"""What a member reads of a listing that is for everybody; who waits, and who has promised what, without names."""
WITHOUT_EFFECT = {"booking DELETE /holds/{hold_id}", "matching GET /skills/{thing_id}"}
"""Succeed for whatever is asked, and do or tell nothing about what is another's."""
RULES_OF_THEIRS: Json = {"json": RULES | {"time_zone": "Europe/Paris"}}
OWN_BODIES: dict[str, Json] = {"booking PUT /resources/{offer_id}": RULES_OF_THEIRS}
"""Where the smallest body by the OpenAPI would be refused for its form."""
REFUSED = {401, 403, 404, 409, 410}


@pytest.fixture(scope="module")
def place(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    with village(servers, tmp_path_factory.mktemp("village")) as built:
        yield built


Route = tuple[str, str, str, Json]


def routes(place: Village, service: str) -> Iterator[Route]:
    """What it is called, its method, its path below `/api/`, and what OpenAPI says of it."""
    for path, methods in place.openapi(service)["paths"].items():
        if path.startswith("/api/"):
            short = path.removeprefix(f"/api/{service}")
            for method, operation in methods.items():
                if (name := f"{service} {method.upper()} {short}") not in LONG:
                    yield name, method.upper(), path, operation


def asking(place: Village, service: str, route: Route, ids: dict[str, str], headers: dict[str, str]) -> httpx.Response:
    """The answer to the smallest request of the route with those ids."""
    _, method, path, operation = route
    for name in (one["name"] for one in operation.get("parameters", []) if one["in"] == "path"):
        path = path.replace(f"{{{name}}}", ids.get(name, {"answer": "accept", "weights_id": "1"}.get(name, ids[""])))
    query = {
        one["name"]: ids.get("offer_id", "x")
        for one in operation.get("parameters", [])
        if one["in"] == "query" and one.get("required")
    }
    body = OWN_BODIES.get(route[0]) or Bodies(place.openapi(service), ids).of(operation)
    with httpx.Client(timeout=30) as client:
        return client.request(method, place.url + path, params=query, headers=headers, **body)


def reaches(route: Route) -> bool:
    """Whether the route is about a thing that is named by its id, in the path or the body."""
    _, _, path, operation = route
    return "{" in path or "_id" in str(operation.get("requestBody", {}))


@pytest.mark.parametrize("service", names.SERVICES)
def test_without_an_account_nothing_answers_but_what_is_open(place: Village, service: str) -> None:
    before = place.content(service)
    for route in routes(place, service):
        for ids in (place.hidden, place.shown):
            answer = asking(place, service, route, ids, {})
            assert MARK not in answer.text, route[0]
            assert answer.status_code == 401 or (route[0] in OPEN and answer.status_code < 500), (route[0], answer.text)
    assert place.content(service) == before


@pytest.mark.parametrize("service", names.SERVICES)
def test_a_member_sees_and_changes_nothing_of_others(place: Village, service: str) -> None:
    before, eve = place.content(service), place.members["eve"].headers()
    walked = 0
    for route in filter(reaches, routes(place, service)):
        for ids, readable in ((place.hidden, FOR_EVERY_MEMBER), (place.shown, OF_WHAT_IS_SHOWN)):
            answer = asking(place, service, route, ids, eve)
            walked += 1
            assert MARK not in answer.text, route[0]
            if route[0] in OPEN and route[0] not in OF_WHAT_IS_SHOWN:
                assert answer.status_code < 500, route[0]
            elif route[0] not in readable | WITHOUT_EFFECT:
                assert answer.status_code in REFUSED, (route[0], answer.text)
    assert walked > 5
    assert place.content(service) == before


@pytest.mark.parametrize("service", names.SERVICES)
def test_what_a_member_is_shown_without_naming_it_is_not_others(place: Village, service: str) -> None:
    eve = place.members["eve"].headers()
    for route in routes(place, service):
        if route[1] == "GET" and not reaches(route):
            answer = asking(place, service, route, place.hidden, eve)
            assert MARK not in answer.text, route[0]
            assert answer.status_code < 500, route[0]


@pytest.mark.parametrize("service", names.SERVICES)
def test_a_script_without_scopes_reaches_nothing(place: Village, service: str) -> None:
    before, instance = place.content(service), place.instance
    key = Instance(name=instance.name, secrets_dir=instance.secrets_dir, servers=place.servers).signing_key()
    ana = auth.Actor(id=UUID(place.members["ana"].id), name="Ana", role="member", locale="fr", scopes=frozenset())
    token = auth.issue(key, instance=instance.name, actor=ana, now=time.time())
    for route in routes(place, service):
        answer = asking(place, service, route, place.hidden, {"Authorization": f"Bearer {token}"})
        assert MARK not in answer.text, route[0]
        if route[0] not in OPEN:
            assert answer.status_code == 403, (route[0], answer.text)
            assert answer.json()["type"] == "urn:maillage:problem:missing-scope"
    assert place.content(service) == before


@pytest.fixture(scope="module")
def gone(place: Village) -> dict[str, str]:
    """The headers of Leo, who has left; the token was issued before and is good for minutes."""
    leo = place.members["leo"]
    headers = leo.headers()
    leo.post(f"identity/members/{leo.id}/leave")
    place.settle()
    wait_for("that booking has heard of it", lambda: place.has_left(leo.id))
    return headers


@pytest.mark.parametrize("service", names.SERVICES)
def test_who_has_left_writes_nothing_more(place: Village, gone: dict[str, str], service: str) -> None:
    before = place.content(service)
    for route in routes(place, service):
        if route[1] != "GET" and route[0] not in OPEN:
            asking(place, service, route, place.shown, gone)
    assert place.content(service) == before
