"""Publish, change, withdraw; and the end that comes by itself."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog import audience, states
from services.catalog.domain import SIDE_STAYS, ChangedMeanwhile, OwnerHasLeft, check_form, may_edit
from services.catalog.forms import ListingChange, ListingForm
from services.catalog.tables import circles, listings, members
from services.chassis import outbox
from services.chassis.auth import Actor
from services.chassis.ids import new_id
from services.chassis.problems import FieldError, InvalidFields, NotAllowed, NotFound

Row = sa.RowMapping


async def publish(session: AsyncSession, form: ListingForm, *, by: Actor, now: datetime) -> Row:
    """A new listing of `by` or of one of their circles. Raises InvalidFields, OwnerHasLeft."""
    await _refuse_if_left(session, by.id)
    check_form(form, circles=await circles_open_to(session, by), now=now)
    row = await _insert(session, form, owner=by, now=now)
    await outbox.add(session, states.published(row))
    return row


async def change(session: AsyncSession, listing_id: UUID, form: ListingChange, *, by: Actor, now: datetime) -> Row:
    """The listing as `form` says; one that had ended stands again.

    Raises NotFound, NotAllowed, ChangedMeanwhile, InvalidFields, OwnerHasLeft.
    """
    before = await _for_update(session, listing_id, by=by)
    if before["version"] != form.version:
        raise ChangedMeanwhile(version=before["version"])
    if before["side"] != form.side:
        raise InvalidFields(FieldError("side", "side_stays", SIDE_STAYS))
    await _refuse_if_left(session, before["owner_member_id"])
    kept: set[UUID] = {*before["circle_ids"], *([before["owner_circle_id"]] if before["owner_circle_id"] else [])}
    check_form(form, circles=await circles_open_to(session, by), now=now, kept=kept)
    values = states.columns_of(form) | {"status": "published"}
    values["owner_name"] = await owner_name(session, form.circle_id, before["owner_member_id"], before["owner_name"])
    row = await update(session, before, values, now=now)
    await outbox.add(session, states.published(row))
    return row


async def withdraw(session: AsyncSession, listing_id: UUID, *, by: Actor, now: datetime) -> Row:
    """The listing leaves the catalogue; nothing happens when it had left before. Raises NotFound, NotAllowed."""
    before = await _for_update(session, listing_id, by=by)
    if before["status"] != "published":
        return before
    row = await update(session, before, {"status": "withdrawn"}, now=now)
    await outbox.add(session, states.withdrawn(row, "withdrawn"))
    return row


async def expire(session: AsyncSession, *, now: datetime, limit: int = 100) -> int:
    """Mark listings whose `valid_until` has come, at most `limit`. Returns how many; safe in every replica."""
    due = (
        sa.select(listings)
        .where(listings.c.status == "published", listings.c.valid_until <= now)
        .order_by(listings.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await session.execute(due)).mappings().all()
    ended = [await update(session, row, {"status": "expired"}, now=now) for row in rows]
    await outbox.add(session, *(states.withdrawn(row, "expired") for row in ended))
    return len(ended)


async def update(session: AsyncSession, before: Row, values: dict[str, Any], *, now: datetime) -> Row:
    """Write `values` as the next version."""
    statement = sa.update(listings).where(listings.c.id == before["id"])
    values = values | {"version": before["version"] + 1, "changed_at": now}
    return (await session.execute(statement.values(**values).returning(listings))).mappings().one()


async def circles_open_to(session: AsyncSession, actor: Actor) -> set[UUID]:
    """The circles that `actor` may publish in and for: one's own; every active one for a coordinator."""
    active = sa.select(circles.c.id).where(circles.c.status == "active")
    chosen = active if actor.is_coordinator else audience.circles_of(actor)
    return set((await session.execute(chosen)).scalars())


async def owner_name(session: AsyncSession, circle_id: UUID | None, member_id: UUID, otherwise: str) -> str:
    """The name that people see: the circle's, else the member's, else `otherwise` while that is not known yet."""
    named = sa.select(members.c.name).where(members.c.id == member_id)
    if circle_id is not None:
        named = sa.select(circles.c.name).where(circles.c.id == circle_id)
    return (await session.execute(named)).scalar() or otherwise


async def _insert(session: AsyncSession, form: ListingForm, *, owner: Actor, now: datetime) -> Row:
    values = states.columns_of(form) | {
        "id": new_id(),
        "owner_member_id": owner.id,
        "owner_name": await owner_name(session, form.circle_id, owner.id, owner.name),
        "status": "published",
        "version": 1,
        "changed_at": now,
    }
    return (await session.execute(sa.insert(listings).values(**values).returning(listings))).mappings().one()


async def _for_update(session: AsyncSession, listing_id: UUID, *, by: Actor) -> Row:
    """The row, locked. NotFound rather than NotAllowed for those who may not even see it."""
    found = sa.select(listings).where(listings.c.id == listing_id, audience.meant_for(by)).with_for_update()
    row = (await session.execute(found)).mappings().one_or_none()
    if row is None:
        raise NotFound
    mine = set((await session.execute(audience.circles_of(by))).scalars())
    owner = {"owner_id": row["owner_member_id"], "circle_id": row["owner_circle_id"]}
    if not may_edit(actor_id=by.id, is_coordinator=by.is_coordinator, circles=mine, **owner):
        raise NotAllowed
    return row


async def has_left(session: AsyncSession, member_id: UUID) -> bool:
    """Whether the member has left. Who leaves at this moment waits, and then finds among theirs what is published."""
    status = sa.select(members.c.status).where(members.c.id == member_id).with_for_update(read=True)
    return (await session.execute(status)).scalar() == "left"


async def _refuse_if_left(session: AsyncSession, member_id: UUID) -> None:
    if await has_left(session, member_id):
        raise OwnerHasLeft
