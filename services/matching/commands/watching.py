"""Looking whether a new or changed thing is what somebody's saved search waits for."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import asking, words
from services.matching.commands.searches import as_search
from services.matching.conditions import Conditions
from services.matching.domain import How
from services.matching.meaning import Vector, unpacked
from services.matching.member_tables import alerted, saved_searches
from services.matching.queries import saved
from services.matching.queries.candidates import Wanted, candidates
from services.matching.queries.filters import conditions_of
from services.matching.queries.matches import vector_of
from services.matching.relevance import ALERTING_RELEVANCE
from services.matching.terms import Part, terms_of

Row = sa.RowMapping

SOONEST_FIRST: tuple[How, ...] = ("instant", "daily", "weekly")
"""A thing is noted once for each member: for the search that tells of it first."""


async def watch(session: AsyncSession, thing: Row, *, now: datetime, version: str) -> None:
    """Note for whose saved searches `thing` (standing, just published or changed) is; once for each member.

    Never for what the member may not see or owns. `version`: of the vectors that count.
    """
    vector = await vector_of(session, thing, version) if version else None
    found: set[object] = set()
    likely = await saved.likely_for(session, thing, vector, version)
    for row in sorted(likely, key=lambda one: SOONEST_FIRST.index(one["how"])):
        if row["member_id"] in found or not await _is_for(session, row, thing, now, version):
            continue
        found.add(row["member_id"])
        key = {"member_id": row["member_id"], "origin": thing["origin"], "thing_id": thing["id"]}
        noted = insert(alerted).values(**key, search_id=row["id"], found_at=now)
        await session.execute(noted.on_conflict_do_nothing())


async def _is_for(session: AsyncSession, row: Row, thing: Row, now: datetime, version: str) -> bool:
    wanted = as_search(row, await _vector(session, row, version), version)
    terms = await terms_of(session, Part(text=wanted.query.wanted, language=wanted.language))
    conditions = conditions_of(wanted.filters, member_id=row["member_id"], now=now)
    found = await candidates(
        session,
        Wanted(
            conditions=Conditions(
                clauses=[*saved.still_for(row["member_id"], now), *conditions.clauses], values=conditions.values
            ),
            now=now,
            terms=terms,
            vector=wanted.vector,
            version=version,
            total=terms.total,
            side=wanted.side,
            only=(thing["origin"], thing["id"]),
        ),
    )
    if not wanted.query.wanted:
        return bool(found)
    return any(one.relevance >= ALERTING_RELEVANCE for one in found)


async def _vector(session: AsyncSession, row: Row, version: str) -> Vector | None:
    """What the search is about; made again when it is of another model than the one that counts now."""
    if not version:
        return None
    if row["model"] == version and row["vector"] is not None:
        return unpacked(row["vector"], ())
    vector = await asking.vector_of(words.parsed(row["words"]).wanted, row["language"])
    if vector is not None:
        again = sa.update(saved_searches).where(saved_searches.c.id == row["id"])
        await session.execute(again.values(model=version, vector=vector.packed()))
    return vector
