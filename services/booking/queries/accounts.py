"""The accounts: lines by page, and their sums by cooperative and by member."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.tables import members, uses

Row = sa.Row[Any]
Position = tuple[datetime, UUID]
"""Where a page ended: the end of the last use, and its booking."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which lines: uses that ended in `[since, until)`, with one peer, given or received by one member."""

    since: datetime | None = None
    until: datetime | None = None
    peer_id: str | None = None
    member_id: UUID | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """As SQL."""
        found: list[sa.ColumnElement[bool]] = []
        if self.since is not None:
            found.append(uses.c.ended_at >= self.since)
        if self.until is not None:
            found.append(uses.c.ended_at < self.until)
        if self.peer_id is not None:
            found.append(sa.or_(uses.c.borrower_peer_id == self.peer_id, uses.c.owner_peer_id == self.peer_id))
        if self.member_id is not None:
            found.append(sa.or_(uses.c.borrower_member_id == self.member_id, uses.c.owner_member_id == self.member_id))
        return found


@dataclass
class Sum:
    """What was used: how often, how long, worth what in money and in time; and how often nobody came."""

    uses: int = 0
    no_shows: int = 0
    minutes: int = 0
    euros: Decimal = Decimal("0.00")
    time_minutes: int = 0


@dataclass
class Both:
    """Given to, and received from, somebody."""

    id: str | UUID
    name: str
    given: Sum = field(default_factory=Sum)
    received: Sum = field(default_factory=Sum)

    @property
    def minutes(self) -> int:
        return self.given.minutes + self.received.minutes


async def lines(
    session: AsyncSession, wanted: Wanted, *, after: Position | None, limit: int, newest_first: bool = True
) -> list[Row]:
    """Lines in the order in which the uses ended."""
    key = sa.tuple_(uses.c.ended_at, uses.c.booking_id)
    found = sa.select(uses).where(*wanted.conditions()).limit(limit)
    if after is not None:
        last = sa.tuple_(
            sa.bindparam(None, after[0], sa.DateTime(timezone=True)), sa.bindparam(None, after[1], sa.Uuid)
        )
        found = found.where(key < last if newest_first else key > last)
    order = (uses.c.ended_at, uses.c.booking_id)
    found = found.order_by(*(column.desc() if newest_first else column.asc() for column in order))
    return list((await session.execute(found)).all())


async def within(session: AsyncSession, wanted: Wanted) -> Sum:
    """What members of ours used of each other's."""
    ours = (uses.c.borrower_peer_id.is_(None), uses.c.owner_peer_id.is_(None))
    row = (await session.execute(sa.select(*_sums()).where(*wanted.conditions(), *ours))).one()
    return _sum(row)


async def by_peer(session: AsyncSession, wanted: Wanted) -> list[Both]:
    """Given to and received from each linked cooperative, by name."""
    found: dict[str, Both] = {}
    for side, peer, name in (
        ("given", uses.c.borrower_peer_id, uses.c.borrower_peer_name),
        ("received", uses.c.owner_peer_id, uses.c.owner_peer_name),
    ):
        summed = sa.select(peer.label("id"), sa.func.max(name).label("name"), *_sums())
        summed = summed.where(*wanted.conditions(), peer.is_not(None)).group_by(peer)
        for row in await session.execute(summed):
            both = found.setdefault(row.id, Both(row.id, row.name or row.id[:12]))
            setattr(both, side, _sum(row))
    return sorted(found.values(), key=lambda both: (both.name.casefold(), str(both.id)))


async def by_member(session: AsyncSession, wanted: Wanted) -> list[Both]:
    """Given and received by each member of ours, whoever was on the other side; those with most hours first."""
    found: dict[UUID, Both] = {}
    for side, member, name, abroad in (
        ("given", uses.c.owner_member_id, uses.c.owner_name, uses.c.owner_peer_id),
        ("received", uses.c.borrower_member_id, uses.c.borrower_name, uses.c.borrower_peer_id),
    ):
        known = sa.func.coalesce(sa.func.max(members.c.name), sa.func.max(name)).label("name")
        summed = sa.select(member.label("id"), known, *_sums()).outerjoin(members, members.c.id == member)
        summed = summed.where(*wanted.conditions(), member.is_not(None), abroad.is_(None)).group_by(member)
        if wanted.member_id is not None:
            summed = summed.where(member == wanted.member_id)
        for row in await session.execute(summed):
            both = found.setdefault(row.id, Both(row.id, row.name or ""))
            setattr(both, side, _sum(row))
    return sorted(found.values(), key=lambda both: (-both.minutes, both.name.casefold(), str(both.id)))


def _sums() -> list[sa.Label[Any]]:
    used, missed = uses.c.kind == "use", uses.c.kind == "no_show"
    total = sa.func.coalesce(sa.func.sum(uses.c.value).filter(uses.c.unit == "EUR"), sa.literal_column("0.00"))
    time = sa.func.coalesce(sa.func.sum(uses.c.value).filter(uses.c.unit == "minutes"), 0)
    return [
        sa.func.count().filter(used).label("uses"),
        sa.func.count().filter(missed).label("no_shows"),
        sa.func.coalesce(sa.func.sum(uses.c.minutes), 0).label("minutes"),
        total.label("euros"),
        time.label("time_minutes"),
    ]


def _sum(row: Row) -> Sum:
    return Sum(
        uses=row.uses,
        no_shows=row.no_shows,
        minutes=int(row.minutes),
        euros=Decimal(row.euros).quantize(Decimal("0.01")),
        time_minutes=int(row.time_minutes),
    )
