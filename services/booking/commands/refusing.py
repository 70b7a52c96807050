"""A refusal that says what would work: nearest free periods, and other resources like it."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.domain.availability import search_window
from services.booking.domain.booking import Booking
from services.booking.domain.deciding import Offer, Person, may_see
from services.booking.domain.problems import ResourceIsTaken
from services.booking.domain.requests import allows, as_json, is_free, nearest_free
from services.booking.domain.spans import Span
from services.booking.resources import Resource

MOST_SIMILAR = 3
_Asked = tuple[UUID, str | None, Span, int]


async def taken(
    session: AsyncSession, offer: Offer, resource: Resource, wanted: Booking, *, by: Person | None, now: datetime
) -> ResourceIsTaken:
    """Why `wanted` cannot be, with `alternatives` (periods) and, for a member of ours, `similar` (other offers)."""
    return await Refusals(session, now).taken(offer, resource, wanted, by=by)


class Refusals:
    """Refusals of one moment: what several people are told of the same period is looked up once."""

    def __init__(self, session: AsyncSession, now: datetime) -> None:
        self._session = session
        self._now = now
        self._nearest: dict[_Asked, list[dict[str, str]]] = {}
        self._like: dict[UUID, list[Offer]] = {}
        self._free: dict[_Asked, bool] = {}

    async def taken(self, offer: Offer, resource: Resource, wanted: Booking, *, by: Person | None) -> ResourceIsTaken:
        """Like the function `taken`."""
        asked = (offer.id, offer.origin, wanted.period, wanted.quantity)
        if asked not in self._nearest:
            around = search_window(wanted.period)
            occupied = await queries.occupied(self._session, offer.id, around, origin=offer.origin)
            nearest = nearest_free(
                resource.rules, wanted.period, quantity=wanted.quantity, occupied=occupied, now=self._now
            )
            self._nearest[asked] = [as_json(span) for span in nearest]
        similar = [_told(other) async for other in self._similar(offer, wanted, by)] if by is not None else []
        return ResourceIsTaken(alternatives=self._nearest[asked], similar=similar)

    async def _similar(self, offer: Offer, wanted: Booking, by: Person) -> AsyncIterator[Offer]:
        """Other offers of the same kind and category, ours and peers', that `by` may see and that are free then."""
        if offer.id not in self._like:
            self._like[offer.id] = await queries.like(self._session, offer)
        found = 0
        for other in self._like[offer.id]:
            if found < MOST_SIMILAR and may_see(other, by, self._now) and await self._is_free(other, wanted):
                found += 1
                yield other

    async def _is_free(self, other: Offer, wanted: Booking) -> bool:
        asked = (other.id, other.origin, wanted.period, wanted.quantity)
        if asked not in self._free:
            self._free[asked] = await self._look(other, wanted.period, wanted.quantity)
        return self._free[asked]

    async def _look(self, other: Offer, period: Span, quantity: int) -> bool:
        resource = await queries.resource(self._session, other.id, other.origin)
        if resource is None or not resource.is_open or not allows(resource.rules, period, self._now):
            return False
        occupied = await queries.occupied(self._session, other.id, period, origin=other.origin)
        return is_free(resource.rules, period, quantity=quantity, occupied=occupied, now=self._now)


def _told(offer: Offer) -> dict[str, str | None]:
    return {"offer_id": str(offer.id), "title": offer.title, "origin": offer.origin, "from": offer.origin_name}
