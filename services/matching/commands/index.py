"""The index, fed by events: the newest by (epoch, version), tombstones that refuse return, all gone with a link.

At the same (epoch, version) a publication beats a tombstone: a listing held back until its first day is withdrawn and
later shared again as the same version. An origin's own withdrawal always counts one more than its last publication.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import REGCONFIG, insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Interval, ResourceState
from contracts.catalog import ListingState, ListingWithdrawn
from contracts.federation import LinkState, ListingGone, ListingReceived
from contracts.identity import CircleState
from contracts.shared import SharedListing, SharedResource
from services.matching import words
from services.matching.commands import labelling
from services.matching.commands.encoding import placed
from services.matching.member_tables import alerted
from services.matching.tables import (
    OURS,
    busy,
    circles,
    ended_links,
    meanings,
    resources,
    things,
    to_encode,
    to_match,
    uses,
)

_RULES = {
    *["time_zone", "opening_hours", "step_minutes", "minimum_minutes", "maximum_minutes", "lead_minutes"],
    *["horizon_days", "buffer_before_minutes", "buffer_after_minutes", "capacity", "approval"],
}
_WHEN_CLOSED = {"seasons", "closures", "holidays"}
_NOTHING: dict[str, Any] = {
    **dict.fromkeys(("kind", "title", "text", "category", "unit", "urgency"), ""),
    **dict.fromkeys(("place_label", "latitude", "longitude", "owner_member_id", "owner_circle_id", "owner_name")),
    **dict.fromkeys(("valid_from", "valid_until", "window_start", "window_end")),
    "side": "",
    "language": "fr",
    "quantity": 0,
    "scope": "circle",
    "circle_ids": [],
    "tags": [],
    "gone": True,
}


async def keep_own(session: AsyncSession, listing: ListingState, *, said_at: datetime) -> None:
    """Index an offer or need of this cooperative. `said_at`: when catalog said so (UTC)."""
    values = _columns(listing) | {
        "owner_member_id": listing.owner_member_id,
        "owner_circle_id": listing.owner_circle_id,
        "owner_name": listing.owner_name,
        "scope": listing.audience.scope,
        "circle_ids": listing.audience.circle_ids,
        "valid_from": listing.valid_from,
        "origin_name": None,
        "epoch": 0,
        "said_at": said_at,
    }
    await _put(session, OURS, listing.id, values)


async def bury_own(session: AsyncSession, event: ListingWithdrawn, *, said_at: datetime) -> None:
    """Forget the content of a listing; keep its tombstone."""
    values = {"version": event.version, "epoch": 0, "said_at": said_at, "changed_at": said_at, "origin_name": None}
    await _put(session, OURS, event.id, _NOTHING | values)


async def keep_copy(session: AsyncSession, event: ListingReceived, *, said_at: datetime) -> None:
    """Index a peer's offer or need: every member may find it, everybody when it is public."""
    values = _columns(event.listing) | {
        "owner_member_id": None,
        "owner_circle_id": None,
        "owner_name": None,
        "scope": "public" if event.listing.public else "peers",
        "circle_ids": [],
        "valid_from": None,
    }
    if not await is_ended(session, event.origin, said_at):
        said = {"origin_name": event.origin_name, "epoch": event.epoch, "said_at": said_at}
        await _put(session, event.origin, event.listing.id, values | said)


async def bury_copy(session: AsyncSession, event: ListingGone, *, said_at: datetime) -> None:
    """Forget the content of a copy; keep its tombstone."""
    if not await is_ended(session, event.origin, said_at):
        values = {"version": event.version, "changed_at": said_at, "origin_name": event.origin_name}
        await _put(session, event.origin, event.id, _NOTHING | values | {"epoch": event.epoch, "said_at": said_at})


async def keep_resource(
    session: AsyncSession, resource: ResourceState | SharedResource, *, origin: str, epoch: int, said_at: datetime
) -> None:
    """Keep how an offer can be booked."""
    values = {
        "version": resource.version,
        "open": resource.status == "open",
        "rules": resource.model_dump(mode="json", include=_RULES)
        | resource.terms.model_dump(mode="json", include=_WHEN_CLOSED),
    }
    await _put_beside(session, resources, (origin, resource.offer_id), values, (epoch, said_at))


async def keep_busy(
    session: AsyncSession,
    key: tuple[str, UUID],
    intervals: list[Interval],
    *,
    version: int,
    epoch: int,
    said_at: datetime,
) -> None:
    """Keep when the resource `key` (origin, offer id) is taken."""
    values = {"version": version, "intervals": [interval.model_dump(mode="json") for interval in intervals]}
    await _put_beside(session, busy, key, values, (epoch, said_at))


async def keep_circle(session: AsyncSession, circle: CircleState) -> None:
    """Keep who is in a circle."""
    values = circle.model_dump(include={"id", "member_ids", "status", "version"})
    statement = insert(circles).values(**values)
    newer = circles.c.version < statement.excluded.version
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values, where=newer))


