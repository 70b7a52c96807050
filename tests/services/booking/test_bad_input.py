"""What nobody should send, at every door to a booking: each has a clear answer, and nothing is booked by accident."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from services.booking.loops import Sweeper
from tests.hammer.crowd import Crowd, gathered
from tests.instances import Instance
from tests.services.booking.workshop import RULES, Workshop, at, iso

SPRING, AUTUMN = "2027-03-28", "2027-10-31"
NIGHT: dict[str, Any] = {"opening_hours": [{"weekday": day, "opens": "00:00", "closes": "24:00"} for day in range(7)]}
DOORS = ("bookings", "holds", "bookings/series", "bookings/series/check", "change")
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "ends before it begins": ({"start": iso(at(11)), "end": iso(at(9))}, "ends_before_start"),
    "lasts nothing": ({"start": iso(at(9)), "end": iso(at(9))}, "ends_before_start"),
    "in the past": ({"start": iso(at(9, days=-2)), "end": iso(at(10, days=-2))}, "in_the_past"),
    "too far ahead": ({"start": iso(at(9, days=900)), "end": iso(at(10, days=900))}, "too_far_ahead"),
    "the last year there is": ({"start": "9999-12-31T22:00:00Z", "end": "9999-12-31T23:00:00Z"}, ""),
    "before there were calendars": ({"start": "0001-01-01T00:00:00Z", "end": "0001-01-01T01:00:00Z"}, ""),
    "a wall time of nowhere": ({"start": at(9).strftime("%Y-%m-%dT%H:%M:%S")}, ""),
    "no time at all": ({"start": "demain"}, ""),
    "nothing of it": ({"quantity": 0}, ""),
    "less than nothing": ({"quantity": -1}, ""),
    "more than there is": ({"quantity": 3}, "beyond_capacity"),
    "more than can be counted": ({"quantity": 10**30}, ""),
    "half of one": ({"quantity": 0.5}, ""),
}
RRULES = (
    "FREQ=DAILY",  # without an end
    "FREQ=DAILY;COUNT=1000000",
    "FREQ=SECONDLY;COUNT=2",
    "FREQ=DAILY;UNTIL=99991231",
    "FREQ=DAILY;COUNT=0",
    "FREQ=DAILY;COUNT=-5",
    "FREQ=WEEKLY;BYDAY=XX;COUNT=2",
    "tous les jeudis",
)


async def knock(workshop: Workshop, door: str, **changes: Any) -> httpx.Response:
    """Send what is good but for `changes`; `change`: of the booking at three."""
    body: dict[str, Any] = {"offer_id": str(workshop.laser), "start": iso(at(9)), "end": iso(at(10)), "quantity": 1}
    if door == "change":
        kept = (await workshop.as_ana.get("/bookings")).json()["items"][0]
        del body["offer_id"]
        return await workshop.as_ana.put(f"/bookings/{kept['id']}/change", json=body | changes)
    series = {"rrule": "FREQ=WEEKLY;COUNT=2"} if "series" in door else {}
    return await workshop.as_ana.post(f"/{door}", json=body | series | changes)


async def booked(workshop: Workshop) -> int:
    """How many there are, but for the one at three that a change is asked of."""
    async with workshop.db.reading() as session:
        other = sa.text("SELECT count(*) FROM bookings WHERE starts_at <> :kept OR quantity <> 1")
        return (await session.execute(other, {"kept": at(15)})).scalar_one()


@pytest.mark.parametrize("door", DOORS)
async def test_each_bad_period_and_quantity_is_told_and_nothing_is_booked(workshop: Workshop, door: str) -> None:
    await workshop.rules(capacity=2)
    await workshop.book(workshop.as_ana, at(15), at(16))
    for what, (changes, code) in BAD.items():
        answer = await knock(workshop, door, **changes)
        told = answer.text
        if door == "bookings/series/check" and answer.status_code == 200:
            assert code in {one["code"] for one in answer.json()["conflicts"]}, f"{what}: {told}"
            continue
        assert answer.status_code in {409, 422}, f"{what}: {answer.status_code} {told}"
        assert answer.headers["content-type"] == "application/problem+json", what
        assert code in told, f"{what}: {told}"
    assert await booked(workshop) == 0


async def test_rules_of_repetition_without_end_or_sense_are_refused(workshop: Workshop) -> None:
    for rrule in RRULES:
        for door in ("bookings/series", "bookings/series/check"):
            answer = await knock(workshop, door, rrule=rrule)
            assert answer.status_code == 422, f"{rrule}: {answer.text}"
    assert await booked(workshop) == 0


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../../etc/passwd", "+02:00", "x" * 100])
async def test_a_zone_that_nobody_knows_is_refused(workshop: Workshop, zone: str) -> None:
    path = f"/resources/{workshop.laser}"
    assert (await workshop.as_omar.put(path, json=RULES | {"time_zone": zone})).status_code == 422
    assert (await workshop.as_omar.get(path)).json()["time_zone"] == "Europe/Paris"


async def test_over_a_clock_change_what_passes_is_booked_and_counted(workshop: Workshop) -> None:
    """From one to four on the wall: two hours in spring, four in autumn; what does not exist has no instant."""
    await workshop.rules(**NIGHT, horizon_days=730, maximum_minutes=240, minimum_minutes=120)
    for day, begins, ends, hours in ((SPRING, "+01:00", "+02:00", 2), (AUTUMN, "+02:00", "+01:00", 4)):
        start, end = (datetime.fromisoformat(f"{day}T{text}") for text in (f"01:00:00{begins}", f"04:00:00{ends}"))
        made = (await workshop.book(workshop.as_ana, start, end)).json()
        length = datetime.fromisoformat(made["end"]) - datetime.fromisoformat(made["start"])
        assert length == timedelta(hours=hours)
        again = await workshop.book(workshop.as_omar, start + timedelta(hours=hours - 2), end)
        assert again.status_code == 409, again.text
    # 02:30 on the wall of that night, said as if it were: the instant is 03:30, and is taken
    skipped = datetime.fromisoformat(f"{SPRING}T02:30:00+01:00")
    assert (await workshop.book(workshop.as_omar, skipped, skipped + timedelta(hours=2))).status_code == 409


@pytest.fixture
async def apart(instance: Instance) -> Any:
    """Four people at two replicas whose clocks are a minute apart."""
    async with gathered(instance, members=4, replicas=2) as crowd:
        yield crowd


async def test_replicas_with_clocks_a_minute_apart_sell_one_place_once(apart: Crowd) -> None:
    workshop = apart.workshop
    for hour in range(9, 15):
        answers = await asyncio.gather(*(workshop.book(one, at(hour), at(hour + 1)) for one in apart.clients))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_no_replica_decides_when_the_time_is_over_whatever_its_clock_says(apart: Crowd) -> None:
    """The database's clock rules: no yes too late from the slow replica, no end too early from the fast one."""
    workshop = apart.workshop
    await workshop.rules(approval="owner")
    late, early = [(await workshop.book(apart.clients[0], at(hour), at(hour + 1))).json()["id"] for hour in (9, 11)]
    by = "UPDATE bookings SET decide_by = clock_timestamp() + make_interval(secs => :by) WHERE id = :id"
    await workshop.sql(by, id=late, by=-1)
    await workshop.sql(by, id=early, by=30)
    for owner in apart.owners:
        assert (await owner.post(f"/bookings/{late}/approve")).status_code == 409
    await Sweeper(workshop.db, seconds=1).sweep()
    seen = {one: (await apart.owners[0].get(f"/bookings/{one}")).json()["status"] for one in (late, early)}
    assert seen == {late: "expired", early: "pending"}
    assert (await apart.owners[1].post(f"/bookings/{early}/approve")).json()["status"] == "confirmed"


async def test_a_hold_of_the_fast_replica_is_in_the_way_at_the_slow_one_until_it_ends(apart: Crowd) -> None:
    slow, fast = apart.clients[0], apart.clients[1]
    body = {"offer_id": str(apart.workshop.laser), "start": iso(at(9)), "end": iso(at(10))}
    held = (await fast.post("/holds", json=body)).json()
    assert datetime.fromisoformat(held["decide_by"]) > datetime.now(UTC)
    assert (await apart.workshop.book(slow, at(9), at(10))).status_code == 409
    await apart.workshop.sql("UPDATE bookings SET decide_by = clock_timestamp() WHERE status = 'held'")
    assert (await apart.workshop.book(slow, at(9), at(10))).status_code == 201
    assert (await apart.workshop.book(fast, at(9), at(10), hold_id=held["id"])).status_code == 409
