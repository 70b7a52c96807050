"""Waiting for a place, and settling what changes underneath bookings, on pages without scripts."""

from typing import Any

import httpx

from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import (
    BOOKING,
    OFFER,
    PEER,
    PEER_OFFER,
    WISH,
    Pretend,
    Rule,
    affected,
    at,
    booking,
    listing,
    page,
    problem,
    resource,
    upcoming,
    wish,
)

START, END = at(3), at(3, 12)


def taken(_: httpx.Request) -> httpx.Response:
    said = "Cette période n'est plus libre."
    return problem(409, "booking/resource-is-taken", said, alternatives=[{"start": at(4), "end": at(4, 12)}])


async def refused(browse: Browse, pretend: Pretend, path: str) -> tuple[httpx.AsyncClient, httpx.Response]:
    pretend.rules["POST booking /bookings"] = taken
    client = browse(pretend)
    form = fill(await client.get(path), f"{path}/book", at=f"{START}/{END}", start="", end="", note="Pour 12")
    return client, await client.post(f"{path}/book", data=form)


async def test_a_refusal_offers_the_waiting_list_with_what_was_typed(browse: Browse) -> None:
    pretend = Pretend(rules={"POST booking /waiting": lambda _: httpx.Response(201, json=wish())})
    pretend.rules["POST booking /bookings"] = taken
    client = browse(pretend)
    offer = f"/offers/{OFFER}-salle-de-reunion-pour-20-personnes"
    typed = fill(await client.get(offer), f"{offer}/book", at="", start="2031-03-20T09:00", end="2031-03-20T12:00")
    shown = await client.post(f"{offer}/book", data={**typed, "note": "Pour 12"})
    assert shown.status_code == 409
    assert "M'inscrire en liste d'attente" in shown.text
    answer = await client.post(f"/offers/{OFFER}/wait", data=fill(shown, f"/offers/{OFFER}/wait"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/bookings#waiting")
    (sent,) = pretend.bodies("POST", "/api/booking/waiting")
    assert (sent["start"], sent["end"]) == ("2031-03-20T09:00:00+01:00", "2031-03-20T12:00:00+01:00")
    assert (sent["note"], sent["offer_id"], sent["quantity"]) == ("Pour 12", OFFER, "1")
    keys = [one.headers.get("idempotency-key") for one in pretend.seen if one.url.path == "/api/booking/waiting"]
    assert None not in keys


async def test_across_the_border_nobody_waits_and_it_is_said(browse: Browse) -> None:
    path = f"/from/{PEER}/offers/{PEER_OFFER}-decoupe-laser-60-90"
    _, shown = await refused(browse, Pretend(), path)
    assert "On ne peut pas encore attendre une place dans une autre coopérative" in shown.text
    assert "/wait" not in shown.text


async def test_what_i_wait_for_stands_with_position_and_the_offered_place_with_one_button(browse: Browse) -> None:
    shown = (await browse(Pretend()).get("/bookings")).text
    assert "J'attends qu'une place se libère" in shown
    assert "position 2" in shown
    assert shown.count('/accept"') == 1
    home = (await browse(Pretend(rules={"GET booking /bookings": lambda _: page()})).get("/")).text
    assert "<h1>Une place s'est libérée pour vous</h1>" in home


async def test_a_place_is_accepted_or_the_reason_is_said(browse: Browse) -> None:
    accepted: dict[str, Rule] = {
        f"POST booking /waiting/{WISH}/accept": lambda _: httpx.Response(201, json=booking(status="confirmed"))
    }
    client = browse(Pretend(rules=accepted))
    form = fill(await client.get(f"/waiting/{WISH}"), f"/waiting/{WISH}/accept")
    answer = await client.post(f"/waiting/{WISH}/accept", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/bookings/{BOOKING}")
    late: dict[str, Rule] = {
        f"POST booking /waiting/{WISH}/accept": lambda _: problem(410, "booking/accepted-too-late", "Trop tard."),
        f"GET booking /waiting/{WISH}": lambda _: wish(status="lapsed", position=None, accept_by=at(-1)),
    }
    client = browse(Pretend(rules=late))
    answer = await client.post(f"/waiting/{WISH}/accept", data=fill(await client.get("/"), "/account/sign-out"))
    assert (answer.status_code, "Trop tard." in answer.text) == (410, True)
    assert "Le délai est passé" in answer.text


async def test_the_list_is_left(browse: Browse) -> None:
    pretend = Pretend(rules={f"POST booking /waiting/{WISH}/leave": lambda _: wish(status="left")})
    client = browse(pretend)
    form = fill(await client.get(f"/waiting/{WISH}"), f"/waiting/{WISH}/leave")
    answer = await client.post(f"/waiting/{WISH}/leave", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/bookings")


async def test_the_owner_sees_who_waits_and_others_do_not(browse: Browse) -> None:
    mine: dict[str, Rule] = {f"GET catalog /listings/{OFFER}": lambda _: listing(may_edit=True, mine=True)}
    assert "2 personnes attendent une place" in (await browse(Pretend(rules=mine)).get(f"/offers/{OFFER}")).text
    assert "attendent une place" not in (await browse(Pretend()).get(f"/offers/{OFFER}")).text


def _rules(seen: dict[str, Any]) -> dict[str, Rule]:
    return {
        f"GET catalog /listings/{OFFER}": lambda _: listing(may_edit=True, mine=True),
        f"POST booking /resources/{OFFER}/preview": lambda _: seen,
        f"PUT booking /resources/{OFFER}": lambda _: resource(),
    }


async def _save(client: httpx.AsyncClient) -> httpx.Response:
    path = f"/offers/{OFFER}/booking-rules"
    typed = {
        "open_days": ["0"], "opens_0": "09:00", "closes_0": "12:00", "step_minutes": "60", "minimum_minutes": "60",
        "maximum_minutes": "480", "lead_minutes": "0", "horizon_days": "60", "buffer_before_minutes": "0",
        "buffer_after_minutes": "0", "approval": "owner",
    }  # fmt: skip
    return await client.post(path, data=fill(await client.get(path), path, **typed))


async def test_rules_that_leave_bookings_behind_are_saved_with_a_choice_for_each(browse: Browse) -> None:
    settled: dict[str, Any] = {**upcoming(), "failed": []}
    rules = _rules({"affected": [affected()], "blocked": False})
    rules[f"POST booking /resources/{OFFER}/settle"] = lambda _: settled
    pretend = Pretend(rules=rules)
    client = browse(pretend)
    shown = await _save(client)
    assert (shown.status_code, "Rien n'est encore enregistré" in shown.text) == (200, True)
    assert "Hors des nouvelles heures d&#39;ouverture." in shown.text
    assert pretend.bodies("PUT", f"/api/booking/resources/{OFFER}") == []
    choice = {f"choice_{BOOKING}": "cancel", f"reason_{BOOKING}": "Fermé désormais"}
    done = await client.post(f"/to-settle/{OFFER}", data=fill(shown, f"/to-settle/{OFFER}", **choice))
    assert (done.status_code, done.headers["location"]) == (303, f"/offers/{OFFER}")
    (sent,) = pretend.bodies("POST", f"/api/booking/resources/{OFFER}/settle")
    assert sent["cancel"] == [{"id": BOOKING, "reason": "Fermé désormais"}]
    assert (sent["keep"], sent["move"]) == ([], [])
    assert sent["rules"]["opening_hours"] == [{"weekday": 0, "opens": "09:00", "closes": "12:00"}]


async def test_rules_that_leave_nothing_behind_are_saved_at_once(browse: Browse) -> None:
    pretend = Pretend(rules=_rules({"affected": [], "blocked": False}))
    assert (await _save(browse(pretend))).status_code == 303
    assert len(pretend.bodies("PUT", f"/api/booking/resources/{OFFER}")) == 1


async def test_what_could_not_be_done_is_said_beside_its_line(browse: Browse) -> None:
    failed: list[dict[str, Any]] = [
        {"id": BOOKING, "problem": {"detail": "Cette période sort des heures d'ouverture."}}
    ]
    left: dict[str, Any] = {**upcoming(affected()), "failed": failed}
    rules: dict[str, Rule] = {f"POST booking /resources/{OFFER}/settle": lambda _: left}
    pretend = Pretend(rules=rules)
    client = browse(pretend)
    moved = {
        f"choice_{BOOKING}": "move", f"start_{BOOKING}": "2031-03-20T10:00", f"end_{BOOKING}": "2031-03-20T11:00",
    }  # fmt: skip
    page = await client.get(f"/to-settle/{OFFER}")
    shown = await client.post(f"/to-settle/{OFFER}", data=fill(page, f"/to-settle/{OFFER}", **moved))
    assert (shown.status_code, "Cette période sort des heures" in shown.text) == (409, True)
    assert 'value="2031-03-20T10:00"' in shown.text
    (sent,) = pretend.bodies("POST", f"/api/booking/resources/{OFFER}/settle")
    assert sent["move"] == [
        {"id": BOOKING, "start": "2031-03-20T10:00:00+01:00", "end": "2031-03-20T11:00:00+01:00", "note": ""}
    ]


async def test_withdrawing_lists_what_is_to_come_and_goes_on_to_it(browse: Browse) -> None:
    rules = _rules({"affected": [], "blocked": False})
    rules[f"POST catalog /listings/{OFFER}/withdraw"] = lambda _: listing(status="withdrawn")
    client = browse(Pretend(rules=rules))
    page = await client.get(f"/offers/{OFFER}/withdraw")
    assert "1 réservation est à venir" in page.text
    answer = await client.post(f"/offers/{OFFER}/withdraw", data=fill(page))
    assert answer.headers["location"] == f"/to-settle/{OFFER}"


async def test_coordinators_find_what_those_who_left_have_promised(browse: Browse) -> None:
    shown = (await browse(Pretend(role="coordinator")).get("/coordination")).text
    assert "Promis par des personnes qui sont parties" in shown
    assert f'href="/to-settle/{OFFER}"' in shown
