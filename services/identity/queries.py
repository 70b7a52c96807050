"""Reads of identity. Lists come as rows with the cursor for what follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import paging
from services.chassis.problems import FieldError, InvalidFields, NotFound, Text
from services.identity.domain.circles import Circle
from services.identity.domain.invitations import Invitation
from services.identity.domain.members import Member
from services.identity.tables import act, circle, invitation, member

_sort_name = sa.func.lower(sa.func.unaccent(member.c.name))
_UNKNOWN_PAGE = Text(
    fr="Page inconnue : revenez au début.", en="Unknown page: go back to the start.", nl="Onbekende pagina."
)


async def members(
    session: AsyncSession,
    *,
    text: str | None,
    by_email: bool,
    status: Literal["active", "left"],
    cursor: str | None,
    limit: int,
) -> tuple[Sequence[Member], str | None]:
    """Members by name, accents and case set aside. `text` is part of the name, or with `by_email` of the address."""
    query = sa.select(Member, _sort_name).where(member.c.status == status)
    if text:
        found = sa.func.strpos(_sort_name, sa.func.lower(sa.func.unaccent(text))) > 0
        in_address = sa.func.strpos(member.c.email_key, text.casefold()) > 0
        query = query.where(sa.or_(found, in_address) if by_email else found)
    if cursor:
        query = query.where(sa.tuple_(_sort_name, member.c.id) > _after(cursor))
    rows = (await session.execute(query.order_by(_sort_name, member.c.id).limit(limit + 1))).all()
    following = paging.encode(rows[limit - 1][1], str(rows[limit - 1][0].id)) if len(rows) > limit else None
    return [row[0] for row in rows[:limit]], following


async def member_by_id(session: AsyncSession, member_id: UUID) -> Member:
    """Raises NotFound."""
    found = await session.get(Member, member_id)
    if found is None:
        raise NotFound
    return found


async def invitations(
    session: AsyncSession, *, cursor: str | None, limit: int
) -> tuple[Sequence[tuple[Invitation, str]], str | None]:
    """Invitations with the inviter's name, newest first (ids sort by time)."""
    query = sa.select(Invitation, member.c.name).join(member, member.c.id == invitation.c.invited_by)
    if cursor:
        query = query.where(invitation.c.id < _uuid(paging.decode(cursor, 1)[0]))
    rows = (await session.execute(query.order_by(invitation.c.id.desc()).limit(limit + 1))).all()
    following = paging.encode(str(rows[limit - 1][0].id)) if len(rows) > limit else None
    return [(row[0], row[1]) for row in rows[:limit]], following


async def circles(
    session: AsyncSession, *, status: Literal["active", "closed"], cursor: str | None, limit: int
) -> tuple[Sequence[Circle], str | None]:
    """Circles by name."""
    query = sa.select(Circle).where(circle.c.status == status)
    if cursor:
        query = query.where(sa.tuple_(circle.c.name_key, circle.c.id) > _after(cursor))
    rows = (await session.execute(query.order_by(circle.c.name_key, circle.c.id).limit(limit + 1))).scalars().all()
    following = paging.encode(rows[limit - 1].name_key, str(rows[limit - 1].id)) if len(rows) > limit else None
    return rows[:limit], following


async def circle_by_id(session: AsyncSession, circle_id: UUID) -> Circle:
    """Raises NotFound."""
    found = await session.get(Circle, circle_id)
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, kw_only=True)
class WantedActs:
    """Which acts: of `actor`, in `service`, about something whose id holds `about`, from `start` to before `end`."""

    actor: UUID | None
    service: str | None
    about: str | None
    start: datetime | None
    end: datetime | None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """For a WHERE."""
        found: list[sa.ColumnElement[bool]] = []
        if self.actor is not None:
            found.append(act.c.actor_id == self.actor)
        if self.service is not None:
            found.append(act.c.service == self.service)
        if self.about is not None:
            said = sa.func.strpos(sa.cast(act.c.said, sa.Text), self.about) > 0
            found.append(sa.or_(sa.func.strpos(act.c.about, self.about) > 0, said))
        if self.start is not None:
            found.append(act.c.at >= self.start)
        if self.end is not None:
            found.append(act.c.at < self.end)
        return found


async def acts(
    session: AsyncSession, wanted: WantedActs, *, cursor: str | None, limit: int
) -> tuple[Sequence[sa.RowMapping], str | None]:
    """Acts with the actor's name as of now, the last first (ids sort by time)."""
    query = (
        sa.select(act, member.c.name.label("actor_name"))
        .join(member, member.c.id == act.c.actor_id, isouter=True)
        .where(*wanted.conditions())
    )
    if cursor:
        query = query.where(act.c.id < paging.decode_id(cursor))
    rows = (await session.execute(query.order_by(act.c.id.desc()).limit(limit + 1))).mappings().all()
    following = paging.encode(str(rows[limit - 1]["id"])) if len(rows) > limit else None
    return rows[:limit], following


def _after(cursor: str) -> sa.Tuple:
    name, last_id = paging.decode(cursor, 2)
    return sa.tuple_(sa.literal(str(name), sa.Text), sa.literal(_uuid(last_id), sa.Uuid))


def _uuid(written: object) -> UUID:
    try:
        return UUID(str(written))
    except ValueError as error:
        raise InvalidFields(FieldError("cursor", "invalid", _UNKNOWN_PAGE)) from error
