"""Repeating a booking: the rule that is made of what was ticked, and the pages in three languages."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from services.portal.forms import filled
from services.portal.pages.series import rule_of
from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import BOOKING, OFFER, Pretend, Rule, at, booking, problem
from tests.unit.portal.test_pages import Outline

SERIES = "0190a000-0000-7000-8000-0000000000d1"
THURSDAY = datetime.fromisoformat("2027-03-18T14:00")


def one(days: int, **more: Any) -> dict[str, Any]:
    return {"date": at(days)[:10], "start": at(days), "end": at(days, 12), **more}


CHECK = {
    "rrule": "FREQ=WEEKLY;COUNT=3",
    "time_zone": "Europe/Paris",
    "waits": True,
    "dates": [one(3), one(10)],
    "conflicts": [
        one(17, code="taken", detail="Déjà pris.", alternatives=[{"start": at(18), "end": at(18, 12)}]),
        one(24, code="closed_day", detail="<b>Fermé</b>", alternatives=[]),
    ],
}
SHOWN = {
    "id": SERIES, "offer_id": OFFER, "offer_title": "Salle", "note": "Pour le <b>cours</b>",
    "borrower": {"member_id": None, "name": "Anna Dubois", "peer_name": None}, "rrule": "FREQ=WEEKLY;COUNT=3",
    "time_zone": "Europe/Paris",
    "start": at(3), "end": at(3, 12), "exceptions": [at(17)[:10]], "size": 3, "status": "pending", "version": 1,
    "mine": False, "may_decide": True, "decide_by": at(2), "conflicts": [], "change": None,
    "bookings": [
        {"id": BOOKING, "position": n, "start": at(d), "end": at(d, 12), "status": "pending", "moved": n == 2}
        for n, d in ((1, -3), (2, 4), (3, 11))
    ],
}  # fmt: skip


CHANGE = {
    "by_owner": False, "quantity": 1, "note": "Le train <b>", "decide_by": at(1),
    "may_answer": True, "may_withdraw": False,
    "dates": [{"booking_id": BOOKING, "start": at(4, 14), "end": at(4, 16)}],
}  # fmt: skip
PLACE = {"series": {"id": SERIES, "position": 2, "of": 3}}
RULES: dict[str, Rule] = {
    "POST booking /bookings/series/check": lambda _: CHECK,
    "POST booking /bookings/series": lambda _: httpx.Response(201, json=SHOWN),
    f"GET booking /bookings/series/{SERIES}": lambda _: SHOWN,
    f"POST booking /bookings/series/{SERIES}/approve": lambda _: SHOWN,
    f"POST booking /bookings/series/{SERIES}/decline": lambda _: SHOWN,
    f"GET booking /bookings/{BOOKING}": lambda _: booking(**PLACE),
}
FORM = f"/offers/{OFFER}-salle-de-reunion-pour-20-personnes/book"
TYPED = {"start": "2027-03-18T14:00", "end": "2027-03-18T16:00", "repeat": "weekly", "times": "3"}


@pytest.mark.parametrize(
    ("ticked", "rule"),
    [
        ({"repeat": "weekly", "times": "3"}, "FREQ=WEEKLY;COUNT=3"),
        ({"repeat": "fortnightly", "until": "2027-06-30"}, "FREQ=WEEKLY;INTERVAL=2;UNTIL=20270630"),
        ({"repeat": "monthly", "times": "12"}, "FREQ=MONTHLY;BYDAY=3TH;COUNT=12"),
        ({"repeat": "days", "days": ["0", "2", "x"], "times": "9"}, "FREQ=WEEKLY;BYDAY=MO,WE,TH;COUNT=9"),
        ({"repeat": "weekly", "times": "3", "until": "2027-06-30"}, "FREQ=WEEKLY;COUNT=3;UNTIL=20270630"),
        ({"times": "3"}, "FREQ=;COUNT=3"),
    ],
)
def test_rule_of_what_was_ticked(ticked: dict[str, Any], rule: str) -> None:
    assert rule_of(filled(**ticked), THURSDAY) == rule


def test_fifth_weekday_is_the_last_one() -> None:
    ticked = filled(repeat="monthly", times="3")
    assert rule_of(ticked, datetime.fromisoformat("2027-03-29T14:00")) == "FREQ=MONTHLY;BYDAY=-1MO;COUNT=3"


def whole(text: str) -> None:
    outline = Outline()
    outline.feed(text)
    assert outline.open == []
    assert outline.inline == []
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.references <= set(outline.ids)


@pytest.mark.parametrize("language", ["fr", "nl", "en"])
async def test_pages_are_whole_in_every_language(browse: Browse, language: str) -> None:
    client = browse(Pretend(rules=RULES))
    client.cookies.set("maillage_opteos_language", language, domain="portal.test")
    offer = await client.get(f"/offers/{OFFER}")
    checked = await client.post(f"/offers/{OFFER}/series", data=fill(offer, FORM) | TYPED)
    for page in (
        offer,
        checked,
        await client.get(f"/bookings/series/{SERIES}"),
        await client.get(f"/bookings/{BOOKING}"),
        await client.get(f"/bookings/{BOOKING}/cancel"),
    ):
        assert page.status_code == 200, page.text
        whole(page.text)
        assert "<b>Fermé" not in page.text


async def test_dates_are_seen_before_they_are_booked_and_another_time_can_be_chosen(browse: Browse) -> None:
    pretend = Pretend(rules=RULES)
    client = browse(pretend)
    offer = await client.get(f"/offers/{OFFER}")
    checked = await client.post(f"/offers/{OFFER}/series", data=fill(offer, FORM) | TYPED)
    (asked,) = pretend.bodies("POST", "/api/booking/bookings/series/check")
    assert asked["rrule"] == "FREQ=WEEKLY;COUNT=3"
    assert asked["start"] == "2027-03-18T14:00:00+01:00"
    assert "2 dates ne sont pas possibles" in checked.text
    assert pretend.bodies("POST", "/api/booking/bookings/series") == []
    action = f"/offers/{OFFER}/series/book"
    instead = {f"instead-{at(17)[:10]}": f"{at(18)}/{at(18, 12)}", f"instead-{at(24)[:10]}": ""}
    booked = await client.post(action, data=fill(checked, action) | instead)
    assert (booked.status_code, booked.headers["location"]) == (303, f"/bookings/series/{SERIES}")
    (body,) = pretend.bodies("POST", "/api/booking/bookings/series")
    assert body["moved"] == [{"from": at(17)[:10], "start": at(18), "end": at(18, 12)}]
    assert body["conflicts"] == "skip"


async def test_a_rule_that_is_refused_keeps_what_was_typed(browse: Browse) -> None:
    said = {"field": "rrule", "code": "without_end", "detail": "Une série a une fin."}
    refusal = problem(422, "invalid-fields", "À corriger.", errors=[said])
    rules: dict[str, Rule] = {"POST booking /bookings/series/check": lambda _: refusal}
    client = browse(Pretend(rules=RULES | rules))
    offer = await client.get(f"/offers/{OFFER}")
    answer = await client.post(f"/offers/{OFFER}/series", data=fill(offer, FORM) | TYPED)
    assert answer.status_code == 422
    assert "Une série a une fin." in answer.text
    assert 'id="repeat" open' in answer.text
    whole(answer.text)


async def test_series_is_answered_in_one_step_and_cancelled_by_scope(browse: Browse) -> None:
    pretend = Pretend(rules=RULES)
    client = browse(pretend)
    page = await client.get(f"/bookings/series/{SERIES}")
    path = f"/bookings/series/{SERIES}"
    assert (await client.post(f"{path}/approve", data=fill(page, f"{path}/approve"))).status_code == 303
    data = fill(page, f"{path}/decline", reason="fermé")
    assert (await client.post(f"{path}/decline", data=data)).status_code == 303
    asking = await client.get(f"/bookings/{BOOKING}/cancel")
    await client.post(f"/bookings/{BOOKING}/cancel", data=fill(asking, scope="following"))
    (body,) = pretend.bodies("POST", f"/api/booking/bookings/{BOOKING}/cancel")
    assert body == {"reason": "", "scope": "following"}


async def test_what_repeats_is_never_booked_once_by_the_other_button(browse: Browse) -> None:
    pretend = Pretend(rules=RULES)
    client = browse(pretend)
    offer = await client.get(f"/offers/{OFFER}")
    answer = await client.post(FORM, data=fill(offer, FORM) | TYPED)
    assert (answer.status_code, answer.headers["location"]) == (307, f"/offers/{OFFER}/series")
    assert pretend.bodies("POST", "/api/booking/bookings") == []
    assert offer.text.index(">Envoyer la demande<") < offer.text.index(">Voir toutes les dates<")  # Enter books once


async def test_requests_of_a_series_are_one_card_answered_at_once_or_date_by_date(browse: Browse) -> None:
    dates = [{"booking_id": BOOKING, "start": at(day), "end": at(day, 12)} for day in (3, 10, 17)]
    waits = booking(mine=False, may_decide=True, waiting_dates=dates, **PLACE)
    rules: dict[str, Rule] = {
        "GET booking /bookings": lambda _: {"items": [waits], "next": None},
        "GET booking /waiting": lambda _: {"items": [], "next": None},
        f"POST booking /bookings/{BOOKING}/approve": lambda _: booking(status="confirmed", **PLACE),
    }
    pretend = Pretend(rules=RULES | rules)
    client = browse(pretend)
    for where in ("/bookings", "/"):
        page = await client.get(where)
        whole(page.text)
        assert "1 demande attend votre réponse" in page.text
        assert "3 dates à partir du" in page.text
        assert page.text.count(f'<li><a href="/bookings/{BOOKING}">') == 3
    approve = f"/bookings/series/{SERIES}/approve"
    answer = await client.post(approve, data=fill(page, approve))
    assert (answer.status_code, answer.headers["location"]) == (303, "/bookings")
    series = await client.get(f"/bookings/series/{SERIES}")
    one = f"/bookings/{BOOKING}/approve"
    answer = await client.post(one, data=fill(series, one))
    assert answer.headers["location"] == f"/bookings/series/{SERIES}"


@pytest.mark.parametrize("language", ["fr", "nl", "en"])
async def test_change_of_several_dates_is_answered_once(browse: Browse, language: str) -> None:
    rules: dict[str, Rule] = {
        f"GET booking /bookings/series/{SERIES}": lambda _: SHOWN | {"change": CHANGE},
        f"POST booking /bookings/series/{SERIES}/change/accept": lambda _: SHOWN,
    }
    pretend = Pretend(rules=RULES | rules)
    client = browse(pretend)
    client.cookies.set("maillage_opteos_language", language, domain="portal.test")
    page = await client.get(f"/bookings/series/{SERIES}")
    whole(page.text)
    assert "Le train <b>" not in page.text
    accept = f"/bookings/series/{SERIES}/change/accept"
    answer = await client.post(accept, data=fill(page, accept))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/bookings/series/{SERIES}")
    assert (await client.post(f"/bookings/series/{SERIES}/change/else", data=fill(page, accept))).status_code == 404


async def test_dates_are_moved_by_scope_and_those_that_cannot_are_listed(browse: Browse) -> None:
    clash = [one(10, code="taken", detail="Déjà <i>pris</i>.", alternatives=[])]
    refusal = problem(409, "booking/series-has-conflicts", "1 date n'est pas possible.", conflicts=clash)
    asked = booking(change={**CHANGE, "start": at(3), "end": at(4), "together": True}, **PLACE)
    answers = iter([refusal, asked])
    rules: dict[str, Rule] = {f"PUT booking /bookings/{BOOKING}/change": lambda _: next(answers)}
    pretend = Pretend(rules=RULES | rules)
    client = browse(pretend)
    page = await client.get(f"/bookings/{BOOKING}/change?scope=following")
    path = f"/bookings/{BOOKING}/change"
    assert 'name="scope" value="following" checked' in page.text
    refused = await client.post(path, data=fill(page, path, scope="following"))
    assert refused.status_code == 409
    whole(refused.text)
    assert "Déjà &lt;i&gt;pris" in refused.text
    done = await client.post(path, data=fill(refused, path, scope="following", conflicts="skip"))
    assert (done.status_code, done.headers["location"]) == (303, f"/bookings/series/{SERIES}")
    bodies = pretend.bodies("PUT", f"/api/booking/bookings/{BOOKING}/change")
    assert [(body["scope"], body.get("conflicts")) for body in bodies] == [("following", None), ("following", "skip")]
