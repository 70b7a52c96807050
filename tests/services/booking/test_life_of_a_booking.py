"""Limits, expiry, completion, withdrawal, and people who leave."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.booking import BookingCompleted, BookingEvent, BookingExpired, ResourceChanged
from contracts.catalog import Audience, ListingWithdrawn
from contracts.identity import CircleChanged, CircleState, MemberChanged, MemberState
from services.booking.loops import Sweeper
from services.chassis.ids import new_id
from tests.services.booking.workshop import EVERY_DAY, RULES, Workshop, at, types_of


async def test_expired_request_gives_way_to_the_one_that_it_blocks(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    old = (await workshop.book(workshop.as_chloe, at(9), at(11))).json()
    await workshop.sql("UPDATE bookings SET decide_by = now() - interval '1 s'")
    await workshop.said()
    new = await workshop.book(workshop.as_ana, at(10), at(12))
    assert new.status_code == 201, new.text
    assert types_of(await workshop.said()) == ["expired", "requested", "busy_changed"]
    assert (await workshop.as_chloe.get(f"/bookings/{old['id']}")).json()["status"] == "expired"


async def test_sweeper_expires_the_undecided_and_completes_the_past_after_its_buffer(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    await workshop.book(workshop.as_ana, at(9), at(11))
    await workshop.rules(approval="automatic", buffer_after_minutes=60)
    await workshop.book(workshop.as_ana, at(9, days=4), at(11, days=4))
    await workshop.sql("UPDATE bookings SET decide_by = now() - interval '1 s' WHERE status = 'pending'")
    await workshop.sql(
        "UPDATE bookings SET starts_at = now() - interval '2 h', ends_at = now() - interval '5 min', "
        "occupied = tstzrange(now() - interval '2 h', now() + interval '55 min') WHERE status = 'confirmed'"
    )
    await workshop.said()
    sweeper = Sweeper(workshop.db, seconds=60)
    await sweeper.sweep()
    (expired,) = await workshop.said(BookingEvent)
    assert isinstance(expired, BookingExpired)
    await workshop.sql(
        "UPDATE bookings SET occupied = tstzrange(now() - interval '2 h', now() - interval '1 s') "
        "WHERE status = 'confirmed'"
    )
    await sweeper.sweep()
    (completed,) = await workshop.said()
    assert isinstance(completed, BookingCompleted)
    await sweeper.sweep()
    assert await workshop.said() == []


async def test_the_eleventh_waiting_request_is_refused_and_two_tabs_do_not_help(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    days = range(3, 15)
    answers = await asyncio.gather(*(workshop.book(workshop.as_ana, at(9, days=day), at(10, days=day)) for day in days))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] * 10 + [409] * 2


async def test_withdrawn_offer_takes_no_new_bookings_and_keeps_those_that_exist(workshop: Workshop) -> None:
    kept = (await workshop.book(workshop.as_ana, at(9), at(11))).json()
    await workshop.said()
    await workshop.hear(ListingWithdrawn(id=workshop.laser, side="offer", version=99, reason="withdrawn"))
    (changed,) = await workshop.said()
    assert isinstance(changed, ResourceChanged)
    assert changed.resource.status == "closed"
    assert (await workshop.book(workshop.as_chloe, at(13), at(14))).status_code in {404, 409}
    assert (await workshop.as_ana.get(f"/bookings/{kept['id']}")).json()["status"] == "confirmed"
    shown = (await workshop.as_omar.get(f"/resources/{workshop.laser}")).json()
    assert (shown["status"], shown["upcoming"]) == ("closed", 1)


async def test_requests_of_an_owner_who_left_go_to_coordinators(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    asked = (await workshop.book(workshop.as_ana, at(9), at(11))).json()
    await workshop.said()
    left = MemberState(id=workshop.omar, name="Omar", role="member", status="left", locale="fr", version=2)
    await workshop.hear(MemberChanged(member=left))
    (handed,) = await workshop.said()
    assert (handed.type, handed.booking.owner.member_id) == ("booking.requested.v1", None)
    await workshop.hear(ListingWithdrawn(id=workshop.laser, side="offer", version=99, reason="owner_left"))
    approved = await workshop.as_chloe.post(f"/bookings/{asked['id']}/approve")
    assert approved.json()["status"] == "confirmed", approved.text
    assert (await workshop.as_omar.get("/bookings")).status_code == 403


async def test_coordinator_neither_approves_own_request_nor_is_passed_over(workshop: Workshop) -> None:
    await workshop.rules(approval="coordinator")
    own = (await workshop.book(workshop.as_chloe, at(9), at(11))).json()
    assert (await workshop.as_chloe.post(f"/bookings/{own['id']}/approve")).status_code == 403
    assert (await workshop.as_omar.post(f"/bookings/{own['id']}/approve")).status_code == 403
    other = workshop.client(new_id(), role="administrator", name="Luc")
    assert (await other.post(f"/bookings/{own['id']}/decline", json={"reason": "fermé"})).json()["reason"] == "fermé"


async def test_rules_are_checked_again_at_approval(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    asked = (await workshop.book(workshop.as_ana, at(9), at(11))).json()
    await workshop.rules(approval="owner", opening_hours=[one | {"opens": "10:00"} for one in EVERY_DAY])
    refused = await workshop.as_omar.post(f"/bookings/{asked['id']}/approve")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "outside_hours")
    await workshop.rules(approval="owner")
    await workshop.publish(audience=Audience(scope="circle", circle_ids=[new_id()]))
    refused = await workshop.as_omar.post(f"/bookings/{asked['id']}/approve")
    assert refused.json()["type"] == "urn:maillage:problem:booking/no-longer-shared"


async def test_offer_of_a_circle_is_for_its_members(workshop: Workshop) -> None:
    circle = new_id()
    await workshop.publish(audience=Audience(scope="circle", circle_ids=[circle]))
    assert (await workshop.book(workshop.as_ana, at(9), at(11))).status_code == 404
    state = CircleState(id=circle, name="Atelier", purpose="", member_ids=[workshop.ana], status="active", version=1)
    await workshop.hear(CircleChanged(circle=state))
    assert (await workshop.book(workshop.as_ana, at(9), at(11))).status_code == 201


async def test_same_key_books_once(workshop: Workshop) -> None:
    key = {"Idempotency-Key": "k1"}
    first = await workshop.book(workshop.as_ana, at(9), at(11), headers=key)
    again = await workshop.book(workshop.as_ana, at(9), at(11), headers=key)
    assert (first.status_code, again.status_code, first.json()["id"]) == (201, 201, again.json()["id"])
    other = await workshop.book(workshop.as_ana, at(12), at(13), headers=key)
    assert other.status_code == 422


async def test_pages_follow_each_other(workshop: Workshop) -> None:
    for hour in range(8, 13):
        await workshop.book(workshop.as_ana, at(hour), at(hour + 1))
    params: dict[str, Any] = {"limit": 2, "from": datetime.now(UTC).isoformat()}
    starts: list[str] = []
    while True:
        page = (await workshop.as_ana.get("/bookings", params=params)).json()
        starts += [one["start"] for one in page["items"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert starts == sorted(starts)
    assert len(starts) == 5
    assert (await workshop.as_ana.get("/bookings", params={"cursor": "x"})).status_code == 422


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../etc"}, "time_zone"),
        ({"opening_hours": [{"weekday": 7, "opens": "08:00", "closes": "09:00"}]}, "opening_hours"),
        ({"opening_hours": [{"weekday": 0, "opens": "09:00", "closes": "08:00"}]}, "opening_hours"),
        ({"opening_hours": [EVERY_DAY[0], EVERY_DAY[0]]}, "opening_hours"),
        ({"step_minutes": 120, "minimum_minutes": 90, "maximum_minutes": 100}, "maximum_minutes"),
        ({"horizon_days": 10_000}, "horizon_days"),
    ],
)
async def test_wrong_rules_are_told_by_field(workshop: Workshop, changes: dict[str, Any], field: str) -> None:
    answer = await workshop.as_omar.put(f"/resources/{workshop.laser}", json=RULES | changes)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await workshop.as_ana.put(f"/resources/{workshop.laser}", json=RULES)).status_code == 403


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2027-03-28T02:30:00"])
async def test_instants_out_of_this_world_are_refused(workshop: Workshop, start: str) -> None:
    body = {"offer_id": str(workshop.laser), "start": start, "end": (at(9) + timedelta(hours=1)).isoformat()}
    answer = await workshop.as_ana.post("/bookings", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "start")
