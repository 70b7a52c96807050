"""The queue of mails: claiming one, noting how it ended. Each function runs in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands import coordination, people
from services.notify.commands.people import Home
from services.notify.letters import Letter
from services.notify.tables import contacts, deliveries, members

LEASE = timedelta(seconds=60)
"""How long a claimed mail is nobody else's; longer than connecting and sending may take together."""
_RETRIES = (5, 15, 60, 300, 900, 1800, 3600, 7200, 14400)
_LONGEST_ERROR = 500


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A mail that this process may send now. `letter` is None when no address is known (`has_left`: nor ever will)."""

    id: UUID
    attempts: int
    give_up_at: datetime
    to: str
    """Whom coordinators are told of if it fails."""
    letter: Letter | None
    has_left: bool
    home: Home


async def claim(session: AsyncSession, *, now: datetime) -> Claimed | None:
    """The mail that has waited longest, leased to the caller; None when none is due."""
    due = (
        sa.select(deliveries.c.id)
        .where(deliveries.c.status == "waiting", deliveries.c.next_at <= now)
        .order_by(deliveries.c.next_at, deliveries.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    leased = (
        sa.update(deliveries)
        .where(deliveries.c.id == due.scalar_subquery())
        .values(next_at=now + LEASE, attempts=deliveries.c.attempts + 1)
        .returning(deliveries)
    )
    row = (await session.execute(leased)).mappings().one_or_none()
    if row is None:
        return None
    home = await people.home(session)
    email, name, locale, has_left = await _reader(session, row, home)
    letter = None if email is None else _letter(row, email, name, locale)
    to = str(row["email"] or name or row["member_id"])
    return Claimed(
        id=row["id"],
        attempts=row["attempts"],
        give_up_at=row["give_up_at"],
        to=to,
        letter=letter,
        has_left=has_left,
        home=home,
    )


def retry_at(now: datetime, attempts: int) -> datetime:
    """When a mail that has failed `attempts` times is tried again: seconds at first, hours in the end."""
    return now + timedelta(seconds=_RETRIES[min(attempts, len(_RETRIES)) - 1])


async def mark_sent(session: AsyncSession, claimed: Claimed, *, now: datetime) -> None:
    """The server has taken it."""
    await _end(session, claimed.id, "sent", None, now=now)


async def mark_dropped(session: AsyncSession, claimed: Claimed, reason: str, *, now: datetime) -> None:
    """Nobody is there to read it."""
    await _end(session, claimed.id, "dropped", reason, now=now)


async def mark_failed(session: AsyncSession, claimed: Claimed, error: str, *, now: datetime) -> None:
    """It will never arrive: kept with the error, and told to the coordinators."""
    if await _end(session, claimed.id, "failed", error, now=now):
        await coordination.mail_failed(session, to=claimed.to, now=now)


async def mark_for_retry(session: AsyncSession, claimed: Claimed, error: str, *, now: datetime) -> None:
    """It waits for its next attempt."""
    values = {"next_at": retry_at(now, claimed.attempts), "last_error": error[:_LONGEST_ERROR]}
    waiting = sa.and_(deliveries.c.id == claimed.id, deliveries.c.status == "waiting")
    await session.execute(sa.update(deliveries).where(waiting).values(values))


async def _end(session: AsyncSession, delivery_id: UUID, status: str, error: str | None, *, now: datetime) -> bool:
    """Forgets what the mail said with the same statement that ends it. Returns whether it was waiting."""
    values = {
        "status": status,
        "done_at": now,
        "last_error": error[:_LONGEST_ERROR] if error else None,
        "facts": sa.null(),
    }
    waiting = sa.and_(deliveries.c.id == delivery_id, deliveries.c.status == "waiting")
    ended = sa.update(deliveries).where(waiting).values(values).returning(deliveries.c.id)
    return (await session.execute(ended)).scalar() is not None


async def _reader(session: AsyncSession, row: Mapping[Any, Any], home: Home) -> tuple[str | None, str, Any, bool]:
    """Address (None when unknown), name, language, and whether the member has left, as known now."""
    if row["member_id"] is None:
        return row["email"], row["name"] or "", row["locale"] or home.locale, False
    query = (
        sa.select(
            contacts.c.email,
            sa.func.coalesce(members.c.name, contacts.c.name).label("name"),
            sa.func.coalesce(members.c.locale, contacts.c.locale).label("locale"),
            sa.func.coalesce(members.c.status == "left", sa.false()).label("has_left"),
        )
        .outerjoin(members, members.c.id == contacts.c.member_id)
        .where(contacts.c.member_id == row["member_id"])
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        return None, "", home.locale, False
    if found.has_left or found.email is None:
        return None, found.name, found.locale, True
    return found.email, found.name, found.locale, False


def _letter(row: Mapping[Any, Any], email: str, name: str, locale: Any) -> Letter:
    return Letter(
        delivery_id=row["id"],
        template=row["template"],
        facts=row["facts"],
        url=row["url"],
        about_id=row["about_id"],
        email=email,
        name=name,
        locale=locale,
        to_member=row["member_id"] is not None,
        traceparent=row["traceparent"],
    )
