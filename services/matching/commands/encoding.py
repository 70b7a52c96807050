"""Making the vectors of new and changed things, in batches, beside everything else."""

import asyncio
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BIT, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import cells
from services.matching.domain import Point
from services.matching.meaning import Meaning, Vector
from services.matching.tables import OURS, labels, meanings, things, to_encode, to_match

BATCH = 16
_TEXT_WEIGHT = 0.3
"""A description says less of what a thing is than its title, and more beside the point."""

Row = sa.RowMapping


async def ask_for_outdated(session: AsyncSession, version: str) -> None:
    """Let everything be encoded that has no vector of this version: after a change of the model or its means."""
    same = sa.and_(meanings.c.origin == things.c.origin, meanings.c.id == things.c.id, meanings.c.model == version)
    missing = sa.select(things.c.origin, things.c.id).where(
        sa.not_(things.c.gone), ~sa.exists(sa.select(sa.literal(1)).where(same))
    )
    await session.execute(insert(to_encode).from_select(["origin", "id"], missing).on_conflict_do_nothing())


async def encode_some(session: AsyncSession, meaning: Meaning) -> int:
    """Encode the next things that wait; returns how many. Safe in every replica.

    What was changed while it was encoded keeps waiting.
    """
    waiting = (
        sa.select(to_encode)
        .order_by(to_encode.c.first.desc(), to_encode.c.since.desc())
        .limit(BATCH)
        .with_for_update(skip_locked=True)
        .cte("waiting")
    )
    columns = [
        things.c[name] for name in ("epoch", "version", "gone", "side", "title", "category", "tags", "text", "language")
    ]
    same = sa.and_(things.c.origin == waiting.c.origin, things.c.id == waiting.c.id)
    chosen = sa.select(waiting, *columns).select_from(waiting.outerjoin(things, same))
    rows = (await session.execute(chosen)).mappings().all()
    vectors = await asyncio.to_thread(encoded, meaning, [row for row in rows if row["side"]])
    done = [(row["origin"], row["id"]) for row in rows if await _settled(session, row, vectors, meaning.version)]
    await session.execute(sa.delete(to_encode).where(sa.tuple_(to_encode.c.origin, to_encode.c.id).in_(done)))
    return len(rows)


async def _settled(session: AsyncSession, row: Row, vectors: dict[Any, Vector], version: str) -> bool:
    """Keep the vector of a thing that is still the one that was read; False when it has changed since."""
    key = (row["origin"], row["id"])
    current = sa.select(things).where(things.c.origin == key[0], things.c.id == key[1])
    now = (await session.execute(current.with_for_update(read=True))).mappings().one_or_none()
    if now is None:
        return True
    if (now["epoch"], now["version"], now["gone"]) != (row["epoch"], row["version"], row["gone"]):
        return False
    if key in vectors:
        await _keep(session, now, vectors[key], version)
    return True


def encoded(meaning: Meaning, rows: Sequence[Row]) -> dict[Any, Vector]:
    """Vectors by (origin, id); titles count most."""
    rows = sorted(rows, key=lambda row: row["side"] != "need")
    asked_in = [row["language"] for row in rows if row["side"] == "need"]
    titles = [". ".join(text for text in (row["title"], row["category"], *row["tags"]) if text) for row in rows]
    vectors = meaning.of([*titles, *(row["text"] for row in rows if row["text"].strip())], asked_in)
    described = iter(vectors[len(rows) :])
    return {
        (row["origin"], row["id"]): meaning.blended(vector, next(described), _TEXT_WEIGHT)
        if row["text"].strip()
        else vector
        for row, vector in zip(rows, vectors, strict=False)
    }


async def _keep(session: AsyncSession, thing: Row, vector: Vector, version: str) -> None:
    values: dict[str, Any] = {
        "model": version,
        **placed(thing),
        "topic": vector.topics[0],
        "topics": sa.literal(list(vector.topics), ARRAY(sa.Text)),
        "bits": sa.cast(sa.cast(vector.signs, sa.Text), BIT(384)),
        "vector": vector.packed(),
    }
    statement = insert(meanings).values(origin=thing["origin"], id=thing["id"], **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["origin", "id"], set_=values))
    same = sa.and_(labels.c.origin == thing["origin"], labels.c.id == thing["id"])
    repeated = ("open", "public", "valid_from", "valid_until", "model", "bits")
    await session.execute(sa.update(labels).where(same).values({name: values[name] for name in repeated}))
    first = thing["origin"] == OURS and thing["side"] == "need"
    again = insert(to_match).values(origin=thing["origin"], id=thing["id"], first=first)
    await session.execute(again.on_conflict_do_nothing())


def placed(thing: Row | dict[str, Any]) -> dict[str, Any]:
    """What the index of vectors keeps of a thing for its filters."""
    here = thing["latitude"] is not None and thing["longitude"] is not None
    point = Point(latitude=thing["latitude"], longitude=thing["longitude"]) if here else None
    same = ("side", "kind", "language", "valid_from", "valid_until", "latitude", "longitude", "changed_at")
    return {name: thing[name] for name in same} | {
        "open": thing["scope"] != "circle",
        "public": thing["scope"] == "public",
        "cell": cells.cell_of(point),
    }
