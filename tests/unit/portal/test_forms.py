"""What a person does with forms: signed by the page, done once, kept when refused."""

import re

import httpx
import pytest

from services.portal.protection import form_token
from tests.unit.portal.conftest import SESSION, Browse, fill
from tests.unit.portal.pretend import (
    ANNA,
    BOOKING,
    NEED,
    OFFER,
    PEER,
    PEER_OFFER,
    REPORT,
    Pretend,
    Rule,
    at,
    listing,
    problem,
    resource,
)


async def test_signing_in_keeps_the_secret_from_scripts_and_goes_on(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend, signed_in=False)
    page = await client.get("/account/sign-in?next=/bookings")
    answer = await client.post("/account/sign-in", data=fill(page, email="anna@example.org", password=" two  words "))
    assert (answer.status_code, answer.headers["location"]) == (303, "/bookings")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(SESSION))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert pretend.bodies("POST", "/api/identity/sessions") == [
        {"email": "anna@example.org", "password": " two  words ", "device": ""}
    ]


async def test_the_cookie_is_secure_behind_https(browse: Browse) -> None:
    client = browse(Pretend(), signed_in=False, public_url="https://portal.test")
    cookie = (await client.get("/account/sign-in")).headers["set-cookie"]
    assert cookie.startswith("__Host-maillage_opteos_form=")
    assert "Secure" in cookie


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_signing_in_goes_on_to_our_own_pages_only(browse: Browse, target: str) -> None:
    client = browse(Pretend(), signed_in=False)
    page = await client.get("/account/sign-in", params={"next": target})
    answer = await client.post("/account/sign-in", data=fill(page, email="a@example.org", password="x"))
    assert answer.headers["location"] == "/"


async def test_a_wrong_password_keeps_the_address_and_not_the_password(browse: Browse) -> None:
    rules: dict[str, Rule] = {
        "POST identity /sessions": lambda _: problem(401, "identity/wrong-credentials", "Adresse ou mot de passe faux.")
    }
    client = browse(Pretend(rules=rules), signed_in=False)
    page = await client.get("/account/sign-in")
    answer = await client.post("/account/sign-in", data=fill(page, email="anna@example.org", password="guess"))
    assert answer.status_code == 401
    assert "Adresse ou mot de passe faux." in answer.text
    assert 'value="anna@example.org"' in answer.text
    assert "guess" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "null"},
    ],
)
async def test_a_form_of_another_site_does_nothing(browse: Browse, headers: dict[str, str]) -> None:
    pretend = Pretend()
    client = browse(pretend)
    page = await client.get(f"/bookings/{BOOKING}/cancel")
    answer = await client.post(f"/bookings/{BOOKING}/cancel", data=fill(page, reason=""), headers=headers)
    assert answer.status_code == 403
    assert pretend.bodies("POST", f"/api/booking/bookings/{BOOKING}/cancel") == []


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
async def test_a_form_without_our_token_does_nothing(browse: Browse, token: str) -> None:
    pretend = Pretend()
    answer = await browse(pretend).post(f"/bookings/{BOOKING}/approve", data={"form": token})
    assert answer.status_code == 403
    assert pretend.bodies("POST", f"/api/booking/bookings/{BOOKING}/approve") == []


