"""Arriving and leaving on the page of a booking, and the accounts."""

from typing import Any

import pytest

from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import BOOKING, OFFER, PEER, Pretend, Rule, at, booking, listing, problem, resource

PAGE = f"/bookings/{BOOKING}"


def shown(**changes: Any) -> dict[str, Rule]:
    return {f"GET booking /bookings/{BOOKING}": lambda _: booking(**changes)}


ARRIVING: dict[str, Any] = {
    "status": "confirmed", "may_check_in": True, "check_in_from": at(3, 8), "check_in_until": at(3, 9),
}  # fmt: skip


async def test_who_may_arrive_sees_that_one_button_first(browse: Browse) -> None:
    pretend = Pretend(rules=shown(**ARRIVING))
    client = browse(pretend)
    page = await client.get(PAGE)
    main = page.text.split("<main", 1)[1]
    assert main.split('class="button"', 1)[1].split("</button>")[0].endswith("Je suis là")
    answer = await client.post(f"{PAGE}/check-in", data=fill(page, f"{PAGE}/check-in"))
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert pretend.bodies("POST", f"/api/booking/bookings/{BOOKING}/check-in") == [{"code": None}]
    assert "L&#39;arrivée est signalée." in (await client.get(PAGE)).text


async def test_owner_sees_the_code_and_speaks_for_the_borrower(browse: Browse) -> None:
    page = (await browse(Pretend(rules=shown(**ARRIVING, mine=False, check_in_code="004217"))).get(PAGE)).text
    assert "La personne est là" in page
    assert "004&nbsp;217" in page
    assert "J'ai un code" not in page.replace("&#39;", "'")


async def test_wrong_code_is_said_beside_its_field(browse: Browse) -> None:
    refusal = problem(422, "booking/wrong-code", "Ce n'est pas le code de cette réservation.")
    rules = shown(**ARRIVING)
    rules[f"POST booking /bookings/{BOOKING}/check-in"] = lambda _: refusal
    pretend = Pretend(rules=rules)
    client = browse(pretend)
    data = fill(await client.get(PAGE), f"{PAGE}/check-in", code="123 456")
    answer = await client.post(f"{PAGE}/check-in", data=data)
    assert answer.status_code == 422
    assert "Ce n&#39;est pas le code" in answer.text
    assert 'value="123 456"' in answer.text
    assert pretend.bodies("POST", f"/api/booking/bookings/{BOOKING}/check-in") == [{"code": "123 456"}]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "in_use", "may_check_out": True}, ["J'ai fini", "en cours"]),
        ({"status": "overdue", "may_check_out": True, "mine": False}, ["C'est rendu", "en retard"]),
        ({"status": "in_use", "checked_out_at": at(3, 9)}, ["rendue"]),
        ({"status": "in_use", "resource_origin": PEER, "origin_name": "OpenFlow"}, ["OpenFlow note l'arrivée"]),
        (ARRIVING | {"may_check_in": False}, ["À l'arrivée, on le dit ici"]),
        (
            ARRIVING | {"may_check_in": True, "resource_origin": PEER, "origin_name": "OpenFlow"},
            ["Je suis là", "OpenFlow"],
        ),
        (
            ARRIVING | {"may_check_in": False, "resource_origin": PEER, "origin_name": "OpenFlow", "mine": False},
            ["OpenFlow note l'arrivée et le départ. Sans arrivée avant"],
        ),
        (
            {
                "status": "completed",
                "checked_in_at": at(3),
                "checked_out_at": at(3, 11),
                "value": {"amount": "12.50", "unit": "EUR"},
            },
            ["Utilisé", "12,50"],
        ),
        ({"status": "no_show"}, ["personne n'est venu"]),
    ],
)
async def test_each_state_says_what_comes_next(browse: Browse, changes: dict[str, Any], words: list[str]) -> None:
    page = (await browse(Pretend(rules=shown(**changes))).get(PAGE)).text.replace("&#39;", "'")
    assert [word for word in words if word not in page] == []


