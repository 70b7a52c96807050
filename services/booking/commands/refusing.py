"""A refusal that says what would work: nearest free periods, and other resources like it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.domain.availability import search_window
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Offer, Person, may_see
from services.booking.domain.problems import ResourceIsTaken
from services.booking.domain.requests import allows, as_json, is_free, nearest_free
from services.booking.resources import Resource

MOST_SIMILAR = 3


async def taken(
    session: AsyncSession, offer: Offer, resource: Resource, wanted: Booking, *, by: Person | None, now: datetime
) -> ResourceIsTaken:
    """Why `wanted` cannot be, with `alternatives` (periods) and, for a member of ours, `similar` (other offers)."""
    occupied = await queries.occupied(session, offer.id, search_window(wanted.period), origin=offer.origin)
    nearest = nearest_free(resource.rules, wanted.period, quantity=wanted.quantity, occupied=occupied, now=now)
    similar = await _similar(session, offer, wanted, by, now) if by is not None else []
    return ResourceIsTaken(alternatives=[as_json(span) for span in nearest], similar=similar)


async def _similar(
    session: AsyncSession, offer: Offer, wanted: Booking, by: Person, now: datetime
) -> list[dict[str, str | None]]:
    """Other offers of the same kind and category, ours and peers', that `by` may see and that are free then."""
    found: list[dict[str, str | None]] = []
    for other in await queries.like(session, offer):
        if len(found) == MOST_SIMILAR:
            break
        resource = await queries.resource(session, other.id, other.origin)
        if resource is None or not (
            may_see(other, by, now) and resource.is_open and allows(resource.rules, wanted.period, now)
        ):
            continue
        occupied = await queries.occupied(session, other.id, wanted.period, origin=other.origin)
        if is_free(resource.rules, wanted.period, quantity=wanted.quantity, occupied=occupied, now=now):
            found.append(
                {"offer_id": str(other.id), "title": other.title, "origin": other.origin, "from": other.origin_name}
            )
    return found
