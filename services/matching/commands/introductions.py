"""Introductions as rows: found, changed, told, and noted with the match that they came from."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.matching import IntroductionAnswered, IntroductionParty, IntroductionState
from services.chassis import outbox
from services.chassis.problems import NotFound
from services.matching.member_tables import introductions
from services.matching.tables import OURS, proposals

Row = sa.RowMapping
Key = tuple[str, UUID]
"""The asker's cooperative (empty: ours) and the id that it made."""


def state_of(row: Row) -> IntroductionState:
    """The introduction as events tell it."""
    asker = IntroductionParty(
        member_id=row["asker_id"],
        name=row["asker_name"],
        peer_id=row["asker_peer"] or None,
        peer_name=row["asker_peer_name"],
        pseudonym=row["pseudonym"],
    )
    origin = None if row["origin"] == OURS else row["origin"]
    owner = IntroductionParty(
        member_id=row["owner_id"], name=row["owner_name"], peer_id=origin, peer_name=row["origin_name"]
    )
    names = ("id", "thing_id", "thing_title", "need_id", "message", "quantity", "status", "reason", "version")
    return IntroductionState(
        thing_origin=origin,
        asker=asker,
        owner=owner,
        changed_at=row["changed_at"],
        **{name: row[name] for name in names},
    )


async def add(session: AsyncSession, values: dict[str, Any]) -> Row | None:
    """A new one that is asked; None when its id is known."""
    new = insert(introductions).values(status="asked", version=1, **values).on_conflict_do_nothing()
    return (await session.execute(new.returning(introductions))).mappings().one_or_none()


async def find(session: AsyncSession, key: Key, where: sa.ColumnElement[bool]) -> Row | None:
    """The row, locked, when it is so; None otherwise."""
    same = (introductions.c.asker_peer == key[0], introductions.c.id == key[1])
    chosen = sa.select(introductions).where(*same, where).with_for_update()
    return (await session.execute(chosen)).mappings().one_or_none()


async def locked(session: AsyncSession, key: Key, where: sa.ColumnElement[bool]) -> Row:
    """The row, locked, when it is so. Raises NotFound."""
    row = await find(session, key, where)
    if row is None:
        raise NotFound
    return row


async def settle(session: AsyncSession, row: Row, values: dict[str, Any], now: datetime) -> None:
    """Write the answer, tell it, and note it with the match that it came from."""
    changed = await change(session, row, values, now)
    await outbox.add(session, IntroductionAnswered(introduction=state_of(changed)))
    if changed["need_id"] is not None:
        accepted = values["status"] == "accepted"
        said = {"status": "accepted"} if accepted else {"status": "declined", "reason": "gone"}
        key = (changed["origin"], changed["thing_id"])
        await note_match(session, changed["need_id"], key, said | {"changed_at": now})


async def change(session: AsyncSession, row: Row, values: dict[str, Any], now: datetime) -> Row:
    """Write `values` as the next version."""
    same = (introductions.c.asker_peer == row["asker_peer"], introductions.c.id == row["id"])
    changed = sa.update(introductions).where(*same).values(**values, changed_at=now, version=row["version"] + 1)
    return (await session.execute(changed.returning(introductions))).mappings().one()


async def note_match(session: AsyncSession, need_id: UUID, key: tuple[str, UUID], values: dict[str, Any]) -> None:
    """An answer of the other side is no step back from what the need's author has said."""
    row = {"need_id": need_id, "origin": key[0], "offer_id": key[1], "told_at": values["changed_at"]}
    statement = insert(proposals).values(**row, **values)
    later = ["proposed", "seen"] if values["status"] == "contacted" else ["proposed", "seen", "contacted"]
    kept = statement.on_conflict_do_update(
        index_elements=["need_id", "origin", "offer_id"], set_=values, where=proposals.c.status.in_(later)
    )
    await session.execute(kept)


def about(thing: Row) -> dict[str, Any]:
    """What is kept of the thing that somebody asks about."""
    return {
        "origin": thing["origin"],
        "origin_name": thing["origin_name"],
        "thing_id": thing["id"],
        "thing_title": thing["title"],
        "owner_id": thing["owner_member_id"],
        "owner_name": thing["owner_name"],
    }