async def end_link(session: AsyncSession, link: LinkState, *, said_at: datetime) -> None:
    """Delete all that this peer had shared until `said_at`, and refuse what comes late from before it."""
    await _lock(session, link.peer_id, exclusive=True)
    statement = insert(ended_links).values(origin=link.peer_id, at=said_at)
    later = sa.func.greatest(ended_links.c.at, statement.excluded.at)
    await session.execute(statement.on_conflict_do_update(index_elements=["origin"], set_={"at": later}))
    for table in (things, resources, busy):
        await session.execute(sa.delete(table).where(table.c.origin == link.peer_id, table.c.said_at <= said_at))
    left = sa.select(things.c.id).where(things.c.origin == link.peer_id)
    for table in (meanings, to_match, to_encode):
        await session.execute(sa.delete(table).where(table.c.origin == link.peer_id, table.c.id.not_in(left)))
    await session.execute(sa.delete(uses).where(uses.c.peer == link.peer_id))
    await session.execute(sa.delete(alerted).where(alerted.c.origin == link.peer_id, alerted.c.thing_id.not_in(left)))


def vector(thing: Mapping[str, Any] | sa.RowMapping, language: str) -> sa.ColumnElement[Any]:
    """The stems of a thing for PostgreSQL: those of the title weigh A, of category and tags B, of the text D."""
    configuration = sa.literal(f"maillage_{language}").cast(REGCONFIG)
    labels = " ".join([thing["category"], *thing["tags"]])
    parts = (("'A'", thing["title"]), ("'B'", labels), ("'D'", thing["text"]))
    weighted = [
        sa.func.setweight(sa.func.to_tsvector(configuration, words.spaced(part)), sa.literal_column(weight))
        for weight, part in parts
    ]
    return weighted[0].op("||")(weighted[1]).op("||")(weighted[2])


def _columns(listing: ListingState | SharedListing) -> dict[str, Any]:
    same = {
        *["side", "kind", "title", "text", "category", "language", "quantity", "unit", "valid_until", "window_start"],
        *["window_end", "urgency", "version", "changed_at"],
    }
    place = listing.place
    return listing.model_dump(include=same) | {
        "tags": list(listing.tags),
        "place_label": place.label if place else None,
        "latitude": place.latitude if place else None,
        "longitude": place.longitude if place else None,
        "gone": False,
    }


async def _put(session: AsyncSession, origin: str, thing_id: UUID, values: dict[str, Any]) -> None:
    stems = vector(values, values["language"])
    values = values | {"words": stems}
    values["cell"] = placed(values)["cell"]
    statement = insert(things).values(origin=origin, id=thing_id, **values)
    newest = statement.on_conflict_do_update(
        index_elements=["origin", "id"],
        set_={name: statement.excluded[name] for name in values},
        where=_older(things, statement, sa.not_(things.c.gone), sa.not_(statement.excluded.gone)),
    )
    kept = (await session.execute(newest.returning(things.c.id))).scalar() is not None
    if not kept:
        return
    await labelling.keep(session, origin, thing_id)
    same = sa.and_(meanings.c.origin == origin, meanings.c.id == thing_id)
    if values["gone"]:
        await session.execute(sa.delete(meanings).where(same))
        return
    await session.execute(sa.update(meanings).where(same).values(**placed(values)))
    key = {"origin": origin, "id": thing_id, "first": origin == OURS and values["side"] == "need"}
    for waiting in (to_match, to_encode):
        await session.execute(insert(waiting).values(**key).on_conflict_do_nothing())


async def _put_beside(
    session: AsyncSession, table: sa.Table, key: tuple[str, UUID], values: dict[str, Any], said: tuple[int, datetime]
) -> None:
    """Upsert into `resources` or `busy`. `said`: the peer's epoch (0 for ours) and when it was said."""
    origin, offer_id = key
    if origin != OURS and await is_ended(session, origin, said[1]):
        return
    values |= {"epoch": said[0], "said_at": said[1]}
    statement = insert(table).values(origin=origin, offer_id=offer_id, **values)
    newest = statement.on_conflict_do_update(
        index_elements=["origin", "offer_id"], set_=values, where=_older(table, statement)
    )
    if (await session.execute(newest.returning(table.c.offer_id))).scalar() is not None:
        await _compare_again(session, origin, offer_id)


async def _compare_again(session: AsyncSession, origin: str, offer_id: UUID) -> None:
    """An offer that can be booked now, or is free at other times, may fit a need that it did not fit before."""
    offer = sa.select(things.c.origin, things.c.id).where(
        things.c.origin == origin, things.c.id == offer_id, things.c.side == "offer", sa.not_(things.c.gone)
    )
    await session.execute(insert(to_match).from_select(["origin", "id"], offer).on_conflict_do_nothing())


def _older(table: sa.Table, statement: Any, *last: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether the row in `table` is older. `last`: what decides between the same versions, the kept and the new."""
    new = statement.excluded
    kept, said = last or (sa.true(), sa.true())
    return sa.tuple_(table.c.epoch, table.c.version, kept) < sa.tuple_(new.epoch, new.version, said)


async def is_ended(session: AsyncSession, origin: str, said_at: datetime) -> bool:
    """Whether the link with `origin` ended after this was said. Holds the end back until this is written."""
    await _lock(session, origin, exclusive=False)
    ended = sa.select(ended_links.c.at).where(ended_links.c.origin == origin, ended_links.c.at >= said_at)
    return (await session.execute(ended)).scalar() is not None


async def _lock(session: AsyncSession, origin: str, *, exclusive: bool) -> None:
    lock = sa.func.pg_advisory_xact_lock if exclusive else sa.func.pg_advisory_xact_lock_shared
    await session.execute(sa.select(lock(sa.func.hashtextextended(origin, 0))))
