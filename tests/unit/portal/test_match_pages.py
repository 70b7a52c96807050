"""The life of a match on pages: seen, contact with asking first, outcome by mail, widening by one tap."""

from typing import Any

import httpx
import pytest

from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import (
    INTRODUCTION,
    NEED,
    OFFER,
    PEER,
    PEER_OFFER,
    Pretend,
    introduction,
    listing,
    need,
    problem,
    result,
    widening,
)

PATH = f"/introductions/{INTRODUCTION}"
PARTY: dict[str, Any] = dict.fromkeys(("member_id", "name", "peer_id", "peer_name", "pseudonym"))


async def test_what_its_author_is_shown_is_seen_and_nobody_elses_look_counts(browse: Browse) -> None:
    pretend = Pretend()
    await browse(pretend).get(f"/needs/{NEED}")
    (sent,) = pretend.bodies("POST", f"/api/matching/needs/{NEED}/seen")
    assert sent == {"offers": [{"offer_id": PEER_OFFER, "origin": PEER}]}
    pretend = Pretend(role="coordinator", rules={f"GET catalog /listings/{NEED}": lambda _: need() | {"mine": False}})
    await browse(pretend).get(f"/needs/{NEED}")
    assert pretend.bodies("POST", f"/api/matching/needs/{NEED}/seen") == []


async def test_what_only_may_be_meant_stands_apart_and_not_on_the_first_page(browse: Browse) -> None:
    likely = result(listing(title="Scie à ruban"), likely=True)
    perhaps = result(listing(id=PEER_OFFER, title="Serpe"), likely=False)
    path = f"GET matching /needs/{NEED}/matches"

    def pretend(*items: dict[str, Any]) -> Pretend:
        found = {"items": list(items), "near_misses": [], "by_meaning": True}
        return Pretend(rules={path: lambda _: found})

    both = (await browse(pretend(likely, perhaps)).get(f"/needs/{NEED}")).text
    assert "1 offre peut répondre" in both
    assert both.index("Scie à ruban") < both.index("Peut-être aussi") < both.index("Serpe")
    only = (await browse(pretend(perhaps)).get(f"/needs/{NEED}")).text
    assert "Peut-être une de ces offres" in only
    assert "Peut-être aussi" not in only
    first = (await browse(pretend(likely, perhaps)).get("/")).text
    assert "Scie à ruban" in first
    assert "Serpe" not in first


