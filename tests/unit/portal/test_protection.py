"""Headers, files and the gateway's rules."""

import pytest

from services.chassis.http import LARGEST_BODY
from services.portal.assets import Assets
from services.portal.looks import blocks, slug
from services.portal.protection import form_token
from tests.unit.portal.conftest import Browse
from tests.unit.portal.pretend import ANNA, Pretend, Rule, member, message, problem


async def test_pages_may_load_our_own_files_only(browse: Browse) -> None:
    headers = (await browse(Pretend()).get("/")).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["vary"] == "cookie, accept-language"


async def test_files_are_kept_for_ever_under_their_content(browse: Browse) -> None:
    client = browse(Pretend())
    url = Assets().url("style.css")
    assert url in (await client.get("/")).text
    assert "immutable" in (await client.get(url)).headers["cache-control"]
    assert (await client.get("/static/0000/style.css")).headers["cache-control"] == "no-cache"
    assert (await client.get("/static/0000/../app.py")).status_code == 404
    assert (await client.get("/static/0000/%2e%2e/app.py")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/identity/metrics",
        "/api/booking/health/ready",
        "/api/nobody/x",
        "/api/identity/x/%2e%2e/y",
        "/federation/%2e%2e/api",
    ],
)
async def test_the_gateway_keeps_what_is_not_for_outside(browse: Browse, path: str) -> None:
    pretend = Pretend()
    answer = await browse(pretend).get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert pretend.seen == []


async def test_the_gateway_passes_requests_on(browse: Browse) -> None:
    pretend = Pretend(rules={"GET identity /members": lambda _: {"items": []}})
    headers = {
        "authorization": "Bearer t",
        "x-client-address": "6.6.6.6",
        "cookie": "a=b",
        "connection": "x-hop",
        "x-hop": "1",
    }
    answer = await browse(pretend).get("/api/identity/members?q=%C3%A9", headers=headers)
    assert answer.json() == {"items": []}
    (passed,) = pretend.seen
    assert passed.url.raw_path == b"/api/identity/members?q=%C3%A9"
    assert passed.headers["authorization"] == "Bearer t"
    assert passed.headers["x-client-address"] == "127.0.0.1"
    assert {"cookie", "x-hop"} & set(passed.headers) == set()


async def test_the_gateway_does_not_go_round_in_circles(browse: Browse) -> None:
    pretend = Pretend()
    answer = await browse(pretend).get("/api/identity/members", headers={"x-maillage-gateway": "1"})
    assert answer.status_code == 503
    assert pretend.seen == []


async def test_a_service_that_is_away_is_a_problem_document_at_the_gateway(browse: Browse) -> None:
    answer = await browse(Pretend(away={"booking"})).get("/api/booking/bookings")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


async def test_the_address_behind_trusted_proxies_is_passed_on(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend, trusted_proxies=1)
    await client.get("/", headers={"x-forwarded-for": "9.9.9.9, 8.8.8.8"})
    assert {one.headers["x-client-address"] for one in pretend.seen} == {"8.8.8.8"}


async def test_metrics_are_for_this_machine_only(browse: Browse) -> None:
    client = browse(Pretend())
    assert (await client.get("/api/portal/metrics")).status_code == 200
    assert (await client.get("/api/portal/metrics", headers={"x-forwarded-for": "1.1.1.1"})).status_code == 404


async def test_a_session_is_asked_for_once_a_minute(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    for _ in range(3):
        await client.get("/me")
    assert len([one for one in pretend.seen if one.url.path == "/api/identity/tokens"]) == 1


async def test_an_ended_session_is_forgotten(browse: Browse) -> None:
    pretend = Pretend(rules={"POST identity /tokens": lambda _: problem(401, "identity/session-ended", "Finie.")})
    client = browse(pretend)
    answer = await client.get("/")
    assert answer.status_code == 200
    assert 'maillage_opteos_session=""' in answer.headers["set-cookie"]


async def test_messages_lead_to_our_own_pages_only(browse: Browse) -> None:
    one = message(id=ANNA, url="https://evil.example/")
    rules: dict[str, Rule] = {
        "GET notify /inbox": lambda _: {"items": [one], "next": None},
        f"POST notify /inbox/{ANNA}/read": lambda _: None,
    }
    client = browse(Pretend(rules=rules))
    token = form_token("opaque")
    answer = await client.post(f"/inbox/{ANNA}/open", data={"form": token, "to": one["url"]})
    assert answer.headers["location"] == "/"


async def test_a_file_that_is_too_large_is_told_on_a_page(browse: Browse) -> None:
    answer = await browse(Pretend()).post("/inbox/read-all", files={"file": b"x" * LARGEST_BODY})
    assert answer.status_code == 413
    assert "trop gros</h1>" in answer.text


async def test_a_changed_password_renews_the_session_of_this_browser(browse: Browse) -> None:
    signed_in = {"session": "renewed", "member": member()}
    client = browse(Pretend(rules={"POST identity /me/password": lambda _: signed_in}))
    data = {"form": form_token("opaque"), "current": "old", "new": "quite another one"}
    assert (await client.post("/me/password", data=data)).status_code == 303
    assert client.cookies["maillage_opteos_session"] == "renewed"


def test_titles_become_addresses() -> None:
    assert slug("Salle de réunion (20 pers.)") == "salle-de-reunion-20-pers"
    assert slug("日本") == "sans-titre"


def test_paragraphs_keep_their_lines() -> None:
    assert blocks(" a\r\nb\n\n\nc ") == [["a", "b"], ["c"]]
    assert blocks(" ") == []


@pytest.mark.parametrize("odd", ["x%3Fadmin=1", "x%23y", "x%3Fa%26b", "..%3F", "x%253Fy"])
async def test_what_stands_in_an_address_stays_a_part_of_a_path(browse: Browse, odd: str) -> None:
    pretend = Pretend()
    await browse(pretend, signed_in=False).get(f"/account/join/{odd}")
    asked = [one.url for one in pretend.seen if "by-token" in one.url.path]
    assert [url.query for url in asked] == [b""] * len(asked)
    assert [url.fragment for url in asked] == [""] * len(asked)
    assert all(url.path.startswith("/api/identity/invitations/by-token/") for url in asked)
    assert asked
