"""Series: booked whole or not at all, decided in one step, cancelled one by one or together."""

import asyncio
import time
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy.exc import IntegrityError

from contracts.booking import BookingEvent, SeriesEvent
from services.booking.loops import Sweeper
from services.chassis.ids import new_id
from tests.services.booking.test_never_overlap import overlaps
from tests.services.booking.workshop import Workshop, at, iso, types_of

PARIS = ZoneInfo("Europe/Paris")


def form(workshop: Workshop, rrule: str, **more: Any) -> dict[str, Any]:
    body = {"offer_id": str(workshop.laser), "start": at(9).isoformat(), "end": at(11).isoformat(), "rrule": rrule}
    return body | more


async def book(client: httpx.AsyncClient, workshop: Workshop, rrule: str, **more: Any) -> httpx.Response:
    return await client.post("/bookings/series", json=form(workshop, rrule, **more))


async def booked(client: httpx.AsyncClient, workshop: Workshop, rrule: str, **more: Any) -> dict[str, Any]:
    answer = await book(client, workshop, rrule, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def statuses(series: dict[str, Any]) -> list[str]:
    return [one["status"] for one in series["bookings"]]


def local_day(days: int) -> str:
    return at(9, days=days).astimezone(PARIS).date().isoformat()


async def test_every_occurrence_is_booked_at_the_same_wall_time(workshop: Workshop) -> None:
    series = await booked(workshop.as_ana, workshop, "FREQ=WEEKLY;COUNT=60", note="couture")
    assert statuses(series) == ["confirmed"] * 60
    walls = [datetime.fromisoformat(one["start"]).astimezone(PARIS) for one in series["bookings"]]
    assert {(wall.hour, wall.minute) for wall in walls} == {(9, 0)}
    assert len({wall.utcoffset() for wall in walls}) == 2  # a year has both
    assert [one["position"] for one in series["bookings"]] == list(range(1, 61))
    *events, told, busy = await workshop.said()
    assert types_of([told, busy]) == ["series_confirmed", "busy_changed"]
    assert {event.together for event in events} == {told.together}
    assert [event.booking.series.position for event in events] == list(range(1, 61))
    assert len(told.series.dates) == told.series.of == 60
    one = (await workshop.as_ana.get(f"/bookings/{series['bookings'][3]['id']}")).json()
    assert one["series"] == {"id": series["id"], "position": 4, "of": 60}
    assert [line["what"] for line in one["history"]] == ["booked"]
    found = (await workshop.as_omar.get(f"/bookings/series/{series['id']}")).json()
    assert found["bookings"] == series["bookings"]
    assert (await workshop.client(new_id()).get(f"/bookings/series/{series['id']}")).status_code == 404


async def test_each_conflict_is_listed_with_reason_and_alternatives_and_nothing_is_booked(workshop: Workshop) -> None:
    closed = date.fromisoformat(local_day(10))
    closure = {"first": closed.isoformat(), "last": closed.isoformat(), "label": "Inventaire"}
    await workshop.rules(terms={"closures": [closure]})
    await workshop.book(workshop.as_chloe, at(10, days=5), at(12, days=5))
    await workshop.said()
    checked = await workshop.as_ana.post(
        "/bookings/series/check", json=form(workshop, "FREQ=DAILY;COUNT=10"), headers={"Accept-Language": "fr"}
    )
    assert checked.status_code == 200, checked.text
    found = checked.json()
    assert [(one["date"], one["code"]) for one in found["conflicts"]] == [
        (local_day(5), "taken"),
        (local_day(10), "closed_day"),
    ]
    assert len(found["dates"]) == 8
    assert found["conflicts"][1]["detail"] == "Fermé ce jour-là (Inventaire)."
    assert next(one["start"] for one in found["conflicts"][0]["alternatives"]) == iso(at(8, days=5))
    refused = await book(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=10")
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["type"] == "urn:maillage:problem:booking/series-has-conflicts"
    assert (problem["count"], problem["free"]) == (2, 8)
    assert problem["conflicts"][0]["alternatives"]
    for one in problem["conflicts"][0]["alternatives"]:
        assert (await workshop.book(workshop.as_ana, *map(datetime.fromisoformat, one.values()))).status_code in {
            201,
            409,
        }
    assert list(await workshop.said(SeriesEvent)) == []


async def test_asked_to_skip_the_rest_is_booked_and_left_out_dates_are_remembered(workshop: Workshop) -> None:
    await workshop.book(workshop.as_chloe, at(10, days=5), at(12, days=5))
    series = await booked(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=5", conflicts="skip", exceptions=[local_day(4)])
    assert len(series["bookings"]) == series["size"] == 3
    assert series["exceptions"] == [local_day(4), local_day(5)]
    assert [one["code"] for one in series["conflicts"]] == ["taken"]
    assert await overlaps(workshop) == 0
    none_left = await book(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=1", conflicts="skip")
    assert none_left.status_code == 409


async def test_moved_date_takes_its_own_period(workshop: Workshop) -> None:
    moved = [{"from": local_day(10), "start": at(14, days=11).isoformat(), "end": at(15, days=11).isoformat()}]
    series = await booked(workshop.as_ana, workshop, "FREQ=WEEKLY;COUNT=3", moved=moved)
    assert [one["start"] for one in series["bookings"]] == [iso(at(9)), iso(at(14, days=11)), iso(at(9, days=17))]
    assert [one["moved"] for one in series["bookings"]] == [False, True, False]
    strange = moved[0] | {"from": local_day(9)}
    answer = await book(workshop.as_ana, workshop, "FREQ=WEEKLY;COUNT=3", moved=[strange])
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "moved")


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=DAILY",
        "FREQ=DAILY;COUNT=1000000",
        "FREQ=DAILY;COUNT=999999999",
        "FREQ=SECONDLY;COUNT=2",
        "FREQ=YEARLY;COUNT=2",
        "FREQ=DAILY;BYEASTER=1;COUNT=2",
        "FREQ=DAILY;INTERVAL=0;COUNT=2",
        "FREQ=DAILY;INTERVAL=" + "9" * 400 + ";COUNT=2",
        "FREQ=WEEKLY;UNTIL=21991231",
        "FREQ=WEEKLY;UNTIL=99991231T235959Z",
        "FREQ=DAILY;UNTIL=20271399",
        "FREQ=MONTHLY;INTERVAL=999;COUNT=366",
        "FREQ=DAILY;BYSETPOS=1;COUNT=2",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=WEEKLY;BYDAY=3TH;COUNT=2",
        "FREQ=DAILY;COUNT=2;COUNT=2",
        "FREQ=DAILY;BYHOUR=1,2,3;COUNT=2",
        "COUNT=2",
        "x",
        ";",
    ],
)
async def test_hostile_rules_are_refused_at_once(workshop: Workshop, rrule: str) -> None:
    begun = time.process_time()  # whatever others do on this machine
    answer = await book(workshop.as_ana, workshop, rrule)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "rrule"), answer.text
    assert time.process_time() - begun < 2


