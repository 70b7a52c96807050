"""The main job over two linked cooperatives, as people live it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from deploy.demo import seed, story
from deploy.demo.api import Json, Refused, Visitor, wait_for
from deploy.demo.seed import LASER, Town
from tests.journeys.conftest import Region

pytestmark = pytest.mark.xdist_group("journeys")


def test_a_need_in_lille_becomes_a_booking_in_namur_although_a_process_was_killed(region: Region) -> None:
    seed.share(region.namur, "paul", LASER)
    story.play(region.lille, region.namur, region.mailbox, region.kill_and_restart)


def offer(town: Town, owner: str, **changes: Any) -> Json:
    """A bookable offer of its own for one journey."""
    return seed.share(town, owner, LASER | {"title": f"Scie à ruban {uuid4().hex[:8]}"} | changes)


def copy_of(town: Town, who: str, title: str) -> Json | None:
    items = town.members[who].get("matching/search", q=title, side="offer")["items"]
    return next((item for item in items if item["title"] == title), None)


def first_free(town: Town, who: str, found: Json, hours: int = 1) -> Json:
    start_day = (datetime.now().astimezone() + timedelta(days=1)).date().isoformat()
    path = f"booking/resources/{found['id']}/availability"
    query = {"from": start_day, "days": 7}
    days = wait_for("the week", lambda: _days(town, who, path, found, query))
    free = next(period for day in days for period in day["free"])
    start = datetime.fromisoformat(free["start"])
    return {"start": free["start"], "end": (start + timedelta(hours=hours)).isoformat()}


def _days(town: Town, who: str, path: str, found: Json, query: Json) -> list[Json] | None:
    try:
        days: list[Json] = town.members[who].get(path, origin=found["origin"], **query)["days"]
    except Refused as refused:
        if refused.status == 404:
            return None
        raise
    return days if any(day["free"] for day in days) else None


def book(region: Region, found: Json, **changes: Any) -> Json:
    period = first_free(region.lille, "marie", found)
    body = {"offer_id": found["id"], "origin": found["origin"], "quantity": 1, "note": ""} | period | changes
    booking: Json = region.lille.members["marie"].post("booking/bookings", body)
    return booking


def seen_from_lille(region: Region, title: str) -> Json:
    return wait_for(f"{title} in Lille", lambda: copy_of(region.lille, "marie", title))


def state(town: Town, who: str, booking_id: str, status: str) -> Json | None:
    booking: Json = town.members[who].get(f"booking/bookings/{booking_id}")
    return booking if booking["status"] == status else None


def request_in_namur(region: Region, title: str) -> Json | None:
    rows = region.namur.members["paul"].get("booking/bookings", role="to_decide")["items"]
    return next((row for row in rows if row["offer_title"] == title), None)


def test_what_is_withdrawn_in_namur_disappears_in_lille(region: Region) -> None:
    title = offer(region.namur, "paul")["title"]
    found = seen_from_lille(region, title)
    region.namur.members["paul"].post(f"catalog/listings/{found['id']}/withdraw")
    wait_for("its disappearance", lambda: copy_of(region.lille, "marie", title) is None)
    with pytest.raises(Refused) as refused:
        region.lille.members["marie"].get(f"catalog/listings/{found['id']}", origin=found["origin"])
    assert refused.value.status in {404, 410}


def test_an_offer_for_the_own_cooperative_never_leaves_it(region: Region) -> None:
    inside = offer(region.namur, "paul", audience={"scope": "cooperative"})["title"]
    outside = offer(region.namur, "paul")["title"]
    seen_from_lille(region, outside)
    wait_for("the offer in Namur", lambda: copy_of(region.namur, "sophie", inside))
    assert copy_of(region.lille, "marie", inside) is None


def test_an_offer_narrowed_to_the_own_cooperative_disappears_at_the_peer(region: Region) -> None:
    made = offer(region.namur, "paul")
    seen_from_lille(region, made["title"])
    paul = region.namur.members["paul"]
    read: Json = paul.get(f"catalog/listings/{made['id']}")
    form = LASER | {"title": made["title"], "audience": {"scope": "cooperative"}, "version": read["version"]}
    paul.call("PUT", f"catalog/listings/{made['id']}", json=form)
    wait_for("its disappearance", lambda: copy_of(region.lille, "marie", made["title"]) is None)


def test_the_exact_address_stays_in_namur_until_it_is_needed(region: Region) -> None:
    found = seen_from_lille(region, offer(region.namur, "paul")["title"])
    assert "Carmes" not in str(
        region.lille.members["marie"].get(f"catalog/listings/{found['id']}", origin=found["origin"])
    )
    booking = book(region, found)
    assert "Carmes" not in str(booking)
    request = wait_for("the request", lambda: request_in_namur(region, found["title"]))
    region.namur.members["paul"].post(f"booking/bookings/{request['id']}/approve")
    confirmed = wait_for("yes", lambda: state(region.lille, "marie", booking["id"], "confirmed"))
    assert "Carmes" in confirmed["place_label"]


def test_no_is_told_with_its_reason_and_the_name_is_never_known(region: Region) -> None:
    found = seen_from_lille(region, offer(region.namur, "paul")["title"])
    booking = book(region, found)
    request = wait_for("the request", lambda: request_in_namur(region, found["title"]))
    assert "Marie" not in str(request)
    region.namur.members["paul"].post(
        f"booking/bookings/{request['id']}/decline", {"reason": "La lame est au réglage."}
    )
    declined = wait_for("no", lambda: state(region.lille, "marie", booking["id"], "declined"))
    assert declined["reason"] == "La lame est au réglage."
    assert "Marie" not in str(region.namur.members["paul"].get(f"booking/bookings/{request['id']}"))


def test_a_cancellation_frees_the_hours_on_both_sides(region: Region) -> None:
    found = seen_from_lille(region, offer(region.namur, "paul")["title"])
    booking = book(region, found)
    request = wait_for("the request", lambda: request_in_namur(region, found["title"]))
    region.namur.members["paul"].post(f"booking/bookings/{request['id']}/approve")
    wait_for("yes", lambda: state(region.lille, "marie", booking["id"], "confirmed"))
    region.lille.members["marie"].post(f"booking/bookings/{booking['id']}/cancel", {"reason": "Le stand est annulé."})
    wait_for("the end in Lille", lambda: state(region.lille, "marie", booking["id"], "cancelled"))
    assert state(region.namur, "paul", request["id"], "cancelled")
    wait_for("the hours in Lille", lambda: first_free(region.lille, "karim", found)["start"] == booking["start"])


def test_a_stranger_gets_only_what_is_public(region: Region) -> None:
    open_to_all = offer(region.lille, "karim", audience={"scope": "public"})["title"]
    for_peers = offer(region.lille, "karim")["title"]
    visitor = Visitor(region.lille.url, region.mailbox.http)

    def titles() -> list[str]:
        return [
            item["title"] for item in visitor.get("matching/search", q="scie à ruban", side="offer", limit=100)["items"]
        ]

    wait_for("the public offer", lambda: open_to_all in titles())
    assert for_peers not in titles()
