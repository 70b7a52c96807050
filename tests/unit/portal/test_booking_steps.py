"""Choosing a period, having it kept, sending it; and moving what is booked."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from contracts.booking import Terms
from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import (
    ANNA,
    BOOKING,
    CIRCLE,
    HOLD,
    NOW,
    OFFER,
    PEER,
    PEER_OFFER,
    Pretend,
    Rule,
    at,
    availability,
    booking,
    hours,
    page,
    problem,
    resource,
    terms,
)

SLUG = f"/offers/{OFFER}-salle-de-reunion-pour-20-personnes"
THEIRS = f"/from/{PEER}/offers/{PEER_OFFER}-decoupe-laser-60-90"
PICK = f"{at(3)}/{at(3, 11)}"
STEP = f"/offers/{OFFER}/book?" + urlencode({"start": at(3), "end": at(3, 11), "quantity": "1", "hold": HOLD})
TAKEN = problem(
    409, "booking/resource-is-taken", "Cette période n'est plus libre.",
    alternatives=[{"start": at(4), "end": at(4, 11)}],
    similar=[{"offer_id": PEER_OFFER, "title": "Découpe laser", "origin": PEER, "from": "OpenFlow (Namur)"}],
)  # fmt: skip


async def test_choosing_keeps_the_period_and_sending_hands_the_hold_over(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    shown = await client.get(f"/offers/{OFFER}")
    chosen = await client.post(f"{SLUG}/hold", data=fill(shown, f"{SLUG}/hold", at=PICK))
    assert chosen.status_code == 303
    query = parse_qs(urlsplit(chosen.headers["location"]).query)
    assert (query["start"], query["end"], query["hold"]) == ([at(3)], [at(3, 11)], [HOLD])
    assert pretend.bodies("POST", "/api/booking/holds") == [{"offer_id": OFFER, "start": at(3), "end": at(3, 11)}]
    step = await client.get(chosen.headers["location"])
    assert "Gardé pour vous jusqu'à" in step.text.replace("&#39;", "'")
    data = fill(step, f"{SLUG}/book", note="Bonjour", circle_id=CIRCLE["id"])
    answer = await client.post(f"{SLUG}/book", data=data)
    assert answer.headers["location"] == f"/bookings/{BOOKING}"
    (body,) = pretend.bodies("POST", "/api/booking/bookings")
    assert (body["hold_id"], body["circle_id"], body["note"]) == (HOLD, CIRCLE["id"], "Bonjour")


async def test_looking_at_the_last_step_changes_nothing(browse: Browse) -> None:
    pretend = Pretend()
    await browse(pretend).get(STEP)
    assert [one.url.path for one in pretend.seen if one.method != "GET" and "tokens" not in one.url.path] == []


async def test_a_peers_resource_is_not_kept(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    shown = await client.get(f"/from/{PEER}/offers/{PEER_OFFER}")
    chosen = await client.post(f"{THEIRS}/hold", data=fill(shown, f"{THEIRS}/hold", at=PICK))
    assert chosen.status_code == 303
    assert pretend.bodies("POST", "/api/booking/holds") == []
    step = await client.get(chosen.headers["location"])
    assert "La demande part chez OpenFlow (Namur), qui décide." in step.text
    assert "ardé pour vous" not in step.text


async def test_a_hold_that_is_over_is_said_and_the_form_stays(browse: Browse) -> None:
    over = booking(id=HOLD, status="held", decide_by=(NOW - timedelta(hours=1)).isoformat())
    client = browse(Pretend(rules={f"GET booking /bookings/{HOLD}": lambda _: over}))
    step = await client.get(STEP)
    assert "la place n'est plus gardée" in step.text.replace("&#39;", "'")
    assert 'name="note"' in step.text
    assert HOLD not in fill(step, f"{SLUG}/book").values()


async def test_giving_up_gives_the_period_back(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    data = fill(await client.get(STEP), f"/offers/{OFFER}/release")
    answer = await client.post(f"/offers/{OFFER}/release", data=data)
    assert answer.headers["location"] == f"/offers/{OFFER}"
    assert [one.method for one in pretend.seen if one.url.path.endswith(f"/holds/{HOLD}")] == ["DELETE"]
    left = await client.post(f"/offers/{OFFER}/release", data=data | {"leaving": "yes"})
    assert left.status_code == 204


async def test_another_time_instead_of_one_that_is_gone_goes_on_to_the_last_step(browse: Browse) -> None:
    kept = httpx.Response(201, json=booking(id=HOLD, status="held", decide_by=at(1)))
    answers = [TAKEN, kept]
    client = browse(Pretend(rules={"POST booking /holds": lambda _: answers.pop(0)}))
    shown = await client.get(f"/offers/{OFFER}")
    refused = await client.post(f"{SLUG}/hold", data=fill(shown, f"{SLUG}/hold", at=PICK))
    assert refused.status_code == 409
    other = f"{at(4)}/{at(4, 11)}"
    chosen = await client.post(f"{SLUG}/hold", data=fill(refused, f"{SLUG}/hold", instead=other))
    assert parse_qs(urlsplit(chosen.headers["location"]).query)["start"] == [at(4)]


async def test_a_script_is_told_until_when(browse: Browse) -> None:
    client = browse(Pretend())
    data = fill(await client.get(f"/offers/{OFFER}"), f"{SLUG}/book", at=PICK)
    told = await client.post(f"{SLUG}/hold", data=data, headers={"accept": "application/json"})
    assert told.json()["hold_id"] == HOLD
    assert told.json()["said"].startswith("Gardé pour vous jusqu'à")
    client = browse(Pretend(rules={"POST booking /holds": lambda _: TAKEN}))
    data = fill(await client.get(f"/offers/{OFFER}"), f"{SLUG}/book", at=PICK)
    told = await client.post(f"{SLUG}/hold", data=data, headers={"accept": "application/json"})
    assert (told.status_code, told.json()["hold_id"]) == (409, None)


async def test_a_refusal_at_the_last_step_offers_other_times_and_other_offers(browse: Browse) -> None:
    client = browse(Pretend(rules={"POST booking /bookings": lambda _: TAKEN}))
    data = fill(await client.get(STEP), f"{SLUG}/book", note="Pour des étagères")
    refused = await client.post(f"{SLUG}/book", data=data)
    assert refused.status_code == 409
    assert 'name="instead"' in refused.text
    assert "Pour des étagères</textarea>" in refused.text
    assert "Aussi libre à ce moment" in refused.text
    assert f'href="/from/{PEER}/offers/{PEER_OFFER}-decoupe-laser?at=' in refused.text
    assert "chez OpenFlow (Namur)" in refused.text
    assert fill(refused, f"{SLUG}/book")["note"] == "Pour des étagères"


@pytest.mark.parametrize("slug", ["quota-reached", "not-for-you", "too-early-for-peers"])
async def test_other_refusals_are_sentences_and_lose_nothing(browse: Browse, slug: str) -> None:
    said = problem(409, f"booking/{slug}", "Voici pourquoi.")
    client = browse(Pretend(rules={"POST booking /bookings": lambda _: said}))
    action = f"{SLUG}/book"
    typed = {"start": "2030-07-01T10:00", "end": "2030-07-01T12:00", "note": "Hop", "circle_id": CIRCLE["id"]}
    refused = await client.post(action, data=fill(await client.get(f"/offers/{OFFER}"), action, **typed))
    assert "Voici pourquoi." in refused.text
    assert 'value="2030-07-01T10:00"' in refused.text
    assert "Hop</textarea>" in refused.text
    assert f'value="{CIRCLE["id"]}" selected' in refused.text


@pytest.mark.parametrize("from_page", [f"/offers/{OFFER}", STEP])
async def test_nothing_written_is_lost_while_booking_is_away(browse: Browse, from_page: str) -> None:
    pretend = Pretend()
    client = browse(pretend)
    action = f"{SLUG}/book"
    typed = {"start": "2030-07-01T10:00", "end": "2030-07-01T12:00", "note": "Hop"}
    data = fill(await client.get(from_page), action, **typed)
    pretend.away = {"booking"}
    answer = await client.post(action, data=data)
    assert answer.status_code == 503
    assert "les réservations" in answer.text
    assert "Hop</textarea>" in answer.text
    assert fill(answer, action)["key"] == data["key"]


async def test_what_i_keep_is_shown_with_the_offer(browse: Browse) -> None:
    mine = booking(id=HOLD, status="held", decide_by=at(1))
    shown = await browse(Pretend(rules={"GET booking /bookings": lambda _: page(mine)})).get(f"/offers/{OFFER}")
    assert "Vous gardez" in shown.text
    assert "Continuer" in shown.text


async def test_the_week_says_how_many_are_left(browse: Browse) -> None:
    def some(request: httpx.Request) -> dict[str, Any]:
        week = availability(request.url.params.get("from", ""))
        for day in week["days"]:
            its = date.fromisoformat(day["date"])
            day["left"] = [hours(its, 9, 11) | {"left": 4}, hours(its, 11, 12) | {"left": 1}]
        return week | {"capacity": 7}

    rules: dict[str, Rule] = {
        f"GET booking /resources/{OFFER}": lambda _: resource(capacity=7),
        f"GET booking /resources/{OFFER}/availability": some,
    }
    pretend = Pretend(rules=rules)
    shown = (await browse(pretend).get(f"/offers/{OFFER}?quantity=3&from={at(7)[:10]}")).text
    shown = shown.replace("\N{NO-BREAK SPACE}", " ")
    assert "9 h à 10 h, libre, 4 places sur 7" in shown
    assert "11 h à 12 h, libre, 1 place sur 7" in shown
    assert "14 h à 15 h, libre, 7 places sur 7" in shown
    asked = [one.url.params for one in pretend.seen if one.url.path.endswith("/availability")]
    assert [one["quantity"] for one in asked] == ["3"]
    assert 'name="quantity" value="3"' in shown


async def test_moving_keeps_the_old_period_until_the_answer(browse: Browse) -> None:
    change = {
        "start": at(5), "end": at(5, 12), "quantity": 1, "note": "", "by_owner": False, "decide_by": at(2),
        "may_answer": False, "may_withdraw": True, "withdrawn": False,
    }  # fmt: skip
    pretend = Pretend(rules={f"PUT booking /bookings/{BOOKING}/change": lambda _: booking(change=change)})
    client = browse(pretend)
    form = await client.get(f"/bookings/{BOOKING}/change")
    action = f"/bookings/{BOOKING}/change"
    typed = fill(form, action, start="2030-07-01T10:00", end="2030-07-01T12:00", note="Plus tard")
    answer = await client.post(action, data=typed)
    assert answer.headers["location"] == f"/bookings/{BOOKING}"
    assert pretend.bodies("PUT", f"/api/booking/bookings/{BOOKING}/change") == [
        {"start": "2030-07-01T10:00:00+02:00", "end": "2030-07-01T12:00:00+02:00", "quantity": "1", "note": "Plus tard"}
    ]
    assert "L'ancienne période reste gardée" in (await client.get("/bookings")).text.replace("&#39;", "'")


async def test_a_refused_move_keeps_what_was_typed_and_says_what_would_work(browse: Browse) -> None:
    client = browse(Pretend(rules={f"PUT booking /bookings/{BOOKING}/change": lambda _: TAKEN}))
    action = f"/bookings/{BOOKING}/change"
    typed = fill(await client.get(action), action, start="2030-07-01T10:00", end="2030-07-01T12:00", note="Plus tard")
    refused = await client.post(action, data=typed)
    assert refused.status_code == 409
    assert 'value="2030-07-01T10:00"' in refused.text
    assert 'name="instead"' in refused.text
    assert "Plus tard</textarea>" in refused.text


@pytest.mark.parametrize(
    ("rights", "button", "answer"),
    [
        ({"may_answer": True, "may_withdraw": False}, "Accepter le changement", "accept"),
        ({"may_answer": True, "may_withdraw": False}, "Refuser, ne rien changer", "refuse"),
        ({"may_answer": False, "may_withdraw": True}, "Ne plus demander ce changement", "withdraw"),
    ],
)
async def test_a_change_is_answered_by_whom_it_concerns(
    browse: Browse, rights: dict[str, bool], button: str, answer: str
) -> None:
    change = {
        "start": at(5), "end": at(5, 12), "quantity": 2, "note": "Plus tard", "by_owner": False, "decide_by": at(2),
        **rights, "withdrawn": False,
    }  # fmt: skip
    action = f"/bookings/{BOOKING}/change/{answer}"
    pretend = Pretend(
        rules={
            f"GET booking /bookings/{BOOKING}": lambda _: booking(change=change),
            f"POST booking {action}": lambda _: booking(),
        }
    )
    client = browse(pretend)
    shown = await client.get(f"/bookings/{BOOKING}")
    assert button in shown.text
    assert ("change/withdraw" in shown.text) == rights["may_withdraw"]
    assert ("change/accept" in shown.text) == rights["may_answer"]
    done = await client.post(action, data=fill(shown, action))
    assert done.status_code == 303
    assert pretend.bodies("POST", f"/api/booking{action}") == [{}]


async def test_a_booking_says_price_circle_consents_and_what_to_know(browse: Browse) -> None:
    much = booking(
        approvals=1, approvals_needed=2, approved_by=[ANNA], circle_name="Couture", mine=False,
        price={"kind": "fixed", "amount": "12.00", "currency": "EUR"},
    )  # fmt: skip
    said = (
        await browse(Pretend(rules={f"GET booking /bookings/{BOOKING}": lambda _: much})).get(f"/bookings/{BOOKING}")
    ).text
    for text in ("1 accord sur 2", "vous avez dit oui", "cercle Couture", "12,00\N{NO-BREAK SPACE}€ par utilisation."):
        assert text in said
    agreed = booking(status="confirmed", instructions="La clé est là.", cancel_until=at(2), may_cancel=False)
    said = (
        await browse(Pretend(rules={f"GET booking /bookings/{BOOKING}": lambda _: agreed})).get(f"/bookings/{BOOKING}")
    ).text
    assert "La clé est là." in said
    assert "le délai est passé" in said


async def test_a_first_yes_of_two_is_said_as_such(browse: Browse) -> None:
    waits = booking(mine=False, may_decide=True, approvals_needed=2)
    pretend = Pretend(
        rules={
            f"GET booking /bookings/{BOOKING}": lambda _: waits,
            f"POST booking /bookings/{BOOKING}/approve": lambda _: booking(approvals=1),
        }
    )
    client = browse(pretend)
    action = f"/bookings/{BOOKING}/approve"
    await client.post(action, data=fill(await client.get(f"/bookings/{BOOKING}"), action))
    assert "Une deuxième personne doit encore dire oui." in (await client.get("/bookings")).text


def test_usual_terms_are_what_booking_says() -> None:
    """The pretended terms have every field of the contract, so that pages are drawn with what really comes."""
    assert set(terms()) == set(Terms.model_fields)
