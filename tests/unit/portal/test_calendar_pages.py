"""Calendars on the pages: an address is shown once, mine is never shown again."""

import json

from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import CIRCLE, OFFER, Pretend, Rule, external, listing, problem

EDITABLE: dict[str, Rule] = {f"GET catalog /listings/{OFFER}": lambda _: listing(mine=True, may_edit=True)}


async def test_an_address_is_made_and_shown_this_once(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    page = await client.get("/me/calendars")
    made = await client.post("/me/calendars/make", data=fill(page, "/me/calendars/make"))
    assert made.status_code == 200
    assert "https://opteos.example/api/booking/calendars/SECRET.ics</textarea>" in made.text
    assert 'href="webcal://opteos.example/api/booking/calendars/SECRET.ics"' in made.text
    assert "ne la donnez à personne" in made.text
    assert "SECRET" not in (await client.get("/me/calendars")).text
    [asked] = [
        request for request in pretend.seen if request.url.path.endswith("/my/feeds") and request.method == "POST"
    ]
    assert json.loads(asked.content) == {"kind": "member", "subject_id": None}


async def test_the_owner_makes_addresses_of_an_offer_and_lets_it_follow(browse: Browse) -> None:
    client = browse(Pretend(rules=EDITABLE))
    page = await client.get(f"/offers/{OFFER}/booking-rules")
    typed = fill(page, f"/offers/{OFFER}/calendar", follows="yes")
    followed = await client.post(f"/offers/{OFFER}/calendar", data=typed)
    assert followed.headers["location"] == f"/offers/{OFFER}/booking-rules"
    assert "Cette offre suit maintenant votre agenda." in (await client.get(followed.headers["location"])).text
    busy = await client.post("/me/calendars/make", data={**typed, "kind": "busy", "subject": OFFER})
    assert "SECRET.ifb" in busy.text
    assert "jamais par qui" in busy.text


async def test_a_circle_has_its_address(browse: Browse) -> None:
    client = browse(Pretend())
    page = await client.get(f"/circles/{CIRCLE['id']}")
    made = await client.post("/me/calendars/make", data=fill(page, "/me/calendars/make"))
    assert "SECRET.ics" in made.text
    assert "Cercle" in made.text
    assert "Couture" in made.text


async def test_my_calendar_elsewhere_says_how_it_goes(browse: Browse) -> None:
    page = (await browse(Pretend()).get("/me/calendars")).text
    assert "calendar.example" in page
    assert "42 moments" in page
    detail = "Le serveur de cet agenda ne répond pas."
    failing = Pretend(rules={"GET booking /my/calendar": lambda _: external(error="unreachable", detail=detail)})
    page = (await browse(failing).get("/me/calendars")).text
    assert detail in page
    assert "Ce qui avait été lu avant compte toujours." in page
    none = Pretend(rules={"GET booking /my/calendar": lambda _: external(given=False)})
    assert "Oublier cet agenda" not in (await browse(none).get("/me/calendars")).text


async def test_an_address_that_is_refused_keeps_its_field_and_says_why(browse: Browse) -> None:
    refused = problem(
        422, "invalid-fields", "À corriger.", errors=[{"field": "address", "detail": "Donnez l'adresse."}]
    )
    client = browse(Pretend(rules={"PUT booking /my/calendar": lambda _: refused}))
    page = await client.get("/me/calendars")
    typed = fill(page, "/me/calendars/elsewhere", address="http://127.0.0.1/x")
    answer = await client.post("/me/calendars/elsewhere", data=typed)
    assert answer.status_code == 422
    assert 'id="e-address"' in answer.text
    assert 'value="http://127.0.0.1/x"' in answer.text


async def test_forgetting_and_revoking(browse: Browse) -> None:
    pretend = Pretend(
        rules={"DELETE booking /my/calendar": lambda _: None, f"DELETE booking /my/feeds/{OFFER}": lambda _: None}
    )
    client = browse(pretend)
    typed = fill(await client.get("/me/calendars"), "/me/calendars/elsewhere", forget="yes")
    assert (await client.post("/me/calendars/elsewhere", data=typed)).status_code == 303
    assert "il ne bloque plus rien" in (await client.get("/me/calendars")).text
    assert (await client.post(f"/me/calendars/{OFFER}/revoke", data=typed)).status_code == 303
    assert (await client.post("/me/calendars/nonsense/revoke", data=typed)).status_code == 404
    assert (await client.post("/me/calendars/make", data={**typed, "kind": "else"})).status_code == 404


async def test_the_gateway_hands_feeds_on_without_a_session(browse: Browse) -> None:
    pretend = Pretend()
    await browse(pretend, signed_in=False).get("/api/booking/calendars/SECRET.ics", headers={"if-none-match": '"x"'})
    [request] = [request for request in pretend.seen if "calendars" in request.url.path]
    assert request.url.path.endswith("/calendars/SECRET.ics")
    assert request.headers["if-none-match"] == '"x"'
    assert "authorization" not in request.headers
