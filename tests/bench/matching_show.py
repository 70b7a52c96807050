"""Ten needs with the five offers that come first, and the reasons as people read them; and what nearly fits.

The labelled offers, put into a small world: towns, calendars, a linked cooperative, and uses to and fro.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from contracts.booking import Interval, OpeningHours, ResourceState
from contracts.catalog import ListingState
from contracts.federation import ListingReceived
from contracts.identity import Place
from contracts.shared import SharedListing
from services.chassis.auth import Actor
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.matching import asking
from services.matching.commands import index, vocabulary
from services.matching.loops import Encoding
from services.matching.queries.matches import matches_for_reader
from services.matching.tables import uses
from services.matching.views import MatchesView, MatchView
from services.portal.language import words
from services.portal.looks import phrases
from services.portal.moments import Moments
from tests.bench.matching_quality import Labelled

PEER, PEER_NAME = "peer-of-namur", "OpenFlow"
ZONE = "Europe/Brussels"
_TOWNS = (
    Place(label="Lille", latitude=50.6372, longitude=3.0633),
    Place(label="Roubaix", latitude=50.6916, longitude=3.1746),
    Place(label="Arras", latitude=50.2910, longitude=2.7775),
    Place(label="Namur", latitude=50.4674, longitude=4.8719),
    Place(label="Liège", latitude=50.6326, longitude=5.5797),
)
_NEEDS, _OFFERS = 10, 5
_THURSDAY, _OF_PEER, _BOOKABLE, _TAKEN, _ASKED = 3, 4, 2, 3, 5
_FARTHEST_KM = 100


async def show(db: Database, found: Labelled) -> None:
    """Index the world, ask for ten needs, and print what their authors read, in French."""
    for need in await prepare(db, found):
        _print(need, await matches(db, need))
    await db.close()


async def prepare(db: Database, found: Labelled) -> list[ListingState]:
    """Tell matching the whole world; the needs that are shown."""
    now = datetime.now(UTC)
    window = _thursday_and_friday(now)
    for number, offer in enumerate(found.offers.values()):
        await _offer(db, offer, number, window)
    french = [need for need, _ in found.needs if need.language == "fr"]
    needs = [_wanted(need, window) for need in french[:: max(1, len(french) // _NEEDS)][:_NEEDS]]
    for need in needs:
        await db.run(index.keep_own, need, said_at=now)
    await _uses(db, [offer.owner_member_id for offer in list(found.offers.values())[::_ASKED]], now)
    await Encoding(db, seconds=1).encode_all()
    await db.run(vocabulary.count)
    return needs


async def matches(db: Database, need: ListingState) -> MatchesView:
    """What the author of the need is answered."""
    actor = Actor(id=need.owner_member_id, name="Ana", role="member", locale="fr")
    now, version = datetime.now(UTC), await asking.version()
    async with db.reading() as session:
        return await matches_for_reader(
            session, need.id, actor=actor, now=now, farthest_km=_FARTHEST_KM, version=version
        )


def _thursday_and_friday(now: datetime) -> tuple[datetime, datetime]:
    """The next ones that are whole, on the clocks of Brussels."""
    day = now.astimezone(ZoneInfo(ZONE)).date() + timedelta(days=1)
    day += timedelta(days=(_THURSDAY - day.weekday()) % 7)
    start, end = (datetime.combine(one, time(), ZoneInfo(ZONE)) for one in (day, day + timedelta(days=2)))
    return start.astimezone(UTC), end.astimezone(UTC)


def _wanted(need: ListingState, window: tuple[datetime, datetime]) -> ListingState:
    return need.model_copy(update={"place": _TOWNS[0], "window_start": window[0], "window_end": window[1]})


async def _offer(db: Database, offer: ListingState, number: int, window: tuple[datetime, datetime]) -> None:
    """An offer in one of the towns: every fourth a peer's, every second bookable, every third of these taken then."""
    now = datetime.now(UTC)
    state = offer.model_copy(update={"place": _TOWNS[number % len(_TOWNS)]})
    origin = PEER if number % _OF_PEER == 0 else ""
    if origin:
        values = state.model_dump(mode="json", include=set(SharedListing.model_fields)) | {"public": False}
        event = {"origin": PEER, "origin_name": PEER_NAME, "epoch": 1, "listing": values}
        await db.run(index.keep_copy, ListingReceived.model_validate(event), said_at=now)
    else:
        await db.run(index.keep_own, state, said_at=now)
    if number % _BOOKABLE == 0:
        busy = [Interval(start=window[0], end=window[1])] if number % _TAKEN == 0 else []
        await db.run(index.keep_resource, _resource(state.id), origin=origin, epoch=0, said_at=now)
        await db.run(index.keep_busy, (origin, state.id), busy, version=1, epoch=0, said_at=now)


def _resource(offer_id: UUID) -> ResourceState:
    """Open from 8 to 18 every day."""
    return ResourceState(
        offer_id=offer_id,
        title="",
        time_zone=ZONE,
        opening_hours=[OpeningHours(weekday=day, opens="08:00", closes="18:00") for day in range(7)],
        step_minutes=30,
        minimum_minutes=60,
        maximum_minutes=600,
        lead_minutes=0,
        horizon_days=90,
        buffer_before_minutes=0,
        buffer_after_minutes=0,
        capacity=1,
        approval="owner",
        owner_member_id=new_id(),
        status="open",
        version=1,
    )


async def _uses(db: Database, owners: Sequence[UUID], now: datetime) -> None:
    """Some owners were asked this month, and the peer used our things more often than we theirs."""
    same = {"version": 1, "used": True, "at": now - timedelta(days=9)}
    asked = [{"peer": "", "id": new_id(), "lent": True, "owner_id": owner, "asked_at": now, **same} for owner in owners]
    given = [
        {"peer": PEER, "id": new_id(), "lent": True, "owner_id": new_id(), "asked_at": None, **same} for _ in range(5)
    ]
    async with db.transaction() as session:
        await session.execute(sa.insert(uses), [*asked, *given])


def _print(need: ListingState, found: MatchesView) -> None:
    said = phrases(words("fr"), Moments("fr", ZONE))
    print(f"\n{need.title} ({need.kind}, Lille, jeudi et vendredi)")
    for place, match in enumerate(found.items[:_OFFERS], 1):
        print(f"  {place}. {match.title[:70]}{_where(match)}")
        told = {reason.code for reason in match.reasons}
        reasons = [one for one in match.reasons if not (one.code == "free" and "days" in told)]
        print("       " + " · ".join(said["reason"](one.code, one.value) for one in reasons))
    for miss in found.near_misses[:2]:
        lack = said["lacking"](miss.missing.code, miss.missing.value, miss.missing.by)
        print(f"  presque : {miss.title[:60]}{_where(miss)}, {lack}")


def _where(match: MatchView) -> str:
    return f" [{match.origin_name}, {match.place_label}]" if match.origin_name else f" [{match.place_label}]"
