"""Asking again later: whether an accepted match worked out, whether a need that nobody answered may be widened."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.matching import NeedUnanswered, NeedWidened, OutcomeAsked
from services.chassis import outbox
from services.chassis.auth import Actor
from services.chassis.problems import NotFound
from services.matching import audience
from services.matching.commands.answering import only_its_owner
from services.matching.domain import ASKING_AFTER_DAYS, STAYS_AT_HOME, widest
from services.matching.member_tables import widenings
from services.matching.queries.life import is_answered
from services.matching.queries.matches import need_of
from services.matching.tables import OURS, proposals, things, to_match

BATCH = 20

Row = sa.RowMapping


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a need may stay without an answer, in days, and how far its offers may be until then."""

    days: int
    farthest_km: float


async def ask_outcomes(session: AsyncSession, *, now: datetime) -> int:
    """Ask the authors of needs about matches accepted a week ago, once each; returns how many."""
    due = sa.select(proposals).where(
        proposals.c.status == "accepted",
        proposals.c.outcome.is_(None),
        proposals.c.outcome_asked_at.is_(None),
        proposals.c.changed_at <= now - timedelta(days=ASKING_AFTER_DAYS),
    )
    rows = (await session.execute(due.limit(BATCH).with_for_update(skip_locked=True))).mappings().all()
    for row in rows:
        key = secrets.token_urlsafe(18)
        same = [proposals.c[name] == row[name] for name in ("need_id", "origin", "offer_id")]
        asked = sa.update(proposals).where(*same).values(outcome_asked_at=now, outcome_key=key)
        await session.execute(asked)
        need = await _thing(session, (OURS, row["need_id"]))
        offer = await _thing(session, (row["origin"], row["offer_id"]))
        if need is not None and offer is not None and need["owner_member_id"] is not None:
            await outbox.add(session, _outcome_asked(need, offer, key))
    return len(rows)


async def outcome_of(session: AsyncSession, key: str) -> Row:
    """The match whose mail had this key, with both titles. Raises NotFound."""
    need, offer = things.alias("need"), things.alias("offer")
    chosen = (
        sa.select(proposals.c.outcome, need.c.title.label("need_title"), offer.c.title.label("offer_title"))
        .select_from(proposals)
        .outerjoin(need, sa.and_(need.c.origin == OURS, need.c.id == proposals.c.need_id))
        .outerjoin(offer, sa.and_(offer.c.origin == proposals.c.origin, offer.c.id == proposals.c.offer_id))
        .where(proposals.c.outcome_key == key)
    )
    row = (await session.execute(chosen)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return row


async def tell_outcome(session: AsyncSession, key: str, *, worked: bool) -> None:
    """Keep how it worked out, for whoever has the link of the mail. Raises NotFound."""
    told = sa.update(proposals).where(proposals.c.outcome_key == key, proposals.c.status == "accepted")
    if (await session.execute(told.values(outcome=worked).returning(proposals.c.offer_id))).scalar() is None:
        raise NotFound


async def ask_to_widen(session: AsyncSession, *, now: datetime, patience: Patience) -> int:
    """Ask the authors of needs that nobody answered for so long, once each; returns how many. Changes no need."""
    asked = sa.exists().where(widenings.c.need_id == things.c.id)
    due = sa.select(things).where(
        things.c.origin == OURS,
        things.c.side == "need",
        audience.standing(now),
        things.c.said_at <= now - timedelta(days=patience.days),
        sa.or_(things.c.window_end.is_(None), things.c.window_end > now),
        things.c.owner_member_id.is_not(None),
        sa.or_(_may_go_farther(), things.c.scope.in_(["circle", "cooperative"])),
        sa.not_(sa.or_(is_answered(things.c.id), asked)),
    )
    rows = (await session.execute(due.limit(BATCH))).mappings().all()
    for row in rows:
        radius, scope = widest(row, patience.farthest_km)
        asking = NeedUnanswered(
            need_id=row["id"],
            need_title=row["title"],
            member_id=row["owner_member_id"],
            days=patience.days,
            radius_km=radius,
            scope=scope,
        )
        values = asking.model_dump(include={"need_id", "member_id", "radius_km", "scope"})
        new = insert(widenings).values(**values, asked_at=now).on_conflict_do_nothing()
        if (await session.execute(new.returning(widenings.c.need_id))).scalar() is not None:
            await outbox.add(session, asking)
    return len(rows)


async def answer_widening(session: AsyncSession, need_id: UUID, *, widen: bool, by: Actor, now: datetime) -> None:
    """Keep the author's yes or no; after a yes more offers count, and catalog lets more people see it.

    Raises NotFound when nobody asked, NotAllowed for anybody else. The first answer counts.
    """
    need = await need_of(session, need_id, now=now)
    if need is None:
        raise NotFound
    await only_its_owner(session, need, by)
    chosen = sa.select(widenings).where(widenings.c.need_id == need_id).with_for_update()
    row = (await session.execute(chosen)).mappings().one_or_none()
    if row is None:
        raise NotFound
    if row["widened"] is not None:
        return
    said = {"answered_at": now, "answered_by": by.id, "widened": widen}
    await session.execute(sa.update(widenings).where(widenings.c.need_id == need_id).values(said))
    if widen:
        await session.execute(insert(to_match).values(origin=OURS, id=need_id).on_conflict_do_nothing())
        widened = {name: row[name] for name in ("need_id", "radius_km", "scope")}
        await outbox.add(session, NeedWidened(**widened, by=by.id, at=now))


async def forget_member(session: AsyncSession, member_id: UUID) -> None:
    """Nothing of somebody who has left."""
    await session.execute(sa.delete(widenings).where(widenings.c.member_id == member_id))


def _may_go_farther() -> sa.ColumnElement[bool]:
    here = sa.and_(things.c.latitude.is_not(None), things.c.longitude.is_not(None))
    return sa.and_(things.c.kind.in_(sorted(STAYS_AT_HOME)), here)


async def _thing(session: AsyncSession, key: tuple[str, UUID]) -> Row | None:
    chosen = sa.select(things).where(things.c.origin == key[0], things.c.id == key[1], sa.not_(things.c.gone))
    return (await session.execute(chosen)).mappings().one_or_none()


def _outcome_asked(need: Row, offer: Row, key: str) -> OutcomeAsked:
    return OutcomeAsked(
        need_id=need["id"],
        need_title=need["title"],
        member_id=need["owner_member_id"],
        offer_id=offer["id"],
        origin=None if offer["origin"] == OURS else offer["origin"],
        origin_name=offer["origin_name"],
        offer_title=offer["title"],
        key=key,
    )
