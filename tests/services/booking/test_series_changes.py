"""New dates of a series where the other side has to agree: one request, decided once, swapped in one step or kept."""

from typing import Any

import httpx
import pytest

from contracts.booking import BookingEvent, SeriesEvent
from services.booking.loops import Sweeper
from tests.services.booking.test_never_overlap import overlaps
from tests.services.booking.test_series import booked
from tests.services.booking.workshop import Workshop, at, iso, types_of


async def confirmed(workshop: Workshop, rrule: str) -> dict[str, Any]:
    """A confirmed series of Ana's, whose owner must agree to every change."""
    series = await booked(workshop.as_ana, workshop, rrule)
    await workshop.rules(approval="owner")
    await workshop.said()
    return series


async def ask(client: httpx.AsyncClient, series: dict[str, Any], **more: Any) -> httpx.Response:
    body = {"start": at(14).isoformat(), "end": at(16).isoformat(), "quantity": 1, "scope": "all", "note": "panne"}
    return await client.put(f"/bookings/{series['bookings'][0]['id']}/change", json=body | more)


def starts(series: dict[str, Any]) -> list[str]:
    return [one["start"] for one in series["bookings"]]


async def test_dates_are_asked_for_once_and_swapped_in_one_step(workshop: Workshop) -> None:
    series = await confirmed(workshop, "FREQ=WEEKLY;COUNT=4")
    path = f"/bookings/series/{series['id']}"
    asked = await ask(workshop.as_ana, series)
    assert asked.status_code == 200, asked.text
    assert (asked.json()["start"], asked.json()["change"]["start"]) == (iso(at(9)), iso(at(14)))
    assert asked.json()["change"]["together"]
    events = await workshop.said(BookingEvent, SeriesEvent)
    assert types_of(events) == ["change_asked"] * 4 + ["series_change_asked"]
    assert len({event.together for event in events}) == 1
    for hour in (9, 14):  # both are kept
        assert (await workshop.book(workshop.as_chloe, at(hour, days=10), at(hour + 1, days=10))).status_code == 409
    seen = (await workshop.as_omar.get(path)).json()
    assert [one["start"] for one in seen["change"]["dates"]] == [iso(at(14, days=day)) for day in (3, 10, 17, 24)]
    assert (seen["change"]["may_answer"], seen["change"]["may_withdraw"]) == (True, False)
    single = await workshop.as_omar.post(f"/bookings/{series['bookings'][1]['id']}/change/accept")
    assert single.json()["type"].endswith("booking/answered-together")
    assert (await workshop.as_ana.post(f"{path}/change/accept")).status_code == 403
    moved = await workshop.as_omar.post(f"{path}/change/accept")
    assert moved.status_code == 200, moved.text
    assert moved.json()["change"] is None
    assert starts(moved.json()) == [iso(at(14, days=day)) for day in (3, 10, 17, 24)]
    events = await workshop.said(BookingEvent, SeriesEvent)
    assert types_of(events) == ["moved"] * 4 + ["series_moved"]
    assert events[-1].by == "borrower"
    assert [one.version for one in events[-1].series.dates] == [one.booking.version for one in events[:-1]]
    assert (await workshop.book(workshop.as_chloe, at(9, days=10), at(10, days=10))).status_code == 201
    assert (await workshop.as_omar.post(f"{path}/change/accept")).status_code == 409
    assert await overlaps(workshop) == 0


@pytest.mark.parametrize(("answer", "by"), [("refuse", "owner"), ("withdraw", "borrower")])
async def test_refused_or_withdrawn_all_stay_as_they_are(workshop: Workshop, answer: str, by: str) -> None:
    series = await confirmed(workshop, "FREQ=DAILY;COUNT=3")
    await ask(workshop.as_ana, series)
    await workshop.said()
    client = workshop.as_omar if by == "owner" else workshop.as_ana
    after = await client.post(f"/bookings/series/{series['id']}/change/{answer}")
    assert (starts(after.json()), after.json()["change"]) == (starts(series), None)
    events = await workshop.said(BookingEvent, SeriesEvent)
    assert types_of(events) == ["change_refused"] * 3 + ["series_change_refused"]
    assert (events[-1].by, events[-1].expired) == (by, False)
    assert (await workshop.book(workshop.as_chloe, at(14), at(15))).json()["status"] == "pending"


