"""Reads for our coordinators and members."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.federation.copies import counted
from services.federation.domain import HEAR_PUBLIC_STREAM, OPEN_ANSWERS, PEERS, RELATIONS
from services.federation.hub_tables import public_reads, traffic
from services.federation.mending_tables import blocks, erasures
from services.federation.own_tables import invitations
from services.federation.tables import (
    bookings_abroad,
    broker_orders,
    links,
    own_listings,
    peer_calls,
    positions,
    refusals,
    shares,
    streams,
)

GAP_GRACE_SECONDS = 10
"""A gap younger than this is messages that overtook each other."""

SILENT_AFTER = timedelta(hours=3)
"""A peer gives a receipt every hour, also when nothing happens."""


async def all_links(session: AsyncSession) -> list[sa.RowMapping]:
    """Every link with how it does; the living ones first, then by name."""
    query = _links().order_by(links.c.status == "ended", links.c.peer_name, links.c.id)
    return list((await session.execute(query)).mappings().all())


async def one_link(session: AsyncSession, link_id: UUID) -> sa.RowMapping | None:
    """The same for one."""
    return (await session.execute(_links().where(links.c.id == link_id))).mappings().first()


def _links() -> sa.Select[Any]:
    hubs = links.alias("hubs")
    return (
        sa.select(
            links,
            streams.c.last_sent_at,
            streams.c.acked_at,
            streams.c.peer_copies,
            streams.c.recovery_asked_at,
            sa.func.coalesce(streams.c.seq - streams.c.acked_to, 0).label("unacknowledged"),
            sa.func.coalesce(positions.c.seen_to - positions.c.applied_to, 0).label("missing"),
            positions.c.vouched_at,
            counted(links.c.id).label("copies_here"),
            sa.select(hubs.c.peer_name).where(hubs.c.id == links.c.via).scalar_subquery().label("hub_name"),
            _count(erasures, erasures.c.acked_at.is_(None)).label("erasures_waiting"),
            _unclaimed().label("unclaimed"),
            positions.c.last_received_at,
            positions.c.gap_since,
            sa.func.coalesce(positions.c.refused, 0).label("refused"),
            traffic.c.held,
            sa.func.coalesce(traffic.c.dropped, 0).label("dropped"),
            broker_orders.c.waiting,
            broker_orders.c.shovel,
            broker_orders.c.shovel_reason,
            broker_orders.c.error.label("broker_error"),
            peer_calls.c.error.label("call_error"),
        )
        .outerjoin(streams, streams.c.link_id == links.c.id)
        .outerjoin(positions, positions.c.link_id == links.c.id)
        .outerjoin(traffic, traffic.c.link_id == links.c.id)
        .outerjoin(broker_orders, broker_orders.c.link_id == links.c.id)
        .outerjoin(peer_calls, peer_calls.c.link_id == links.c.id)
        .where(links.c.kind.in_(RELATIONS))
    )


def _count(table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    counted = sa.select(sa.func.count()).select_from(table).where(table.c.link_id == links.c.id, *where)
    return counted.correlate(links).scalar_subquery()


def _unclaimed() -> sa.ScalarSelect[int]:
    abroad = bookings_abroad.c
    counted = sa.select(sa.func.count()).select_from(bookings_abroad).where(abroad.peer_id == links.c.peer_id)
    still = sa.and_(abroad.unclaimed, abroad.status.in_(("", *OPEN_ANSWERS)))
    return counted.where(still).correlate(links).scalar_subquery()


async def told_things(session: AsyncSession, link_id: UUID, *, after: UUID | None, limit: int) -> list[sa.RowMapping]:
    """Our things of which the peer of a link was told, by id: what we said last, and how far the peer says it is."""
    columns = (shares.c.thing_id, shares.c.withdrawn, shares.c.seq, shares.c.listing_version)
    here = shares.c.link_id == link_id
    hears = sa.select(links.c.id).where(links.c.id == link_id, links.c.kind.in_(HEAR_PUBLIC_STREAM)).exists()
    everybody = sa.and_(hears, shares.c.link_id.in_(sa.select(links.c.id).where(links.c.kind == "public")))
    heard = sa.and_(public_reads.c.link_id == link_id, public_reads.c.epoch == streams.c.epoch)
    acked_to = sa.case((here, streams.c.acked_to), else_=sa.func.coalesce(public_reads.c.acked_to, 0))
    query = (
        sa.select(*columns, own_listings.c.shared_form, own_listings.c.title, acked_to.label("acked_to"))
        .ext(distinct_on(shares.c.thing_id))
        .join(streams, streams.c.link_id == shares.c.link_id)
        .outerjoin(public_reads, heard)
        .outerjoin(own_listings, own_listings.c.id == shares.c.thing_id)
        .where(sa.or_(here, everybody), shares.c.listing_version > 0)
        # one that it was told of on both streams: what was said last, which has the higher version
        .order_by(shares.c.thing_id, shares.c.listing_version.desc(), shares.c.withdrawn, here.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(shares.c.thing_id > after)
    return list((await session.execute(query)).mappings().all())


async def own_shared(session: AsyncSession, *, after: UUID | None, limit: int) -> list[sa.RowMapping]:
    """Our things that any peer may know, by id."""
    query = sa.select(own_listings).where(sa.not_(own_listings.c.withdrawn), own_listings.c.shared_form.is_not(None))
    if after is not None:
        query = query.where(own_listings.c.id > after)
    return list((await session.execute(query.order_by(own_listings.c.id).limit(limit))).mappings().all())


async def all_blocks(session: AsyncSession) -> list[sa.RowMapping]:
    """Cooperatives that we do not link with, by name."""
    return list((await session.execute(sa.select(blocks).order_by(blocks.c.peer_name))).mappings().all())


async def active_peers(session: AsyncSession) -> list[sa.RowMapping]:
    """The cooperatives that we are linked with now, by name."""
    columns = (links.c.peer_id, links.c.peer_name, links.c.peer_web)
    query = sa.select(*columns).where(links.c.status == "active", links.c.kind.in_(PEERS)).order_by(links.c.peer_name)
    return list((await session.execute(query)).mappings().all())


async def recent_invitations(session: AsyncSession) -> list[sa.RowMapping]:
    """The newest hundred, newest first."""
    query = sa.select(invitations).order_by(invitations.c.id.desc()).limit(100)
    return list((await session.execute(query)).mappings().all())


async def refusals_of(session: AsyncSession, link_id: UUID, *, before: UUID | None, limit: int) -> list[sa.RowMapping]:
    """What was refused of one link, newest first."""
    query = sa.select(refusals).where(refusals.c.link_id == link_id).order_by(refusals.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(refusals.c.id < before)
    return list((await session.execute(query)).mappings().all())


def trouble_of(link: sa.RowMapping, *, now: datetime) -> str | None:
    """A stable word for what is wrong with a link, the gravest first; None when nothing is."""
    if link["status"] == "ended":
        return link["reason"]
    active = link["status"] == "active"
    gap, heard = link["gap_since"], link["last_received_at"] or link["active_since"]
    found = {
        "broker_refuses": link["broker_error"] is not None,
        "peer_does_not_answer": link["call_error"] is not None,
        "messages_missing": gap is not None and (now - gap).total_seconds() > GAP_GRACE_SECONDS,
        "recovering": link["recovery_asked_at"] is not None,
        "peer_broker_does_not_answer": active and link["shovel"] not in {None, "running"},
        "held": active and bool(link["held"]),
        "peer_silent": active and heard is not None and now - heard > SILENT_AFTER,
    }
    return next((word for word, holds in found.items() if holds), link["reason"])
