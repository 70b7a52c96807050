"""When resources can be booked: the days of one, or the free times of many side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.api.edge import At
from services.booking.availability_views import (
    AvailabilityView,
    FreeTimesView,
    FreeView,
    day_views,
    free_times_json,
    free_view_json,
    stretches,
)
from services.booking.commands.resources import may_edit
from services.booking.domain.availability import availability, next_free
from services.booking.domain.deciding import Offer, Person, may_see
from services.booking.domain.opening import local_midnight
from services.booking.domain.problems import NotBookable, OfferUnknown
from services.booking.domain.spans import Occupied, Span
from services.booking.queries import Taken, Versions
from services.booking.resources import Resource
from services.chassis.auth import Actor, MaybeMember
from services.chassis.problems import FieldError, InvalidFields, Text

router = APIRouter(tags=["resources"])

MOST_DAYS = 62
MOST_RESOURCES = 50
MOST_DAYS_OF_MANY = 14
_ONE_DAY = timedelta(days=1)
_LOOK_AHEAD = timedelta(days=60)
_YEARS_AROUND = timedelta(days=800)
_TOO_FAR = Text(
    fr="Choisissez une date plus proche d'aujourd'hui.",
    en="Choose a date closer to today.",
    nl="Kies een datum dichter bij vandaag.",
)
_DAYS = TypeAdapter(AvailabilityView)


class DaysQuery(BaseModel):
    """Which local days, of whose resource, for how many of it. `from` defaults to the resource's today."""

    model_config = ConfigDict(extra="forbid")

    origin: str | None = Field(default=None, max_length=200, min_length=1)
    from_: date | None = Field(default=None, alias="from")
    days: int = Field(default=7, ge=1, le=MOST_DAYS)
    quantity: int = Field(default=1, ge=1, le=10_000)


class ManyQuery(BaseModel):
    """Which resources (`offer`: an id of ours, or "<origin>/<id>" of a peer's), from which day (today, UTC) on.

    `quantity`: how many of each must be free.
    """

    model_config = ConfigDict(extra="forbid")

    offer: list[str] = Field(min_length=1, max_length=MOST_RESOURCES)
    from_: date | None = Field(default=None, alias="from")
    days: int = Field(default=7, ge=1, le=MOST_DAYS_OF_MANY)
    quantity: int = Field(default=1, ge=1, le=10_000)

    @field_validator("offer")
    @classmethod
    def _are_named(cls, offers: list[str]) -> list[str]:
        for named in offers:
            _ = _key_of(named)
        return list(dict.fromkeys(offers))


