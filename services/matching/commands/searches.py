"""Searches that members keep: named, changed, paused, removed."""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalog import Kind, Side
from contracts.identity import Locale
from services.chassis.auth import Actor
from services.chassis.ids import new_id
from services.chassis.problems import NotFound, Problem, Text
from services.matching import words
from services.matching.commands import leaving
from services.matching.domain import Point
from services.matching.meaning import Vector
from services.matching.member_tables import alerted, saved_searches
from services.matching.queries.search import Search
from services.matching.terms import Part, terms_of

Row = sa.RowMapping


class TooManySearches(Problem):
    """A member keeps a limited number of searches."""

    status = 409
    slug = "too-many-searches"
    text = Text(
        fr="Vous gardez déjà {most} recherches. Supprimez-en une d'abord.",
        en="You keep {most} searches already. Remove one first.",
        nl="U bewaart al {most} zoekopdrachten. Verwijder er eerst een.",
    )


def as_search(row: Row, vector: Vector | None = None, version: str = "") -> Search:
    """A kept search as `queries.search` takes it."""
    here = row["latitude"] is not None and row["longitude"] is not None
    side: Side | None = row["side"]
    kind: Kind | None = row["kind"]
    language: Locale = row["language"]
    return Search(
        query=words.parsed(row["words"]),
        language=language,
        vector=vector,
        version=version,
        side=side,
        kind=kind,
        origin=row["origin"],
        near=Point(latitude=row["latitude"], longitude=row["longitude"]) if here else None,
        radius_km=row["radius_km"],
    )


async def save(session: AsyncSession, values: dict[str, Any], *, by: Actor, now: datetime, most: int) -> UUID:
    """Keep a search of `by`; what is said from `now` on is alerted.

    Raises TooManySearches beyond `most`, NotSignedIn.
    """
    mine = saved_searches.c.member_id == by.id
    await leaving.one_at_a_time(session, by.id, leaving.SEARCHES)
    kept = (await session.execute(sa.select(sa.func.count()).select_from(saved_searches).where(mine))).scalar_one()
    if kept >= most:
        raise TooManySearches(most=most)
    row = values | {
        "id": new_id(),
        "member_id": by.id,
        "paused": False,
        "key": secrets.token_urlsafe(18),
        "made_at": now,
        "since": now,
        "lexemes": await _lexemes(session, values),
    }
    return (await session.execute(sa.insert(saved_searches).values(row).returning(saved_searches.c.id))).scalar_one()


async def change(
    session: AsyncSession, search_id: UUID, values: dict[str, Any], *, paused: bool, by: Actor, now: datetime
) -> None:
    """The search as `values` say. With other criteria, or after a pause, it counts what is said from `now` on.

    Raises NotFound.
    """
    mine = sa.and_(saved_searches.c.id == search_id, saved_searches.c.member_id == by.id)
    before = (await session.execute(sa.select(saved_searches).where(mine).with_for_update())).mappings().one_or_none()
    if before is None:
        raise NotFound
    criteria = ("words", "side", "kind", "origin", "latitude", "longitude", "radius_km")
    anew = (before["paused"] and not paused) or any(before[name] != values[name] for name in criteria)
    row = values | {"paused": paused, "lexemes": await _lexemes(session, values)}
    if anew:
        row["since"] = now
    await session.execute(sa.update(saved_searches).where(mine).values(row))
    if anew or paused:
        await _forget_waiting(session, search_id)


async def remove(session: AsyncSession, search_id: UUID, *, by: Actor) -> None:
    """Keep it no longer; what it has found is not told any more. Raises NotFound."""
    await _forget_waiting(session, search_id, of=by.id)
    gone = sa.delete(saved_searches).where(saved_searches.c.id == search_id, saved_searches.c.member_id == by.id)
    if (await session.execute(gone.returning(saved_searches.c.id))).scalar() is None:
        raise NotFound


async def stop(session: AsyncSession, search_id: UUID, key: str) -> str:
    """Pause the search whose key it is, for whoever has the link of a mail. Returns its name. Raises NotFound."""
    name = await name_of(session, search_id, key)
    await session.execute(sa.update(saved_searches).where(saved_searches.c.id == search_id).values(paused=True))
    await _forget_waiting(session, search_id)
    return name


async def name_of(session: AsyncSession, search_id: UUID, key: str) -> str:
    """What the search is called, for whoever has its key. Raises NotFound."""
    chosen = sa.select(saved_searches.c.name, saved_searches.c.key).where(saved_searches.c.id == search_id)
    row = (await session.execute(chosen)).one_or_none()
    if row is None or not secrets.compare_digest(row.key.encode(), key.encode()):
        raise NotFound
    return row.name


async def forget_member(session: AsyncSession, member_id: UUID) -> None:
    """Delete all searches of somebody who has left, and what was found for them."""
    for table in (alerted, saved_searches):
        await session.execute(sa.delete(table).where(table.c.member_id == member_id))


async def _forget_waiting(session: AsyncSession, search_id: UUID, *, of: UUID | None = None) -> None:
    waiting = [alerted.c.search_id == search_id, alerted.c.told_at.is_(None)]
    if of is not None:
        waiting.append(alerted.c.member_id == of)
    await session.execute(sa.delete(alerted).where(*waiting))


async def _lexemes(session: AsyncSession, values: dict[str, Any]) -> list[str]:
    """The stems that a thing must share one of, unless it is near in meaning."""
    query = words.parsed(values["words"])
    terms = await terms_of(session, Part(text=query.wanted, language=values["language"]))
    return [term.lexeme for term in terms.terms]
