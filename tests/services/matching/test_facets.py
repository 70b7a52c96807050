"""Narrowing what was found: each choice leads to as many results as it says."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contracts.booking import Interval
from services.chassis.ids import new_id
from services.matching.queries.free_facet import choices
from tests.services.matching.conftest import NAMUR, Matching
from tests.services.matching.test_fairness import copy
from tests.services.matching.test_matches import bookable

ZONE = ZoneInfo("Europe/Paris")
PARAMETERS = {"side": "side", "kind": "kind", "topic": "topic", "tag": "tag", "origin": "origin", "spoken": "spoken"}


async def page(matching: Matching, **params: Any) -> dict[str, Any]:
    """What a member finds."""
    answer = await (await matching.client(new_id())).get("/search", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _chosen(facet: str, value: str) -> dict[str, Any]:
    if facet == "km":
        return {"radius_km": value}
    if facet != "free":
        return {PARAMETERS[facet]: value}
    first, last = (date.fromisoformat(day) for day in value.split("/"))
    end = datetime.combine(last + timedelta(days=1), time(), ZONE)
    return {"from": datetime.combine(first, time(), ZONE).isoformat(), "to": end.isoformat()}


async def _several(matching: Matching) -> None:
    await matching.listing("Scie à ruban", tags=["Bois", "week-end"], category="Menuiserie")
    await matching.listing("Scie sauteuse", tags=["bois"], kind="equipment", place=NAMUR)
    await matching.listing("Zaag", tags=["hout"], language="nl", text="scie", side="need")
    await copy(matching, "Scie circulaire")
    taken = await matching.listing("Scie à bûches", kind="machine")
    now = datetime.now(UTC)
    await bookable(matching, taken.id, [Interval(start=now - timedelta(days=1), end=now + timedelta(days=20))])
    free = await matching.listing("Scie à métaux", kind="machine")
    await bookable(matching, free.id, [])
    await matching.count_words()
    await matching.encode()


async def test_each_choice_leads_to_as_many_results_as_it_says(matching: Matching) -> None:
    await _several(matching)
    asked: dict[str, Any] = {"q": "scie", "near": "50.63,3.06"}
    found = await page(matching, **asked)
    assert {"side", "kind", "tag", "origin", "spoken", "km", "free"} <= set(found["facets"])
    for facet, choices_of in found["facets"].items():
        for choice in choices_of:
            narrowed = await page(matching, **asked, **_chosen(facet, choice["value"]))
            assert narrowed["total"] == choice["count"], (facet, choice)


async def test_tags_are_found_counted_and_chosen_whatever_their_case(matching: Matching) -> None:
    await _several(matching)
    assert set(await matching.titles(q="week end")) >= {"Scie à ruban"}
    assert set(await matching.titles(tag="BOIS")) == {"Scie à ruban", "Scie sauteuse"}
    tags = {one["label"].lower(): one["count"] for one in (await page(matching))["facets"]["tag"]}
    assert tags == {"bois": 2, "week-end": 1, "hout": 1}
    assert (await page(matching, tag="hout"))["items"][0]["tags"] == ["hout"]
    assert await matching.titles(tag="' OR 1=1 --") == []


async def test_what_is_taken_is_not_counted_as_free(matching: Matching) -> None:
    await _several(matching)
    counts = [one["count"] for one in (await page(matching, q="scie"))["facets"]["free"]]
    assert counts == [5, 5]
    today = datetime.now(ZONE).date()
    found = await page(matching, q="scie", **_chosen("free", f"{today}/{today}"))
    assert "free" not in found["facets"]


def test_the_weekend_is_this_one_while_it_lasts() -> None:
    thursday, saturday, sunday = date(2026, 3, 19), date(2026, 3, 21), date(2026, 3, 22)
    assert choices(thursday)[0] == choices(saturday)[0] == (saturday, sunday)
    assert choices(sunday)[0] == (sunday, sunday)
    assert choices(thursday)[1:] == [(thursday, date(2026, 3, 25)), (thursday, date(2026, 4, 17))]
