"""Every route of the portal: no form from elsewhere counts, every answer has its headers, no page runs a script inside.

The services behind are pretended; what reaches them is looked at.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from services.portal.app import build
from services.portal.pages import routers
from services.portal.protection import form_token
from services.portal.session import Sessions
from services.portal.settings import PortalSettings
from tests.unit.portal.conftest import SESSION, Browse, Switch, browse, usual
from tests.unit.portal.pretend import Pretend, problem
from tests.unit.portal.test_pages import EVERYWHERE, FOR_COORDINATORS, FOR_MEMBERS, Outline

__all__ = ["browse", "usual"]  # fixtures

READING = {"GET", "HEAD"}
SOME_ID = "0190a000-0000-7000-8000-0000000000ff"
TOKENS = {("POST", "/api/identity/tokens")}
FORBIDDEN = {"unsafe-inline", "unsafe-eval", "data:", "*", "https:", "http:"}


def routes() -> Iterator[tuple[str, str]]:
    """Method and address of every page, with a value in each gap."""
    for router in routers():
        for route in router.routes:
            assert isinstance(route, APIRoute)
            path = re.sub(r"\{[^}]*\}", SOME_ID, route.path)
            yield from ((method, path) for method in sorted(route.methods or ()))


CHANGING = sorted({pair for pair in routes() if pair[0] not in READING})
READ = sorted({path for method, path in routes() if method == "GET"})


def changed(pretend: Pretend) -> list[tuple[str, str]]:
    """What reached a service and may have changed something."""
    seen = {(one.method, one.url.path) for one in pretend.seen}
    return sorted(pair for pair in seen - TOKENS if pair[0] not in READING)


def test_the_walk_meets_all_pages() -> None:
    assert len(CHANGING) > 50
    assert len(READ) > 40
    assert {method for method, _ in CHANGING} == {"POST"}


@pytest.mark.parametrize(("method", "path"), CHANGING)
async def test_no_form_counts_without_the_token_of_this_browser(browse: Browse, method: str, path: str) -> None:
    right, wrong = form_token("opaque"), form_token("another browser")
    attempts: list[tuple[dict[str, str], dict[str, Any]]] = [
        ({}, {}),
        ({}, {"form": ""}),
        ({}, {"form": wrong}),
        ({"sec-fetch-site": "cross-site"}, {"form": right}),
        ({"sec-fetch-site": "same-site"}, {"form": right}),
        ({"origin": "https://evil.example"}, {"form": right}),
        ({"origin": "null"}, {"form": right}),
    ]
    for headers, data in attempts:
        pretend = Pretend(role="administrator")
        answer = await browse(pretend).request(method, path, headers=headers, data={**data, "sure": "yes"})
        assert answer.status_code in {403, 404}, (headers, data)  # 404: there is no such thing to change
        assert changed(pretend) == []


@pytest.mark.parametrize("path", READ)
async def test_looking_changes_nothing(browse: Browse, path: str) -> None:
    pretend = Pretend(role="administrator")
    client = browse(pretend)
    for method in READING:
        await client.request(method, path)
    assert changed(pretend) == []


def check(answer: httpx.Response) -> None:
    """The headers of any answer, whatever its status."""
    headers = answer.headers
    directives = [part.split() for part in headers["content-security-policy"].split(";")]
    policy = {name: " ".join(sources) for name, *sources in directives}
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert not FORBIDDEN & {word.strip("'") for value in policy.values() for word in value.split()}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in {"same-origin", "no-referrer"}
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "cache-control" in headers
    assert "server" not in headers
    assert "x-correlation-id" in headers
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


@pytest.fixture(scope="session")
def secure_app() -> tuple[FastAPI, Switch]:
    """The portal as people reach it by https; made once."""
    switch = Switch()
    settings = PortalSettings(instance="opteos", secrets_dir=Path(), public_url="https://portal.test")
    return build(settings, transport=switch).app, switch


def secure(made: tuple[FastAPI, Switch], pretend: Pretend, *, signed_in: bool = True) -> httpx.AsyncClient:
    app, switch = made
    switch.pretend = pretend
    app.state.portal.sessions = Sessions(app.state.portal.services)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="https://portal.test")
    if signed_in:
        client.cookies.set(f"__Host-{SESSION}", "opaque", domain="portal.test", path="/")
    return client


@pytest.mark.parametrize("role", ["visitor", "member", "administrator"])
async def test_every_answer_has_its_headers(secure_app: tuple[FastAPI, Switch], role: str) -> None:
    pretend = Pretend(role="member" if role == "visitor" else role)
    paths = [*READ, *EVERYWHERE, *FOR_MEMBERS, *FOR_COORDINATORS]
    others = [
        "/nothing",
        "/static/x/style.css",
        "/favicon.ico",
        "/robots.txt",
        "/api/portal/health/live",
        "/api/nobody",
    ]
    statuses: set[int] = set()
    async with secure(secure_app, pretend, signed_in=role != "visitor") as client:
        for path in [*paths, *others]:
            answer = await client.get(path)
            check(answer)
            statuses.add(answer.status_code)
            if "text/html" in answer.headers.get("content-type", ""):
                outline = Outline()
                outline.feed(answer.text)
                assert outline.inline == [], path
        for method, path in [*CHANGING, ("PUT", "/me"), ("TRACE", "/")]:
            check(await client.request(method, path))
    assert statuses >= ({200, 303, 404} if role == "visitor" else {200, 404})


async def test_an_accident_is_a_page_or_a_problem_with_a_number_and_nothing_else(
    secure_app: tuple[FastAPI, Switch],
) -> None:
    def fail(_request: httpx.Request) -> None:
        raise RuntimeError("secret innards")

    async with secure(secure_app, Pretend(rules={"GET identity /me": fail, "GET identity /x": fail})) as client:
        page = await client.get("/me")
        api = await client.get("/api/identity/x")
    for answer in (page, api):
        check(answer)
        assert answer.status_code == 500
        assert "secret innards" not in answer.text
        assert "Traceback" not in answer.text
        assert answer.headers["x-correlation-id"] in answer.text
    assert page.headers["content-type"].startswith("text/html")
    assert api.headers["content-type"] == "application/problem+json"


async def test_cookies_belong_to_this_host_over_tls_and_to_no_script(secure_app: tuple[FastAPI, Switch]) -> None:
    async with secure(secure_app, Pretend(), signed_in=False) as client:
        first = await client.get("/account/sign-in")
        form = {"form": form_token(next(iter(client.cookies.values()))), "email": "a@b.example", "password": "x"}
        signed_in = await client.post("/account/sign-in", data=form)
        assert signed_in.status_code == 303, signed_in.text
        chosen = await client.post("/choices", data={"form": form_token("opaque"), "theme": "dark"})
    set_cookies = [line for one in (first, signed_in, chosen) for line in one.headers.get_list("set-cookie")]
    assert len(set_cookies) >= 3
    for line in set_cookies:
        parts = [part.strip().lower() for part in line.split(";")]
        assert line.startswith("__Host-")
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= set(parts)
        assert not any(part.startswith("domain=") for part in parts)


@pytest.mark.parametrize("path", ["/coordination/acts.csv", "/coordination/accounts.csv", "/me/export.csv"])
async def test_downloads_are_files_and_nothing_else(secure_app: tuple[FastAPI, Switch], path: str) -> None:
    async with secure(secure_app, Pretend(role="administrator")) as client:
        answer = await client.get(path)
    check(answer)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"].startswith("text/csv")


async def test_a_limit_is_told_with_the_time_to_wait(browse: Browse) -> None:
    said = problem(429, "identity/too-many-tries", "Trop d'essais. Réessayez dans 3 minutes.", retry_after_seconds=171)
    client = browse(Pretend(rules={"POST identity /sessions": lambda _: said}), signed_in=False)
    await client.get("/account/sign-in")
    form = {"form": form_token(next(iter(client.cookies.values()))), "email": "a@b.example", "password": "x"}
    answer = await client.post("/account/sign-in", data=form)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "171")
    assert "Réessayez dans 3 minutes." in answer.text