async def test_signing_out_ends_the_session_at_identity_too(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    answer = await client.post("/account/sign-out", data=fill(await client.get("/"), "/account/sign-out"))
    assert answer.status_code == 303
    ended = [one for one in pretend.seen if one.method == "DELETE"]
    assert [one.headers["authorization"] for one in ended] == ["Session opaque"]
    assert SESSION not in client.cookies
    assert answer.headers["clear-site-data"] == '"cache", "storage"'


async def test_whoever_leaves_leaves_nothing_in_the_browser(browse: Browse) -> None:
    pretend = Pretend(rules={f"POST identity /members/{ANNA}/leave": lambda _: None})
    client = browse(pretend)
    form = fill(await client.get("/me/leave"), sure="yes")
    answer = await client.post("/me/leave", data=form)
    assert (answer.status_code, answer.headers["clear-site-data"]) == (303, '"cache", "storage"')
    again = browse(Pretend())
    chosen = await again.post("/choices", data=fill(await again.get("/"), "/choices", theme="dark"))
    assert (chosen.status_code, "clear-site-data" in chosen.headers) == (303, False)


async def test_an_offer_is_published_with_what_was_typed(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    page = await client.get("/offers/new")
    typed = {
        "kind": "space",
        "title": "Salle",
        "audience_scope": "peers",
        "audience_peer_ids": PEER,
        "place_label": "Lille",
    }
    answer = await client.post("/offers/new", data=fill(page, **typed))
    assert answer.headers["location"].startswith(f"/offers/{OFFER}-salle-de-reunion")
    (body,) = pretend.bodies("POST", "/api/catalog/listings")
    assert body["audience"] == {"scope": "peers", "circle_ids": [], "peer_ids": [PEER]}
    assert body["place"] == {"label": "Lille", "latitude": 50.63, "longitude": 3.06}
    assert body["side"] == "offer"
    followed = await client.get(answer.headers["location"])
    assert "Votre offre est publiée." in followed.text
    assert "Votre offre est publiée." not in (await client.get(answer.headers["location"])).text


async def test_sending_twice_carries_the_same_key(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    data = fill(await client.get("/needs/new"), kind="machine", title="Découper", audience_scope="cooperative")
    for _ in range(2):
        await client.post("/needs/new", data=data)
    keys = [
        one.headers["idempotency-key"]
        for one in pretend.seen
        if (one.method, one.url.path[-9:]) == ("POST", "/listings")
    ]
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_what_is_refused_is_said_beside_its_field_and_everything_typed_stays(browse: Browse) -> None:
    errors = [
        {"field": "title", "code": "short", "detail": "Trop court."},
        {"field": "place.latitude", "detail": "Un nombre."},
    ]
    rules: dict[str, Rule] = {
        "POST catalog /listings": lambda _: problem(422, "invalid-fields", "À corriger.", errors=errors)
    }
    client = browse(Pretend(rules=rules))
    page = await client.get("/offers/new")
    typed = {"kind": "space", "title": "S", "text": "Un <texte> long", "place_label": "Ici", "place_latitude": "x"}
    answer = await client.post("/offers/new", data=fill(page, audience_scope="public", **typed))
    assert answer.status_code == 422
    assert 'id="e-title"' in answer.text
    assert 'aria-describedby="h-title e-title"' in answer.text
    assert 'id="e-place_latitude"' in answer.text
    assert "Un &lt;texte&gt; long" in answer.text
    assert 'value="x"' in answer.text


async def test_who_chose_no_kind_is_asked_in_the_pages_own_words(browse: Browse) -> None:
    errors = [{"field": "kind", "code": "literal_error", "detail": "Choisissez parmi : 'space' or 'help'."}]
    refuse: Rule = lambda _: problem(422, "invalid-fields", "À corriger.", errors=errors)  # noqa: E731
    client = browse(Pretend(rules={"POST catalog /listings": refuse}))
    page = await client.get("/offers/new")
    assert page.text.count('name="kind" value="space" required') == 1
    answer = await client.post("/offers/new", data=fill(page, title="Salle des fêtes"))
    assert "Choisissez de quoi il s" in answer.text
    assert "help" not in re.findall(r'id="e-kind">.*', answer.text)[0]


async def test_nothing_typed_is_lost_when_the_catalogue_is_away(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    data = fill(await client.get("/offers/new"), kind="space", title="Salle des fêtes", audience_scope="public")
    pretend.away = {"catalog"}
    answer = await client.post("/offers/new", data=data)
    assert answer.status_code == 503
    assert 'value="Salle des fêtes"' in answer.text
    assert "le catalogue" in answer.text
    assert str(data["key"]) in answer.text


async def test_an_offer_becomes_bookable_although_booking_hears_of_it_a_moment_later(browse: Browse) -> None:
    answers = [problem(404, "not-found", "Pas encore."), httpx.Response(200, json=resource())]
    pretend = Pretend(rules={f"PUT booking /resources/{OFFER}": lambda _: answers.pop(0)})
    client = browse(pretend)
    data = fill(await client.get("/offers/new"), kind="space", title="Salle", audience_scope="public", bookable="yes")
    data |= {"open_days": "0", "opens_0": "09:00", "closes_0": "00:00", "step_minutes": "30"}
    answer = await client.post("/offers/new", data=data)
    assert answer.status_code == 303
    assert pretend.bodies("PUT", f"/api/booking/resources/{OFFER}")[1]["opening_hours"] == [
        {"weekday": 0, "opens": "09:00", "closes": "24:00"}
    ]


async def test_booking_is_asked_in_the_resources_time(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    page = await client.get(f"/from/{PEER}/offers/{PEER_OFFER}-x")
    action = f"/from/{PEER}/offers/{PEER_OFFER}-decoupe-laser-60-90/book"
    typed = fill(page, action, start="2030-07-01T10:00", end="2030-07-01T12:00", note="Bonjour")
    answer = await client.post(action, data=typed)
    assert answer.headers["location"] == f"/bookings/{BOOKING}"
    (body,) = pretend.bodies("POST", "/api/booking/bookings")
    assert body == {
        "offer_id": PEER_OFFER, "origin": PEER, "note": "Bonjour",
        "start": "2030-07-01T10:00:00+02:00", "end": "2030-07-01T12:00:00+02:00",
    }  # fmt: skip


async def test_the_second_hour_of_the_night_of_the_clock_change_is_kept_as_picked(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    start, end = "2030-10-27T02:00:00+01:00", "2030-10-27T03:00:00+01:00"
    page = await client.get(f"/offers/{OFFER}", params={"at": f"{start}/{end}"})
    action = f"/offers/{OFFER}-salle-de-reunion-pour-20-personnes/book"
    await client.post(action, data=fill(page, action, start="2030-10-27T02:00", end="2030-10-27T03:00"))
    assert [(one["start"], one["end"]) for one in pretend.bodies("POST", "/api/booking/bookings")] == [(start, end)]


async def test_alternatives_take_the_place_of_the_refusal(browse: Browse) -> None:
    others = [{"start": at(4), "end": at(4, 11)}, {"start": at(5), "end": at(5, 11)}]
    taken = problem(409, "booking/resource-is-taken", "Cette période n'est plus libre.", alternatives=others)
    answers = [taken, httpx.Response(201, json={"id": BOOKING, "status": "confirmed"})]
    pretend = Pretend(rules={"POST booking /bookings": lambda _: answers.pop(0)})
    client = browse(pretend)
    action = f"/offers/{OFFER}-salle-de-reunion-pour-20-personnes/book"
    page = await client.get(f"/offers/{OFFER}")
    refused = await client.post(
        action, data=fill(page, action, start="2030-07-01T10:00", end="2030-07-01T12:00", note="Hop")
    )
    assert refused.status_code == 409
    instead = f"{others[0]['start']}/{others[0]['end']}"
    assert f'name="instead" value="{instead}"' in refused.text.replace("&#43;", "+")
    answer = await client.post(action, data=fill(refused, action, instead=instead))
    assert answer.headers["location"] == f"/bookings/{BOOKING}"
    first, second = pretend.bodies("POST", "/api/booking/bookings")
    assert (second["start"], second["end"], second["note"]) == (others[0]["start"], others[0]["end"], "Hop")
    assert first["start"] != second["start"]


async def test_withdrawing_asks_first(browse: Browse) -> None:
    rules: dict[str, Rule] = {f"POST catalog /listings/{NEED}/withdraw": lambda _: listing(status="withdrawn")}
    pretend = Pretend(rules=rules)
    client = browse(pretend)
    page = await client.get(f"/needs/{NEED}/withdraw")
    assert pretend.bodies("POST", f"/api/catalog/listings/{NEED}/withdraw") == []
    answer = await client.post(f"/needs/{NEED}/withdraw", data=fill(page))
    assert answer.status_code == 303
    assert len(pretend.bodies("POST", f"/api/catalog/listings/{NEED}/withdraw")) == 1


async def test_language_chosen_in_the_footer_is_kept_with_the_member(browse: Browse) -> None:
    pretend = Pretend(rules={"PATCH identity /me": lambda _: None})
    client = browse(pretend)
    data = fill(await client.get("/me"), "/choices", language="nl")
    answer = await client.post("/choices", data=data, headers={"referer": "http://portal.test/me?x=1"})
    assert answer.headers["location"] == "/me?x=1"
    assert pretend.bodies("PATCH", "/api/identity/me") == [{"locale": "nl"}]
    assert 'lang="nl"' in (await client.get("/me")).text


async def test_a_file_with_its_first_line_alone_is_not_said_to_be_all_right(browse: Browse) -> None:
    nothing = REPORT | {"rows": 0, "valid": 0, "errors": [], "preview": []}
    client = browse(Pretend(role="coordinator", rules={"POST catalog /imports/check": lambda _: nothing}))
    file = {"file": ("a.csv", b"ref;type;genre;titre\n")}
    answer = await client.post("/coordination/import", data={"form": form_token("opaque")}, files=file)
    assert "aucune ligne</h1>" in answer.text
    assert "Choisir un autre fichier" in answer.text
