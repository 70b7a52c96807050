"""A machine of Namur in the hands of somebody from Lille, and the line that it leaves on both sides."""

from datetime import UTC, datetime, timedelta

import pytest

from deploy.demo.api import Json, wait_for
from tests.journeys.conftest import Region
from tests.journeys.test_main_job import copy_of, offer, state

pytestmark = pytest.mark.xdist_group("journeys")

ALWAYS = [{"weekday": day, "opens": "00:00", "closes": "24:00"} for day in range(7)]
RULES: Json = {
    "time_zone": "Europe/Brussels", "opening_hours": ALWAYS, "step_minutes": 5, "minimum_minutes": 60,
    "maximum_minutes": 120, "approval": "automatic", "check_in": "asked", "grace_minutes": 30,
}  # fmt: skip


def soon() -> Json:
    """An hour that begins in two to seven minutes: late enough to be asked for, soon enough to arrive."""
    now = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=2)
    start = now + timedelta(minutes=5 - now.minute % 5)
    return {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}


def seen_with_rules(region: Region, title: str) -> Json | None:
    found = copy_of(region.lille, "marie", title)
    if found is None:
        return None
    try:
        path = f"booking/resources/{found['id']}"
        told: Json = region.lille.members["marie"].get(path, origin=found["origin"])
    except RuntimeError:
        return None
    return found if told["check_in"] == "asked" else None


def line(region: Region, town: str, booking_id: str) -> Json | None:
    """The line that the coordinators of `town` see of a booking."""
    uses = (region.lille if town == "lille" else region.namur).coordinator.get("booking/uses", limit=200)["items"]
    return next((one for one in uses if one["booking_id"] == booking_id), None)


def test_who_comes_from_lille_is_checked_in_there_says_goodbye_at_home_and_both_keep_the_same_line(
    region: Region,
) -> None:
    marie, paul = region.lille.members["marie"], region.namur.members["paul"]
    made = offer(region.namur, "paul")
    paul.call("PUT", f"booking/resources/{made['id']}", json=RULES)
    found = wait_for("the rules in Lille", lambda: seen_with_rules(region, made["title"]))
    asked = {"offer_id": found["id"], "origin": found["origin"], "quantity": 1, "note": ""} | soon()
    booking = marie.post("booking/bookings", asked)
    wait_for("yes", lambda: state(region.lille, "marie", booking["id"], "confirmed"))
    there = paul.get(f"booking/bookings/{booking['id']}")
    assert there["may_check_in"]
    assert marie.get(f"booking/bookings/{booking['id']}")["check_in_code"] is None

    paul.post(f"booking/bookings/{booking['id']}/check-in", {"code": there["check_in_code"]})
    wait_for("its use in Lille", lambda: state(region.lille, "marie", booking["id"], "in_use"))
    marie.post(f"booking/bookings/{booking['id']}/check-out")
    wait_for("its end in Namur", lambda: state(region.namur, "paul", booking["id"], "completed"))
    wait_for("its end in Lille", lambda: state(region.lille, "marie", booking["id"], "completed"))

    lent, borrowed = line(region, "namur", booking["id"]), line(region, "lille", booking["id"])
    assert lent is not None
    assert borrowed is not None
    same = ("kind", "offer_id", "offer_title", "start", "end", "minutes", "quantity", "value")
    assert {name: lent[name] for name in same} == {name: borrowed[name] for name in same}
    assert (lent["borrower"]["name"], borrowed["owner"]["name"]) == (None, None)
    assert borrowed["borrower"]["name"] is not None
    [with_namur] = region.lille.coordinator.get("booking/balance")["peers"]
    assert with_namur["received"]["uses"] >= 1