async def test_each_takes_the_place_that_the_next_leaves(workshop: Workshop) -> None:
    """By a whole period: the new place of one is the old place of another, and both are kept once until the answer."""
    series = await confirmed(workshop, "FREQ=WEEKLY;COUNT=5")
    later = {"start": at(9, days=10).isoformat(), "end": at(11, days=10).isoformat()}
    asked = await ask(workshop.as_ana, series, **later)
    assert asked.status_code == 200, asked.text
    for day in range(3, 39, 7):
        assert (await workshop.book(workshop.as_chloe, at(9, days=day), at(10, days=day))).status_code == 409
    moved = await workshop.as_omar.post(f"/bookings/series/{series['id']}/change/accept")
    assert starts(moved.json()) == [iso(at(9, days=day)) for day in range(10, 39, 7)]
    assert (await workshop.book(workshop.as_chloe, at(9), at(10))).status_code == 201
    assert await overlaps(workshop) == 0


async def test_only_the_following_are_asked_for_and_the_owner_may_ask_too(workshop: Workshop) -> None:
    series = await confirmed(workshop, "FREQ=WEEKLY;COUNT=4")
    third = series["bookings"][2]["id"]
    body = {"start": at(8, days=17).isoformat(), "end": at(10, days=17).isoformat(), "quantity": 1}
    asked = await workshop.as_omar.put(f"/bookings/{third}/change", json=body | {"scope": "following"})
    assert asked.json()["change"]["by_owner"]
    path = f"/bookings/series/{series['id']}/change"
    assert (await workshop.as_omar.post(f"{path}/accept")).status_code == 403
    moved = (await workshop.as_ana.post(f"{path}/accept")).json()
    assert starts(moved) == [iso(at(9)), iso(at(9, days=10)), iso(at(8, days=17)), iso(at(8, days=24))]


async def test_what_the_new_dates_meet_is_listed_and_the_rest_can_be_asked_for(workshop: Workshop) -> None:
    series = await confirmed(workshop, "FREQ=WEEKLY;COUNT=3")
    await workshop.book(workshop.as_chloe, at(14, days=10), at(15, days=10))
    refused = await ask(workshop.as_ana, series)
    assert [one["code"] for one in refused.json()["conflicts"]] == ["taken"]
    asked = await ask(workshop.as_ana, series, conflicts="skip")
    assert [one["code"] for one in asked.json()["not_moved"]] == ["taken"]
    seen = (await workshop.as_omar.get(f"/bookings/series/{series['id']}")).json()
    assert [one["start"] for one in seen["change"]["dates"]] == [iso(at(14)), iso(at(14, days=17))]


async def test_change_that_nobody_answers_ends_and_both_sides_hear_of_it(workshop: Workshop) -> None:
    series = await confirmed(workshop, "FREQ=DAILY;COUNT=3")
    await ask(workshop.as_ana, series)
    await workshop.sql("UPDATE changes SET decide_by = now() - interval '1 s'")
    await workshop.said()
    await Sweeper(workshop.db, seconds=60).sweep()
    events = await workshop.said(BookingEvent, SeriesEvent)
    assert types_of(events) == ["change_refused"] * 3 + ["series_change_refused"]
    assert (events[-1].by, events[-1].expired, events[0].expired) == ("system", True, True)
    one = (await workshop.as_ana.get(f"/bookings/{series['bookings'][0]['id']}")).json()
    assert one["history"][-1]["what"] == "change_expired"


async def test_an_asked_change_in_vain_gives_way_to_the_one_that_it_blocks(workshop: Workshop) -> None:
    series = await confirmed(workshop, "FREQ=WEEKLY;COUNT=3")
    await ask(workshop.as_ana, series)
    await workshop.sql("UPDATE changes SET decide_by = now() - interval '1 s'")
    assert (await workshop.book(workshop.as_chloe, at(14, days=10), at(16, days=10))).status_code == 201
    assert (await workshop.as_omar.get(f"/bookings/series/{series['id']}")).json()["change"] is None


