"""What pages show of waiting lists."""

from services.portal.client import Json
from services.portal.pages.home import items
from services.portal.visit import Visit


async def my_waiting(visit: Visit) -> list[Json]:
    """What this member waits for: an offered place first."""
    found = items(await visit.try_get("booking", "/waiting"))
    return sorted(found, key=lambda one: (one["status"] != "offered", one["status"] != "waiting", one["start"]))


async def line_of(visit: Visit, offer: Json) -> list[Json]:
    """Who waits for an offer of ours, for whoever may change it."""
    if visit.member is None or not offer["may_edit"] or offer["origin"]:
        return []
    return items(await visit.try_get("booking", f"/resources/{offer['id']}/waiting"))
