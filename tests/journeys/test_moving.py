"""A booking that is to be moved, within one cooperative: asked, refused, asked again, accepted."""

from datetime import datetime, timedelta

import pytest

from deploy.demo.api import Json, wait_for
from tests.journeys.conftest import Region
from tests.journeys.test_main_job import first_free, offer

pytestmark = pytest.mark.xdist_group("journeys")


def test_a_booking_is_moved_once_its_owner_agrees(region: Region) -> None:
    marie, karim = region.lille.members["marie"], region.lille.members["karim"]
    made = offer(region.lille, "karim")
    found = {"id": made["id"], "origin": None}
    period = first_free(region.lille, "marie", found)
    booking: Json = marie.post("booking/bookings", {"offer_id": found["id"], "quantity": 1, "note": ""} | period)
    karim.post(f"booking/bookings/{booking['id']}/approve")

    later = {name: _later(period[name], hours=3) for name in ("start", "end")}
    wanted = later | {"quantity": 1, "note": "Le stand arrive plus tard."}
    asked: Json = marie.call("PUT", f"booking/bookings/{booking['id']}/change", json=wanted)
    assert asked["change"]["may_withdraw"]
    _told(region, "karim", made["title"], "Changement à accepter")
    karim.post(f"booking/bookings/{booking['id']}/change/refuse")
    _told(region, "marie", made["title"], "rien ne change")

    marie.call("PUT", f"booking/bookings/{booking['id']}/change", json=wanted)
    moved: Json = karim.post(f"booking/bookings/{booking['id']}/change/accept")
    assert datetime.fromisoformat(moved["start"]) == datetime.fromisoformat(later["start"])
    for who in ("marie", "karim"):
        _told(region, who, made["title"], "déplacé")
    assert first_free(region.lille, "marie", found)["start"] == period["start"]


def _later(moment: str, *, hours: int) -> str:
    return (datetime.fromisoformat(moment) + timedelta(hours=hours)).isoformat()


def _told(region: Region, who: str, title: str, words: str) -> None:
    """Wait until `who` of Lille reads `words` about what is called `title`."""

    def told() -> bool:
        items: list[Json] = region.lille.members[who].get("notify/inbox")["items"]
        return any(title in item["title"] and words in item["title"] for item in items)

    wait_for(f"«{words}» for {who}", told)