Key = tuple[str | None, UUID]


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A resource that the person may see, and what is taken of it.

    `versions`: of ours, by which what was worked out is remembered; `as_of`: when the peer that owns it last told.
    """

    offer: Offer
    resource: Resource | None
    taken: Taken | tuple[Occupied, ...]
    versions: Versions | None = None
    as_of: datetime | None = None

    def occupied(self) -> Sequence[Occupied]:
        return self.taken.occupied() if isinstance(self.taken, Taken) else self.taken

    def as_it_is(self, now: datetime) -> tuple[Versions | None, bool, datetime, Taken | tuple[Occupied, ...]]:
        """What an answer depends on, besides what is asked."""
        return self.versions, self.offer.is_valid_at(now), now.replace(second=0, microsecond=0), self.taken


@router.get("/resources/{offer_id}/availability", response_model=AvailabilityView)
async def get_availability(
    offer_id: UUID, actor: MaybeMember, at: At, query: Annotated[DaysQuery, Query()]
) -> Response:
    """Open, free and busy times of some local days."""
    now, key = at.clock.now(), (query.origin, offer_id)
    around = _around(query.from_, query.days, now)
    around = Span(min(around.start, now), max(around.end, max(around.start, now) + _LOOK_AHEAD))
    seen = (await _seen(at, actor, [key], around, now)).get(key)
    if seen is None:
        raise OfferUnknown
    if seen.resource is None:
        raise NotBookable
    first = query.from_ or now.astimezone(seen.resource.rules.zone).date()
    asked = (offer_id, first, query.days, query.quantity, *seen.as_it_is(now))
    body = at.worked_out.get(asked) if seen.versions else None
    if body is None:
        view = _days_view(seen, seen.resource, query=query, first=first, now=now)
        body = at.worked_out.keep(asked, _DAYS.dump_json(view, by_alias=True))
    return Response(body, media_type="application/json")


def _days_view(seen: _Seen, resource: Resource, *, query: DaysQuery, first: date, now: datetime) -> AvailabilityView:
    occupied, window, quantity = seen.occupied(), _window(resource, first, query.days), query.quantity
    found = availability(resource.rules, occupied=occupied, now=now, window=window, quantity=quantity)
    upcoming = next_free(resource.rules, occupied=occupied, now=now, since=window.start, quantity=quantity)
    if not (resource.is_open and seen.offer.is_valid_at(now)):
        found, upcoming = replace(found, free=[]), []
    return AvailabilityView(
        time_zone=resource.rules.time_zone,
        step_minutes=resource.rules.step_minutes,
        capacity=resource.rules.capacity,
        from_=first,
        days=day_views(resource, found, first, query.days),
        as_of=seen.as_of,
        next_free=stretches(upcoming),
    )


@router.get("/availability", response_model=FreeTimesView)
async def get_free_times(actor: MaybeMember, at: At, query: Annotated[ManyQuery, Query()]) -> Response:
    """When each of several resources is free, and when it is taken."""
    now = at.clock.now()
    first = query.from_ or now.date()
    keys = {_key_of(named): named for named in query.offer}
    found = await _seen(at, actor, list(keys), _around(first, query.days, now), now)
    seen = {key: found[key] for key in keys if key in found}
    views = [
        _free_times(at, key, one, one.resource, query=query, first=first, now=now)
        for key, one in seen.items()
        if one.resource is not None
    ]
    unknown = [named for key, named in keys.items() if key not in seen or seen[key].resource is None]
    return Response(free_times_json(first, query.days, views, unknown), media_type="application/json")


def _free_times(
    at: At, key: Key, seen: _Seen, resource: Resource, *, query: ManyQuery, first: date, now: datetime
) -> bytes:
    """One resource, as JSON: as it was worked out within this minute, when nothing that it depends on has changed."""
    asked = (key[1], first, query.days, query.quantity, *seen.as_it_is(now))
    if seen.versions and (worked_out := at.free_times.get(asked)) is not None:
        return worked_out
    window = _window(resource, first, query.days)
    found = availability(resource.rules, occupied=seen.occupied(), now=now, window=window, quantity=query.quantity)
    view = FreeView(
        offer_id=key[1],
        origin=key[0],
        time_zone=resource.rules.time_zone,
        capacity=resource.rules.capacity,
        free=stretches(found.free) if resource.is_open and seen.offer.is_valid_at(now) else [],
        busy=stretches(found.busy),
        as_of=seen.as_of,
    )
    return at.free_times.keep(asked, free_view_json(view))


async def _seen(at: At, actor: Actor | None, keys: Sequence[Key], around: Span, now: datetime) -> Mapping[Key, _Seen]:
    """Resources as far as `actor` may see them, with what is taken `around`; a withdrawn one for who may edit it.

    Ours are read in one statement; what peers told, in one transaction. Raises NotAllowed when the member has left.
    """
    ours = [offer_id for origin, offer_id in keys if origin is None]
    member_ids = [actor.id] if actor else []
    async with at.db.autocommit() if len(ours) == len(keys) else at.db.reading() as session:
        facts = await at.asked.facts(session, member_ids=member_ids, offer_ids=ours, during=around)
        found: dict[Key, _Seen] = {
            (None, one): _Seen(
                offer=known.offer,
                resource=known.resource,
                taken=facts.taken.get(one, Taken()),
                versions=known.versions,
            )
            for one, known in facts.known.items()
        }
        for origin, offer_id in keys:
            if origin is not None and (seen := await _seen_of_peer(session, origin, offer_id, around)) is not None:
                found[(origin, offer_id)] = seen
    person = facts.person(actor) if actor else None
    return {key: seen for key, seen in found.items() if _may_see(seen.offer, person, now)}


async def _seen_of_peer(session: AsyncSession, origin: str, offer_id: UUID, around: Span) -> _Seen | None:
    offer = await queries.offer(session, offer_id, origin)
    if offer is None:
        return None
    resource = await queries.resource(session, offer_id, origin)
    told = await queries.peer_busy_times(session, origin, offer_id)
    reach = resource.rules.within_reach(around) if resource is not None else around
    taken = await queries.occupied(session, offer_id, reach, origin=origin)
    return _Seen(offer=offer, resource=resource, taken=tuple(taken), as_of=told.as_of)


def _may_see(offer: Offer, person: Person | None, now: datetime) -> bool:
    return may_see(offer, person, now) or may_edit(offer, person)


def _around(first: date | None, days: int, now: datetime) -> Span:
    """Those local days (from today on) wherever a resource may be. Raises InvalidFields when they are years away."""
    since = datetime.combine(first or now.date() - _ONE_DAY, time(), tzinfo=UTC)
    if abs(since - now) > _YEARS_AROUND:
        raise InvalidFields(FieldError("from", "too_far", _TOO_FAR))
    return Span(since - _ONE_DAY, since + (days + (1 if first else 3)) * _ONE_DAY)


def _window(resource: Resource, first: date, days: int) -> Span:
    """Those days where the resource is."""
    zone = resource.rules.zone
    return Span(local_midnight(first, zone), local_midnight(first + timedelta(days=days), zone))


@lru_cache(maxsize=10_000)
def _key_of(named: str) -> Key:
    """Raises ValueError."""
    origin, _, offer_id = named.rpartition("/")
    return (origin or None, UUID(offer_id))