async def test_asked_again_replaces_what_was_asked(workshop: Workshop) -> None:
    series = await confirmed(workshop, "FREQ=WEEKLY;COUNT=3")
    await ask(workshop.as_ana, series)
    earlier = {"start": at(8).isoformat(), "end": at(9).isoformat()}
    await ask(workshop.as_ana, series, **earlier)
    assert (await workshop.book(workshop.as_chloe, at(14), at(15))).status_code == 201
    moved = await workshop.as_omar.post(f"/bookings/series/{series['id']}/change/accept")
    assert starts(moved.json()) == [iso(at(8, days=day)) for day in (3, 10, 17)]


async def test_requests_of_a_series_are_one_line_of_a_list_with_all_its_dates(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    await booked(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=60")
    single = (await workshop.book(workshop.as_ana, at(14), at(15))).json()
    page = (await workshop.as_omar.get("/bookings?role=to_decide&by_series=true&limit=2")).json()
    assert page["next"] is None
    series, alone = page["items"]
    assert (alone["id"], alone["waiting_dates"]) == (single["id"], None)
    assert [one["start"] for one in series["waiting_dates"]] == [iso(at(9, days=day)) for day in range(3, 63)]
    assert series["waiting_dates"][0]["booking_id"] == series["id"]
    await workshop.as_omar.post(f"/bookings/{series['id']}/approve")
    page = (await workshop.as_omar.get("/bookings?role=to_decide&by_series=true")).json()
    assert [len(one["waiting_dates"] or []) for one in page["items"]] == [0, 59]


async def test_new_dates_that_wait_are_one_line_for_whoever_answers(workshop: Workshop) -> None:
    series = await confirmed(workshop, "FREQ=WEEKLY;COUNT=3")
    assert (await ask(workshop.as_ana, series)).status_code == 200
    path = "/bookings?role=to_decide&by_series=true"
    for client in (workshop.as_omar, workshop.as_chloe):
        (one,) = (await client.get(path)).json()["items"]
        assert (one["id"], one["change"]["together"]) == (series["bookings"][0]["id"], True)
        assert len((await client.get("/bookings?role=to_decide")).json()["items"]) == 3
    assert (await workshop.as_ana.get(path)).json()["items"] == []
    await workshop.as_omar.post(f"/bookings/series/{series['id']}/change/refuse")
    assert (await ask(workshop.as_omar, series)).status_code == 200  # now the owner asks, and Ana answers
    (one,) = (await workshop.as_ana.get(path)).json()["items"]
    assert (one["id"], one["change"]["may_answer"]) == (series["bookings"][0]["id"], True)
    assert (await workshop.as_omar.get(path)).json()["items"] == []


async def test_two_wishes_for_one_series_are_answered_apart(workshop: Workshop) -> None:
    series = await confirmed(workshop, "FREQ=WEEKLY;COUNT=4")
    third = series["bookings"][2]["id"]
    later = {"start": iso(at(17, days=17)), "end": iso(at(19, days=17)), "quantity": 1, "scope": "following"}
    assert (await workshop.as_ana.put(f"/bookings/{third}/change", json=later)).status_code == 200
    for days in (17, 24):  # so that the owner's wish is for the first two alone
        assert (await workshop.book(workshop.as_omar, at(14, days=days), at(16, days=days))).status_code == 201
    assert (await ask(workshop.as_omar, series, conflicts="skip")).status_code == 200
    path = f"/bookings/series/{series['id']}/change"
    moved = (await workshop.as_omar.post(f"{path}/accept")).json()
    assert starts(moved) == [iso(at(9)), iso(at(9, days=10)), iso(at(17, days=17)), iso(at(17, days=24))]
    moved = (await workshop.as_ana.post(f"{path}/accept")).json()
    assert starts(moved) == [iso(at(14)), iso(at(14, days=10)), iso(at(17, days=17)), iso(at(17, days=24))]