async def test_whole_series_is_one_request_and_one_decision(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    await workshop.said()
    series = await booked(workshop.as_ana, workshop, "FREQ=WEEKLY;COUNT=12")
    assert statuses(series) == ["pending"] * 12
    events = await workshop.said(BookingEvent, SeriesEvent)
    assert types_of(events) == ["requested"] * 12 + ["series_requested"]
    path = f"/bookings/series/{series['id']}"
    assert (await workshop.as_ana.post(f"{path}/approve")).status_code == 403
    assert (await workshop.as_omar.get(path)).json()["may_decide"]
    single = series["bookings"][2]["id"]
    assert (await workshop.as_omar.post(f"/bookings/{single}/decline", json={})).status_code == 200
    await workshop.said()
    approved = await workshop.as_omar.post(f"{path}/approve")
    assert approved.status_code == 200, approved.text
    assert sorted(statuses(approved.json())) == ["confirmed"] * 11 + ["declined"]
    assert approved.json()["status"] == "confirmed"
    events = await workshop.said(BookingEvent, SeriesEvent)
    assert types_of(events) == ["confirmed"] * 11 + ["series_confirmed"]
    assert len({event.together for event in events}) == 1
    assert (await workshop.as_omar.post(f"{path}/approve")).status_code == 409


async def test_series_is_declined_in_one_step(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    series = await booked(workshop.as_ana, workshop, "FREQ=WEEKLY;COUNT=4")
    await workshop.said()
    declined = await workshop.as_omar.post(f"/bookings/series/{series['id']}/decline", json={"reason": "travaux"})
    assert statuses(declined.json()) == ["declined"] * 4
    told = (await workshop.said(SeriesEvent))[0]
    assert (told.type, told.series.reason) == ("booking.series_declined.v1", "travaux")
    assert (await book(workshop.as_chloe, workshop, "FREQ=WEEKLY;COUNT=4")).status_code == 201


async def test_ten_series_may_wait_and_the_eleventh_request_may_not(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    for hour in range(8, 18):
        body = {"start": at(hour).isoformat(), "end": at(hour + 1).isoformat()}
        await booked(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=12", **body)
    more = {"start": at(18).isoformat(), "end": at(19).isoformat()}
    assert (await book(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=2", **more)).status_code == 409
    assert (await workshop.book(workshop.as_ana, at(18), at(19))).status_code == 409
    assert (await workshop.book(workshop.as_chloe, at(18), at(19))).status_code == 201


async def test_undecided_series_ends_whole_and_is_told_once(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    await booked(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=150")
    await workshop.sql("UPDATE bookings SET decide_by = now() - interval '1 s'")
    await workshop.said()
    await Sweeper(workshop.db, seconds=60).sweep()
    events = await workshop.said(BookingEvent, SeriesEvent)
    assert types_of(events) == ["expired"] * 150 + ["series_declined"]
    assert events[-1].expired


async def test_series_in_vain_gives_way_to_the_one_that_it_blocks(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    await booked(workshop.as_chloe, workshop, "FREQ=DAILY;COUNT=5")
    await workshop.sql("UPDATE bookings SET decide_by = now() - interval '1 s'")
    assert statuses(await booked(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=3")) == ["pending"] * 3


async def test_quota_counts_the_dates_of_the_series_itself(workshop: Workshop) -> None:
    quota = {"scope": "member", "per": "week", "unit": "bookings", "most": 2}
    await workshop.rules(terms={"quotas": [quota]})
    answer = await workshop.as_ana.post("/bookings/series/check", json=form(workshop, "FREQ=DAILY;COUNT=21"))
    conflicts = answer.json()["conflicts"]
    assert {one["code"] for one in conflicts} == {"quota-reached"}
    weeks = [date.fromisoformat(one["date"]).isocalendar()[:2] for one in answer.json()["dates"]]
    assert max(weeks.count(week) for week in weeks) == 2


async def test_own_dates_never_overlap(workshop: Workshop) -> None:
    always = [{"weekday": day, "opens": "00:00", "closes": "24:00"} for day in range(7)]
    await workshop.rules(opening_hours=always, maximum_minutes=3 * 24 * 60, capacity=5)
    more = {"end": at(9, days=5).isoformat()}
    answer = await workshop.as_ana.post("/bookings/series/check", json=form(workshop, "FREQ=DAILY;COUNT=4", **more))
    assert [one["code"] for one in answer.json()["conflicts"]] == ["own_overlap", "own_overlap"]


async def test_two_series_for_the_same_hours_never_overlap(workshop: Workshop) -> None:
    clients = [workshop.client(new_id(), name=f"Membre {number}") for number in range(6)]
    answers = await asyncio.gather(
        *(
            book(client, workshop, f"FREQ=DAILY;INTERVAL={1 + number % 3};COUNT=20", conflicts="skip")
            for number, client in enumerate(clients)
        ),
        *(workshop.book(clients[0], at(10, days=day), at(12, days=day)) for day in range(4, 12)),
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert sum(answer.status_code == 201 for answer in answers) >= 1
    assert await overlaps(workshop) == 0


async def test_exactly_one_of_two_equal_series_is_booked(workshop: Workshop) -> None:
    for number in range(5):
        body = {"start": at(8 + 2 * number).isoformat(), "end": at(10 + 2 * number).isoformat()}
        answers = await asyncio.gather(
            book(workshop.as_ana, workshop, "FREQ=WEEKLY;COUNT=10", **body),
            book(workshop.as_chloe, workshop, "FREQ=WEEKLY;COUNT=10", **body),
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await overlaps(workshop) == 0


async def test_same_key_books_one_series(workshop: Workshop) -> None:
    body, key = form(workshop, "FREQ=WEEKLY;COUNT=3"), {"Idempotency-Key": "s1"}
    first = await workshop.as_ana.post("/bookings/series", json=body, headers=key)
    again = await workshop.as_ana.post("/bookings/series", json=body, headers=key)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())


async def test_two_years_of_weeks_are_checked_and_booked_quickly(workshop: Workshop) -> None:
    for day in range(3, 60):
        await workshop.book(workshop.as_chloe, at(15, days=day), at(16, days=day))
    spent: list[float] = []
    for hour in (8, 10, 12):
        body = form(workshop, "FREQ=WEEKLY;COUNT=104")
        body |= {"start": at(hour).isoformat(), "end": at(hour + 1).isoformat()}
        begun = time.perf_counter()
        answer = await workshop.as_ana.post("/bookings/series", json=body)
        spent.append(time.perf_counter() - begun)
        assert answer.status_code == 201, answer.text
        assert len(answer.json()["bookings"]) == 104
    print(f"104 occurrences checked and booked in {', '.join(f'{one * 1000:.0f} ms' for one in spent)}")


async def test_series_goes_further_than_the_horizon_and_single_ones_of_it_can_be_approved(workshop: Workshop) -> None:
    await workshop.rules(approval="owner", horizon_days=30)
    series = await booked(workshop.as_ana, workshop, "FREQ=WEEKLY;COUNT=52")
    last = series["bookings"][-1]["id"]
    approved = await workshop.as_omar.post(f"/bookings/{last}/approve")
    assert (approved.status_code, approved.json()["status"]) == (200, "confirmed"), approved.text


async def test_the_database_refuses_rows_of_one_statement_that_overlap(workshop: Workshop) -> None:
    """The engine under the rules: several rows of one statement are checked beside each other."""
    await workshop.rules(capacity=2)
    series = await booked(workshop.as_ana, workshop, "FREQ=DAILY;COUNT=3")
    assert len(series["bookings"]) == 3
    with pytest.raises(IntegrityError, match="would be taken"):
        await workshop.sql("UPDATE bookings SET occupied = tstzrange('2030-01-01', '2030-01-02')")
