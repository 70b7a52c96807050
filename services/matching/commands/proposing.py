"""Telling the authors of needs about offers that they were not told of before, and looking at saved searches."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.matching import MatchesProposed, Proposal, Reason
from services.chassis import outbox
from services.matching import audience, taxonomy
from services.matching.commands.watching import watch
from services.matching.conditions import once
from services.matching.queries import results
from services.matching.queries.candidates import Wanted, candidates
from services.matching.queries.judging import Match
from services.matching.queries.matches import answers_to, matches_of, status_of, vector_of
from services.matching.tables import OURS, proposals, things, to_match
from services.matching.telling import worth_telling
from services.matching.terms import Part, Terms, terms_of

MOST_AT_ONCE = 5
_MOST_NEEDS = 50

Row = sa.RowMapping


async def compare_next(session: AsyncSession, *, now: datetime, farthest_km: float, version: str = "") -> bool:
    """Compare one new or changed thing with what it may fit. False when none waits. Safe in every replica.

    `version`: of the vectors that count.
    """
    waiting = sa.select(to_match).order_by(to_match.c.first.desc(), to_match.c.since.desc()).limit(1)
    key = (await session.execute(waiting.with_for_update(skip_locked=True))).mappings().one_or_none()
    if key is None:
        return False
    same = sa.and_(to_match.c.origin == key["origin"], to_match.c.id == key["id"])
    await session.execute(sa.delete(to_match).where(same))
    chosen = sa.select(things).where(things.c.origin == key["origin"], things.c.id == key["id"], audience.standing(now))
    thing = (await session.execute(chosen)).mappings().one_or_none()
    if thing is None:
        return True
    await watch(session, thing, now=now, version=version)
    if thing["side"] == "offer":
        only = (thing["origin"], thing["id"])
        for need in await _needs_for(session, thing, now, version):
            found = await matches_of(session, need, now=now, farthest_km=farthest_km, version=version, only=only)
            if any(worth_telling([one.fit for one in found])):  # seldom: only then it is compared with all others
                found = await matches_of(session, need, now=now, farthest_km=farthest_km, version=version)
                await _tell(session, need, found, now, only=only)
    elif thing["origin"] == OURS:
        found = await matches_of(session, thing, now=now, farthest_km=farthest_km, version=version)
        await _tell(session, thing, found, now)
    return True


async def _needs_for(session: AsyncSession, offer: Row, now: datetime, version: str) -> Sequence[Row]:
    """Open needs of ours that the offer may be for, the nearest in words and meaning first."""
    parts = [
        Part(text=offer[field], language=offer["language"], weight=weight)
        for field, weight in (("title", 1.0), ("category", 0.9), ("text", 0.6))
    ]
    ours = once(things.c.origin == OURS, things.c.side == "need", audience.standing(now))
    terms = await terms_of(session, *parts)
    wanted = Wanted(
        conditions=ours,
        now=now,
        terms=terms,
        vector=await vector_of(session, offer, version),
        version=version,
        total=terms.total,
        side="need",
        likely_kind=offer["kind"],
    )
    found = sorted(await candidates(session, wanted), key=lambda one: -one.relevance)
    keys = [one.key for one in found[:_MOST_NEEDS]]
    rows = await results.whole(session, keys, Terms(), ours)
    return [rows[key] for key in keys if key in rows]


async def _tell(
    session: AsyncSession, need: Row, found: list[Match], now: datetime, *, only: tuple[str, UUID] | None = None
) -> None:
    """Tell of what is worth it among what was not declined; `only`: of nothing but this offer."""
    answers = await answers_to(session, need["id"])
    open_ones = [one for one in found if status_of(one, answers) != "declined"]
    worth = worth_telling([one.fit for one in open_ones])
    good = [one for one, told in zip(open_ones, worth, strict=True) if told]
    asked = [one for one in good if only is None or (one.row["origin"], one.row["id"]) == only]
    new = await _not_told(session, need["id"], asked[:MOST_AT_ONCE], now)
    if new:
        await outbox.add(session, _event(need, new))


async def _not_told(session: AsyncSession, need_id: UUID, found: list[Match], now: datetime) -> list[Match]:
    if not found:
        return []
    rows = [
        {"need_id": need_id, "origin": match.row["origin"], "offer_id": match.row["id"], "told_at": now}
        for match in found
    ]
    statement = insert(proposals).values(rows).on_conflict_do_nothing()
    added = await session.execute(statement.returning(proposals.c.origin, proposals.c.offer_id))
    new = {(origin, offer_id) for origin, offer_id in added}
    return [match for match in found if (match.row["origin"], match.row["id"]) in new]


def _event(need: Row, new: list[Match]) -> MatchesProposed:
    return MatchesProposed(
        need_id=need["id"],
        need_title=need["title"],
        need_owner_id=need["owner_member_id"],
        proposals=[
            Proposal(
                offer_id=match.row["id"],
                origin=None if match.row["origin"] == OURS else match.row["origin"],
                origin_name=match.row["origin_name"],
                title=match.row["title"],
                reasons=_reasons(match),
            )
            for match in new
        ],
    )


def _reasons(one: Match) -> list[Reason]:
    """The reasons in the event's words: it knows no meaning, only that both are of one category."""
    found: list[Reason] = []
    for term in one.fit.reasons:
        match term.code:
            case "topic":
                found.append(Reason(code="category", value=taxonomy.name(term.value, one.row["language"])))
            case "meaning" | "rested" | "days" | "owed" | "owing":
                pass
            case code:
                found.append(Reason(code=code, value=term.value))
    return found
