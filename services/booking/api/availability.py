"""When resources can be booked: the days of one, or the free times of many side by side."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
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
    stretches,
)
from services.booking.commands.resources import may_edit
from services.booking.domain.availability import availability, next_free
from services.booking.domain.deciding import Offer, Person, may_see
from services.booking.domain.opening import local_midnight
from services.booking.domain.problems import NotBookable, OfferUnknown
from services.booking.domain.spans import Occupied, Span
from services.booking.resources import Resource
from services.chassis.auth import Actor, MaybeMember
from services.chassis.problems import FieldError, InvalidFields, Text

router = APIRouter(tags=["resources"])

MOST_DAYS = 62
MOST_RESOURCES = 50
MOST_DAYS_OF_MANY = 14
_LOOK_AHEAD = timedelta(days=60)
_YEARS_AROUND = timedelta(days=800)
_TOO_FAR = Text(
    fr="Choisissez une date plus proche d'aujourd'hui.",
    en="Choose a date closer to today.",
    nl="Kies een datum dichter bij vandaag.",
)
_DAYS = TypeAdapter(AvailabilityView)
_TIMES = TypeAdapter(FreeTimesView)


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
Seen = tuple[Offer, Resource | None]


@router.get("/resources/{offer_id}/availability", response_model=AvailabilityView)
async def get_availability(
    offer_id: UUID, actor: MaybeMember, at: At, query: Annotated[DaysQuery, Query()]
) -> Response:
    """Open, free and busy times of some local days."""
    now, origin = at.clock.now(), query.origin
    async with _session_of(at, ours=origin is None) as session:
        seen = await _seen(at, session, actor, [(origin, offer_id)], now)
        if (origin, offer_id) not in seen:
            raise OfferUnknown
        offer, resource = seen[(origin, offer_id)]
        if resource is None:
            raise NotBookable
        first = query.from_ or now.astimezone(resource.rules.zone).date()
        window = _window(resource, first, query.days, now)
        around = resource.rules.within_reach(
            Span(min(window.start, now), max(window.end, max(window.start, now) + _LOOK_AHEAD))
        )
        occupied, as_of = (await _taken(session, [(origin, offer_id)], around))[(origin, offer_id)]
    found = availability(resource.rules, occupied=occupied, now=now, window=window, quantity=query.quantity)
    upcoming = next_free(resource.rules, occupied=occupied, now=now, since=window.start, quantity=query.quantity)
    if not (resource.is_open and offer.is_valid_at(now)):
        found, upcoming = replace(found, free=[]), []
    view = AvailabilityView(
        time_zone=resource.rules.time_zone,
        step_minutes=resource.rules.step_minutes,
        capacity=resource.rules.capacity,
        from_=first,
        days=day_views(resource, found, first, query.days),
        as_of=as_of,
        next_free=stretches(upcoming),
    )
    return Response(_DAYS.dump_json(view, by_alias=True), media_type="application/json")


@router.get("/availability", response_model=FreeTimesView)
async def get_free_times(actor: MaybeMember, at: At, query: Annotated[ManyQuery, Query()]) -> Response:
    """When each of several resources is free, and when it is taken."""
    now = at.clock.now()
    first = query.from_ or now.date()
    keys = {_key_of(named): named for named in query.offer}
    async with _session_of(at, ours=all(origin is None for origin, _ in keys)) as session:
        seen = await _seen(at, session, actor, list(keys), now)
        known = {key: (offer, resource) for key, (offer, resource) in seen.items() if resource is not None}
        windows = {key: _window(resource, first, query.days, now) for key, (_, resource) in known.items()}
        reached = [resource.rules.within_reach(windows[key]) for key, (_, resource) in known.items()]
        around = Span(min(span.start for span in reached), max(span.end for span in reached)) if reached else None
        taken = await _taken(session, list(known), around) if around else {}
    views = [
        _free_view(key, known[key], taken[key], windows[key], quantity=query.quantity, now=now)
        for key in keys
        if key in known
    ]
    unknown = [named for key, named in keys.items() if key not in known]
    view = FreeTimesView(from_=first, days=query.days, resources=views, unknown=unknown)
    return Response(_TIMES.dump_json(view, by_alias=True), media_type="application/json")


def _free_view(
    key: Key,
    known: tuple[Offer, Resource],
    taken: tuple[list[Occupied], datetime | None],
    window: Span,
    *,
    quantity: int,
    now: datetime,
) -> FreeView:
    (offer, resource), (occupied, as_of) = known, taken
    found = availability(resource.rules, occupied=occupied, now=now, window=window, quantity=quantity)
    bookable = resource.is_open and offer.is_valid_at(now)
    return FreeView(
        offer_id=key[1],
        origin=key[0],
        time_zone=resource.rules.time_zone,
        capacity=resource.rules.capacity,
        free=stretches(found.free) if bookable else [],
        busy=stretches(found.busy),
        as_of=as_of,
    )


def _session_of(at: At, *, ours: bool) -> AbstractAsyncContextManager[AsyncSession]:
    """For ours two statements are all that is read; what peers told is read in one transaction."""
    return at.db.autocommit() if ours else at.db.reading()


async def _seen(at: At, session: AsyncSession, actor: Actor | None, keys: list[Key], now: datetime) -> dict[Key, Seen]:
    """Offers with their resources, as far as `actor` may see them; a withdrawn one of ours for who may edit it.

    Raises NotAllowed when the member has left.
    """
    member_ids = [actor.id] if actor else []
    ours = [offer_id for origin, offer_id in keys if origin is None]
    facts = await at.asked.facts(session, member_ids=member_ids, offer_ids=ours)
    found: dict[Key, Seen] = {(None, one): (known.offer, known.resource) for one, known in facts.known.items()}
    peers = [(origin, offer_id) for origin, offer_id in keys if origin is not None]
    for origin, offer_id in peers:
        offer = await queries.offer(session, offer_id, origin)
        if offer is not None:
            found[(origin, offer_id)] = (offer, await queries.resource(session, offer_id, origin))
    person = facts.person(actor) if actor else None
    return {key: seen for key, seen in found.items() if _may_see(seen[0], person, now)}


def _may_see(offer: Offer, person: Person | None, now: datetime) -> bool:
    return may_see(offer, person, now) or may_edit(offer, person)


async def _taken(
    session: AsyncSession, keys: list[Key], around: Span
) -> dict[Key, tuple[list[Occupied], datetime | None]]:
    """What is taken of each, and for a peer's when it last told."""
    ours = await queries.occupied_of(session, [offer_id for origin, offer_id in keys if origin is None], around)
    taken: dict[Key, tuple[list[Occupied], datetime | None]] = {(None, one): (ours[one], None) for one in ours}
    peers = [(origin, offer_id) for origin, offer_id in keys if origin is not None]
    for origin, offer_id in peers:
        told = await queries.peer_busy_times(session, origin, offer_id)
        occupied = await queries.occupied(session, offer_id, around, origin=origin)
        taken[(origin, offer_id)] = (occupied, told.as_of)
    return taken


def _window(resource: Resource, first: date, days: int, now: datetime) -> Span:
    """The local days asked for. Raises InvalidFields when they are years away."""
    if abs(datetime(first.year, first.month, first.day, tzinfo=UTC) - now) > _YEARS_AROUND:
        raise InvalidFields(FieldError("from", "too_far", _TOO_FAR))
    zone = resource.rules.zone
    return Span(local_midnight(first, zone), local_midnight(first + timedelta(days=days), zone))


def _key_of(named: str) -> Key:
    """Raises ValueError."""
    origin, _, offer_id = named.rpartition("/")
    return (origin or None, UUID(offer_id))