async def test_contact_is_asked_for_from_a_match(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    shown = await client.get(f"/needs/{NEED}")
    assert "Votre offre pourrait y répondre." in shown.text
    answer = await client.post("/introductions", data=fill(shown, "/introductions", message="Pour samedi ?"))
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    (sent,) = pretend.bodies("POST", "/api/matching/introductions")
    assert sent == {
        "thing_id": PEER_OFFER, "origin": PEER, "need_id": NEED, "message": "Pour samedi ?", "quantity": None,
    }  # fmt: skip


async def test_a_refused_question_keeps_what_was_typed(browse: Browse) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return problem(409, "too-many-introductions", "Vous attendez déjà 20 réponses.", most=20)

    pretend = Pretend(rules={"POST matching /introductions": refuse})
    client = browse(pretend)
    hidden = fill(await client.get(f"/introductions/new?thing={OFFER}"), "/introductions")
    answer = await client.post("/introductions", data={**hidden, "message": "Une planche de 2 m"})
    assert answer.status_code == 409
    assert "Vous attendez déjà 20 réponses." in answer.text
    assert "Une planche de 2 m" in answer.text


async def test_an_offer_that_cannot_be_booked_asks_for_contact_in_place(browse: Browse) -> None:
    pretend = Pretend(rules={f"GET booking /resources/{OFFER}": lambda _: problem(404, "not-found", "Non.")})
    client = browse(pretend)
    shown = await client.get(f"/offers/{OFFER}")
    assert (await client.post("/introductions", data=fill(shown, "/introductions", message="?"))).status_code == 303
    own = Pretend(rules={f"GET catalog /listings/{OFFER}": lambda _: listing(mine=True)})
    own.rules |= {f"GET booking /resources/{OFFER}": pretend.rules[f"GET booking /resources/{OFFER}"]}
    assert 'action="/introductions"' not in (await browse(own).get(f"/offers/{OFFER}")).text


async def test_whoever_is_asked_says_yes_or_no_with_one_tap_and_sees_no_address_before(browse: Browse) -> None:
    theirs = introduction(peer=PEER, asker=PARTY | {"peer_id": PEER, "peer_name": "OpenFlow", "pseudonym": "p"})
    pretend = Pretend(rules={f"GET matching {PATH}": lambda _: theirs})
    client = browse(pretend)
    shown = await client.get(f"{PATH}?peer={PEER}")
    assert "Une personne de la coopérative OpenFlow voudrait vous joindre" in shown.text
    assert "@opteos" not in shown.text.split("<footer")[0]
    assert [one for one in pretend.seen if "notify/introductions" in one.url.path] == []
    hidden = fill(shown, PATH)
    yes = await client.post(PATH, data={**hidden, "do": "accept", "quantity": "4"})
    assert yes.headers["location"] == f"{PATH}?peer={PEER}"
    await client.post(PATH, data={**hidden, "reason": "too_far"})
    assert pretend.bodies("POST", f"/api/matching{PATH}/answer") == [
        {"accepted": True, "reason": None, "quantity": "4"},
        {"accepted": False, "reason": "too_far", "quantity": None},
    ]
    asked = [one for one in pretend.seen if one.url.path.endswith("/answer")]
    assert [one.url.params["peer"] for one in asked] == [PEER, PEER]


async def test_after_a_yes_the_address_and_the_way_to_book_are_there(browse: Browse) -> None:
    accepted = introduction(status="accepted", mine=True, bookable=True, thing_origin=PEER, thing_id=PEER_OFFER)
    pretend = Pretend(rules={f"GET matching {PATH}": lambda _: accepted})
    shown = (await browse(pretend).get(PATH)).text
    assert "mailto:anna@opteos.example" in shown
    assert f'<a class="button" href="/from/{PEER}/offers/{PEER_OFFER}-scie-a-ruban">Réserver</a>' in shown
    (asked,) = [one for one in pretend.seen if one.url.path.endswith("/contact")]
    assert asked.url.params["peer"] == PEER


async def test_a_question_is_taken_back(browse: Browse) -> None:
    pretend = Pretend(rules={f"GET matching {PATH}": lambda _: introduction(mine=True)})
    client = browse(pretend)
    token = (await client.get(PATH)).text.split(f'action="{PATH}"')[1].split('value="')[1].split('"')[0]
    assert (await client.post(PATH, data={"form": token, "do": "withdraw"})).status_code == 303
    assert [one.url.path for one in pretend.seen if PATH in one.url.path and one.method == "POST"] == [
        f"/api/matching{PATH}/withdraw"
    ]


@pytest.mark.parametrize("answer", ["yes", "no"])
async def test_widening_takes_one_tap_and_says_what_it_means_before(browse: Browse, answer: str) -> None:
    pretend = Pretend()
    client = browse(pretend)
    shown = await client.get(f"/needs/{NEED}")
    assert "chercher plus loin, jusqu'à 300 km" in shown.text
    assert "montrer cette demande aux membres des coopératives liées" in shown.text
    path = f"/needs/{NEED}/widening"
    token = shown.text.split(f'action="{path}"')[1].split('value="')[1].split('"')[0]
    assert (await client.post(path, data={"form": token, "widen": answer})).status_code == 303
    assert pretend.bodies("POST", f"/api/matching{path}") == [{"widen": answer == "yes"}]


async def test_what_is_missing_is_seen_by_all_and_what_came_is_noted_with_one_tap(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    shown = (await client.get(f"/needs/{NEED}")).text
    assert "3 sur 10 chaises" in shown
    assert "Il manque encore 7 chaises.</strong> Déjà reçu" in shown
    path = f"/needs/{NEED}/pledges/{INTRODUCTION}"
    token = shown.split(f'action="{path}"')[1].split('value="')[1].split('"')[0]
    answer = await client.post(path, data={"form": token, "peer": PEER, "received": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/needs/{NEED}#pledges")
    assert pretend.bodies("PUT", f"/api/matching{path}") == [{"received": True}]
    others = Pretend(rules={f"GET catalog /listings/{NEED}": lambda _: need() | {"mine": False, "may_edit": False}})
    shown = (await browse(others).get(f"/needs/{NEED}")).text
    assert "Il manque encore 7 chaises." in shown
    assert path not in shown


@pytest.mark.parametrize(("widened", "text"), [(True, "avec votre accord"), (False, "de ne pas élargir")])
async def test_the_need_keeps_the_trail_of_it(browse: Browse, widened: object, text: str) -> None:
    said = widening(widened=widened, answered_at="2026-03-19T10:00:00+00:00")
    found: dict[str, Any] = {"need_id": NEED, "by_meaning": True, "items": [], "near_misses": [], "widening": said}
    pretend = Pretend(rules={f"GET matching /needs/{NEED}/matches": lambda _: found})
    shown = (await browse(pretend).get(f"/needs/{NEED}")).text
    assert text in shown
    assert "19 mars" in shown
    assert 'name="widen"' not in shown


async def test_the_outcome_is_told_by_the_link_of_a_mail_without_an_account(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend, signed_in=False)
    shown = await client.get("/outcomes/key?worked=no")
    assert "data-send-now" in shown.text
    assert [one.method for one in pretend.seen if "/outcomes/" in one.url.path] == ["GET"]
    token = shown.text.split("data-send-now")[1].split('value="')[1].split('"')[0]
    told = await client.post("/outcomes/key", data={"form": token, "worked": "no"})
    assert told.status_code == 200
    assert "data-send-now" not in told.text
    assert pretend.bodies("PUT", "/api/matching/outcomes/key") == [{"worked": False}]
    assert (await client.post("/outcomes/key", data={"form": "foreign", "worked": "no"})).status_code == 403
