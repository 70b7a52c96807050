"""Reads for our coordinators and members."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.federation.tables import broker_orders, invitations, links, peer_calls, positions, refusals, streams

GAP_GRACE_SECONDS = 10
"""A gap younger than this is messages that overtook each other."""


async def all_links(session: AsyncSession) -> list[sa.RowMapping]:
    """Every link with how it does; the living ones first, then by name."""
    query = _links().order_by(links.c.status == "ended", links.c.peer_name, links.c.id)
    return list((await session.execute(query)).mappings().all())


async def one_link(session: AsyncSession, link_id: UUID) -> sa.RowMapping | None:
    """The same for one."""
    return (await session.execute(_links().where(links.c.id == link_id))).mappings().first()


def _links() -> sa.Select[Any]:
    return (
        sa.select(
            links,
            streams.c.last_sent_at,
            positions.c.last_received_at,
            positions.c.gap_since,
            sa.func.coalesce(positions.c.refused, 0).label("refused"),
            broker_orders.c.waiting,
            broker_orders.c.shovel,
            broker_orders.c.shovel_reason,
            broker_orders.c.error.label("broker_error"),
            peer_calls.c.error.label("call_error"),
        )
        .outerjoin(streams, streams.c.link_id == links.c.id)
        .outerjoin(positions, positions.c.link_id == links.c.id)
        .outerjoin(broker_orders, broker_orders.c.link_id == links.c.id)
        .outerjoin(peer_calls, peer_calls.c.link_id == links.c.id)
    )


async def active_peers(session: AsyncSession) -> list[sa.RowMapping]:
    """The cooperatives that we are linked with now, by name."""
    columns = (links.c.peer_id, links.c.peer_name, links.c.peer_web)
    query = sa.select(*columns).where(links.c.status == "active").order_by(links.c.peer_name)
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
    if link["broker_error"]:
        return "broker_refuses"
    if link["call_error"]:
        return "peer_does_not_answer"
    if link["gap_since"] is not None and (now - link["gap_since"]).total_seconds() > GAP_GRACE_SECONDS:
        return "messages_missing"
    if link["status"] == "active" and link["shovel"] not in {None, "running"}:
        return "peer_broker_does_not_answer"
    return link["reason"]
