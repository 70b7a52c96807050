"""Dates of a series are moved or called off: one, the following, or all."""

import pytest

from contracts.booking import BookingEvent, SeriesEvent
from tests.services.booking.test_never_overlap import overlaps
from tests.services.booking.test_series import booked, local_day, statuses
from tests.services.booking.workshop import Workshop, at, iso, types_of


@pytest.mark.parametrize(("scope", "left"), [("this", 5), ("following", 2), ("all", 0)])
async def test_one_or_the_following_or_all_are_cancelled(workshop: Workshop, scope: str, left: int) -> None:
    series = await booked(workshop.as_ana, workshop, "FREQ=WEEKLY;COUNT=6")
    await workshop.said()
    third = series["bookings"][2]["id"]
    answer = await workshop.as_ana.post(f"/bookings/{third}/cancel", json={"scope": scope, "reason": "absente"})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    after = (await workshop.as_ana.get(f"/bookings/series/{series['id']}")).json()
    assert statuses(after).count("confirmed") == left
    events = await workshop.said(BookingEvent, SeriesEvent)
    together = [event.together for event in events]
    if scope == "this":
        assert together == [None]
    else:
        assert types_of(events) == ["cancelled"] * (6 - left) + ["series_cancelled"]
        assert (events[-1].scope, events[-1].by, len(set(together))) == (scope, "borrower", 1)


@pytest.mark.parametrize(("scope", "first"), [("all", 0), ("following", 2)])
async def test_following_or_all_move_by_the_same_wall_time(workshop: Workshop, scope: str, first: int) -> None:
    """By a whole week: each takes the place that the next one leaves."""
    series = await booked(workshop.as_ana, workshop, "FREQ=WEEKLY;COUNT=40")
    await workshop.said()
    body = {"start": at(10, days=24).isoformat(), "end": at(13, days=24).isoformat(), "quantity": 1, "scope": scope}
    answer = await workshop.as_ana.put(f"/bookings/{series['bookings'][2]['id']}/change", json=body)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["start"], answer.json()["not_moved"]) == (iso(at(10, days=24)), [])
    after = (await workshop.as_ana.get(f"/bookings/series/{series['id']}")).json()["bookings"]
    days = [3 + 7 * number + (7 if number >= first else 0) for number in range(40)]
    hours = [9 if number < first else 10 for number in range(40)]
    assert [one["start"] for one in after] == [iso(at(hour, days=day)) for hour, day in zip(hours, days, strict=True)]
    events = await workshop.said(BookingEvent, SeriesEvent)
    assert types_of(events) == ["moved"] * (40 - first) + ["series_moved"]
    assert await overlaps(workshop) == 0


async def test_nothing_moves_unless_all_can_or_those_that_cannot_may_stay(workshop: Workshop) -> None:
    series = await booked(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=5")
    await workshop.book(workshop.as_chloe, at(12, days=5), at(13, days=5))
    await workshop.said()
    path = f"/bookings/{series['bookings'][0]['id']}/change"
    body = {"start": at(11).isoformat(), "end": at(13).isoformat(), "quantity": 1, "scope": "all"}
    refused = await workshop.as_ana.put(path, json=body)
    assert refused.status_code == 409
    assert [one["date"] for one in refused.json()["conflicts"]] == [local_day(5)]
    assert await workshop.said() == []
    moved = await workshop.as_ana.put(path, json=body | {"conflicts": "skip"})
    assert [one["code"] for one in moved.json()["not_moved"]] == ["taken"]
    after = (await workshop.as_ana.get(f"/bookings/series/{series['id']}")).json()["bookings"]
    assert [one["moved"] for one in after] == [True, True, False, True, True]
    assert await overlaps(workshop) == 0


async def test_one_that_stays_is_in_the_way_of_the_one_before(workshop: Workshop) -> None:
    series = await booked(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=3")
    await workshop.book(workshop.as_chloe, at(9, days=6), at(11, days=6))
    path = f"/bookings/{series['bookings'][0]['id']}/change"
    body = {"start": at(9, days=4).isoformat(), "end": at(11, days=4).isoformat(), "quantity": 1, "scope": "all"}
    answer = await workshop.as_ana.put(path, json=body | {"conflicts": "skip"})
    assert answer.status_code == 409  # the last one stays, so the one before it stays, so the first stays
    assert answer.json()["free"] == 0
