"""A booking that is to be moved, within one cooperative and across the border: asked, refused, withdrawn, accepted."""

from datetime import datetime, timedelta

import pytest

from deploy.demo.api import Json, wait_for
from tests.journeys.conftest import Region
from tests.journeys.test_main_job import book, first_free, offer, request_in_namur, seen_from_lille, state

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


def test_a_booking_in_namur_is_moved_from_lille_once_namur_agrees(region: Region) -> None:
    marie, paul = region.lille.members["marie"], region.namur.members["paul"]
    found = seen_from_lille(region, offer(region.namur, "paul")["title"])
    booking = _agreed(region, found)
    path = f"booking/bookings/{booking['id']}"
    later = {name: _later(booking[name], hours=3) for name in ("start", "end")}
    wanted = later | {"quantity": 1, "note": "Le train arrive plus tard."}

    asked: Json = marie.call("PUT", f"{path}/change", json=wanted)
    assert (asked["start"], asked["change"]["may_withdraw"]) == (booking["start"], True)
    wait_for("the wish in Namur", lambda: paul.get(path)["change"])
    paul.post(f"{path}/change/refuse")
    wait_for("no", lambda: marie.get(path)["change"] is None)
    assert marie.get(path)["start"] == booking["start"]
    _told(region, "marie", found["title"], "rien ne change")

    marie.call("PUT", f"{path}/change", json=wanted)
    wait_for("the wish in Namur", lambda: paul.get(path)["change"])
    marie.post(f"{path}/change/withdraw")
    wait_for("its end in Namur", lambda: paul.get(path)["change"] is None)
    wait_for("its end in Lille", lambda: marie.get(path)["change"] is None)

    marie.call("PUT", f"{path}/change", json=wanted)
    wait_for("the wish in Namur", lambda: paul.get(path)["change"])
    paul.post(f"{path}/change/accept")
    moved = wait_for("yes", lambda: _unless(marie.get(path), start=booking["start"]))
    there: Json = paul.get(path)
    assert [moved[name] for name in ("start", "end", "quantity")] == [
        there[name] for name in ("start", "end", "quantity")
    ]
    assert moved["change"] is None
    _told(region, "marie", found["title"], "déplacé")


def test_a_guest_is_asked_by_the_owner_to_move_and_agrees(region: Region) -> None:
    marie, paul = region.lille.members["marie"], region.namur.members["paul"]
    found = seen_from_lille(region, offer(region.namur, "paul")["title"])
    booking = _agreed(region, found)
    path = f"booking/bookings/{booking['id']}"
    later = {name: _later(booking[name], hours=3) for name in ("start", "end")}
    wanted = later | {"quantity": 1, "note": "La machine part en révision."}

    paul.call("PUT", f"{path}/change", json=wanted)
    asked = wait_for("the proposal in Lille", lambda: marie.get(path)["change"])
    assert (asked["note"], asked["may_answer"]) == ("La machine part en révision.", True)
    _told(region, "marie", found["title"], "Changement à accepter")
    marie.post(f"{path}/change/refuse")
    wait_for("no in Namur", lambda: paul.get(path)["change"] is None)
    wait_for("its end in Lille", lambda: marie.get(path)["change"] is None)
    assert marie.get(path)["start"] == paul.get(path)["start"] == booking["start"]

    paul.call("PUT", f"{path}/change", json=wanted)
    wait_for("the proposal in Lille", lambda: marie.get(path)["change"])
    marie.post(f"{path}/change/accept")
    moved = wait_for("the new time in Lille", lambda: _unless(marie.get(path), start=booking["start"]))
    assert (moved["start"], moved["change"]) == (paul.get(path)["start"], None)
    _told(region, "marie", found["title"], "déplacé")


def test_what_is_called_off_too_late_stands_on_both_sides(region: Region) -> None:
    marie, paul = region.lille.members["marie"], region.namur.members["paul"]
    made = offer(region.namur, "paul")
    rules: Json = paul.get(f"booking/resources/{made['id']}")
    form = {name: rules[name] for name in ("time_zone", "opening_hours", "step_minutes", "minimum_minutes")}
    form |= {"maximum_minutes": rules["maximum_minutes"], "approval": "owner"}
    paul.call("PUT", f"booking/resources/{made['id']}", json=form | {"terms": {"cancel_notice_minutes": 30 * 1440}})
    booking = _agreed(region, seen_from_lille(region, made["title"]))
    marie.post(f"booking/bookings/{booking['id']}/cancel", {"reason": "Grippe"})
    wait_for("Namur's no", lambda: state(region.lille, "marie", booking["id"], "confirmed"))
    _told(region, "marie", made["title"], "Annulation refusée")
    assert paul.get(f"booking/bookings/{booking['id']}")["status"] == "confirmed"


def _agreed(region: Region, found: Json) -> Json:
    """Marie's booking of what Paul of Namur lends, confirmed."""
    booking = book(region, found)
    request = wait_for("the request", lambda: request_in_namur(region, found["title"]))
    region.namur.members["paul"].post(f"booking/bookings/{request['id']}/approve")
    return wait_for("yes", lambda: state(region.lille, "marie", booking["id"], "confirmed"))


def _unless(booking: Json, **was: str) -> Json | None:
    """The booking once it is no longer as it was."""
    return None if any(booking[name] == value for name, value in was.items()) else booking


def _later(moment: str, *, hours: int) -> str:
    return (datetime.fromisoformat(moment) + timedelta(hours=hours)).isoformat()


def _told(region: Region, who: str, title: str, words: str) -> None:
    """Wait until `who` of Lille reads `words` about what is called `title`."""

    def told() -> bool:
        items: list[Json] = region.lille.members[who].get("notify/inbox")["items"]
        return any(title in item["title"] and words in item["title"] for item in items)

    wait_for(f"«{words}» for {who}", told)
