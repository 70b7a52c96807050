"""Offers, needs and bookings that a test starts from, made through the API."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from deploy.demo import seed, story
from deploy.demo.api import Json, Member, Refused, wait_for
from deploy.demo.seed import LASER, Town
from services.portal.looks import listing_path


def title_of_its_own(words: str) -> str:
    """A title that no other test uses."""
    return f"{words} {uuid4().hex[:6]}"


def bookable(town: Town, owner: str, title: str, **changes: Any) -> str:
    """An offer that can be booked; the path of its page in its own cooperative."""
    offer = seed.share(town, owner, LASER | {"title": title} | changes)
    return listing_path(offer)


def with_rules(town: Town, owner: str, offer_path: str, **changes: Any) -> None:
    """Change how the offer at `offer_path` can be booked."""
    rules = seed.RULES | {"time_zone": town.cooperative.time_zone} | changes
    town.members[owner].call("PUT", f"booking/resources/{offer_path.rsplit('/', maxsplit=1)[-1][:36]}", json=rules)


def path_in(town: Town, who: str, title: str, side: str = "offer") -> str:
    """The path of the page on which `who` finds what is called `title`, as soon as it can be found and booked there."""

    def found() -> str | None:
        items: list[Json] = town.members[who].get("matching/search", q=title, side=side)["items"]
        one = next((item for item in items if item["title"] == title), None)
        return listing_path(one) if one and (side == "need" or one["bookable"]) else None

    return wait_for(f"«{title}» in {town.cooperative.name}", found)


def need(town: Town, who: str, **changes: Any) -> Json:
    """A published need for which something was found."""
    soon = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    window = {"window_start": soon.isoformat(), "window_end": (soon + timedelta(days=14)).isoformat()}
    member = town.members[who]
    published: Json = member.post("catalog/listings", story.NEED | window | changes)
    wait_for("a match", lambda: _unless_unknown(member, f"matching/needs/{published['id']}/matches", "items"))
    return published


def free_period(town: Town, who: str, offer_path: str, *, hours: int = 2) -> Json:
    """`start` and `end` (RFC 3339) of the first hours from tomorrow on that are free, as `who` sees it."""
    parts = offer_path.strip("/").split("/")
    origin, offer_id = parts[1] if parts[0] == "from" else None, parts[-1][:36]
    tomorrow = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
    query = {"origin": origin, "from": tomorrow, "days": 7}
    path = f"booking/resources/{offer_id}/availability"

    def free() -> datetime | None:
        days = _unless_unknown(town.members[who], path, "days", **query)
        starts = (datetime.fromisoformat(gap["start"]) for day in days for gap in day["free"] if _lasts(gap, hours))
        return next(starts, None)

    start = wait_for("a free hour", free)
    return {"start": start.isoformat(), "end": (start + timedelta(hours=hours)).isoformat()}


def book(town: Town, who: str, offer_path: str, period: Json, *, note: str = "") -> Json:
    """The booking of `who` for `period` of the offer at `offer_path`."""
    parts = offer_path.strip("/").split("/")
    origin, offer_id = parts[1] if parts[0] == "from" else None, parts[-1][:36]
    body = {"offer_id": offer_id, "origin": origin, "quantity": 1, "note": note} | period
    made: Json = town.members[who].post("booking/bookings", body)
    return made


def request_seen(town: Town, owner: str, booking: Json) -> Json:
    """`booking` among those that `owner` has to answer, as soon as it is there."""
    start = datetime.fromisoformat(booking["start"])

    def seen() -> Json | None:
        rows: list[Json] = town.members[owner].get("booking/bookings", role="to_decide")["items"]
        mine = (row for row in rows if row["offer_title"] == booking["offer_title"])
        return next((row for row in mine if datetime.fromisoformat(row["start"]) == start), None)

    return wait_for("the request", seen)


def _lasts(gap: Json, hours: int) -> bool:
    return datetime.fromisoformat(gap["end"]) - datetime.fromisoformat(gap["start"]) >= timedelta(hours=hours)


def _unless_unknown(member: Member, path: str, part: str, **query: Any) -> list[Json]:
    """A part of an answer; nothing as long as the service has not heard of the thing."""
    try:
        found: list[Json] = member.get(path, **query)[part]
    except Refused as refused:
        if refused.status == 404:
            return []
        raise
    return found