async def test_leaving_is_one_click(browse: Browse) -> None:
    pretend = Pretend(rules=shown(status="in_use", may_check_out=True))
    client = browse(pretend)
    answer = await client.post(f"{PAGE}/check-out", data=fill(await client.get(PAGE), f"{PAGE}/check-out"))
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert len(pretend.bodies("POST", f"/api/booking/bookings/{BOOKING}/check-out")) == 1


async def test_accounts_ask_for_whole_days_and_say_them_in_the_house_s_numbers(browse: Browse) -> None:
    pretend = Pretend(role="coordinator")
    page = (await browse(pretend).get("/coordination/accounts?first=2026-03-01&last=2026-03-31")).text
    asked = next(one for one in pretend.seen if one.url.path == "/api/booking/balance")
    assert dict(asked.url.params) == {"from": "2026-03-01T00:00:00+01:00", "until": "2026-04-01T00:00:00+02:00"}
    plain = page.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "6 utilisations" in plain
    assert "du 1er mars 2026 au 31 mars 2026" in plain
    for said in ("4 h 30", "37,50 €", "1 h de temps", "51 h 30", "2 membres de plus"):
        assert said in plain, said
    assert f"/coordination/accounts.csv?first=2026-03-01&amp;last=2026-03-31&amp;peer={PEER}" in page


async def test_accounts_say_which_date_is_none(browse: Browse) -> None:
    wrong = {"errors": [{"field": "until", "code": "invalid", "detail": "Cette date n'existe pas."}]}
    rules: dict[str, Rule] = {"GET booking /balance": lambda _: problem(422, "invalid-fields", "À corriger.", **wrong)}
    answer = await browse(Pretend(role="coordinator", rules=rules)).get("/coordination/accounts?last=demain")
    assert answer.status_code == 422
    assert "Cette date n&#39;existe pas." in answer.text


async def test_lines_are_handed_on_as_a_file(browse: Browse) -> None:
    pretend = Pretend(role="coordinator")
    answer = await browse(pretend).get(f"/coordination/accounts.csv?first=2026-03-01&last=2026-03-31&peer={PEER}")
    assert answer.headers["content-disposition"] == 'attachment; filename="maillage-uses.csv"'
    asked = next(one for one in pretend.seen if one.url.path == "/api/booking/uses.csv")
    assert asked.url.params["peer"] == PEER
    assert (await browse(Pretend()).get("/coordination/accounts.csv")).status_code == 403


async def test_my_hours_stand_under_my_bookings(browse: Browse) -> None:
    page = (await browse(Pretend()).get("/bookings")).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Cette année : 0 h prêtées, 51 h 30 empruntées" in page
    mine = (await browse(Pretend()).get("/bookings/uses")).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "emprunté à une personne de la coopérative OpenFlow (Namur)" in mine
    assert "1 h 35 de temps" in mine


async def test_rules_ask_whether_people_say_when_they_come(browse: Browse) -> None:
    path = f"/offers/{OFFER}/booking-rules"
    rules: dict[str, Rule] = {f"PUT booking /resources/{OFFER}": lambda _: resource()}
    rules[f"GET catalog /listings/{OFFER}"] = lambda _: listing(may_edit=True)
    pretend = Pretend(rules=rules)
    client = browse(pretend)
    page = await client.get(path)
    assert 'name="check_in" value="asked" checked' in page.text
    usual = {"form": fill(page, path)["form"], "step_minutes": "30", "approval": "owner", "grace_minutes": "60"}
    for typed, said in (({"check_in": "asked"}, "asked"), ({}, "none")):
        assert (await client.post(path, data=usual | typed)).status_code == 303
        sent = pretend.bodies("PUT", f"/api/booking/resources/{OFFER}")[-1]
        assert (sent["check_in"], sent["grace_minutes"]) == (said, "60")
