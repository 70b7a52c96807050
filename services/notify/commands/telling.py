"""Telling people: a row in each reader's inbox and, as their preference says, a mail in the queue. One transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import Locale
from services.chassis import tracing
from services.chassis.ids import new_id
from services.notify import wording
from services.notify.commands import people
from services.notify.commands.people import Home, Person
from services.notify.domain import Message, Told, is_mailed
from services.notify.tables import deliveries, notifications

NOTIFICATIONS = "notifications"
"""NOTIFY channel: the payload is the member whose inbox grew."""
MAILS = "deliveries"
"""NOTIFY channel: a mail waits."""
PATIENCE = timedelta(days=3)
"""How long a mail is tried before it is given up."""


@dataclass(frozen=True, kw_only=True)
class AccountLetter:
    """A mail to an address that may be no member's yet. `secret`: its facts are deleted once it is sent."""

    template: str
    email: str
    name: str
    locale: Locale
    url: str
    facts: dict[str, Any]
    secret: bool
    useless_after: datetime | None = None


async def tell(session: AsyncSession, *told: Told, now: datetime) -> None:
    """Tell every reader of `told`, except those who have left."""
    readers = frozenset[UUID]().union(*(one.readers for one in told))
    if not readers:
        return
    here = await people.home(session)
    known = {person.id: person for person in await people.people(session, readers, default=here.locale)}
    pairs = [
        (known[reader], one.message) for one in told for reader in sorted(one.readers) if not known[reader].has_left
    ]
    if not pairs:
        return
    await people.lock(session, {person.id for person, _ in pairs})
    await _write_notifications(session, [_notification(person, message, here, now) for person, message in pairs])
    mails = [
        _delivery(person, message, now) for person, message in pairs if is_mailed(message.weight, person.preference)
    ]
    await _write_deliveries(session, mails)


async def send_letter(session: AsyncSession, letter: AccountLetter, *, now: datetime) -> None:
    """Queue a mail to an address."""
    give_up_at = min(now + PATIENCE, letter.useless_after or now + PATIENCE)
    row = _waiting(now, give_up_at) | {
        "email": letter.email,
        "name": letter.name,
        "locale": letter.locale,
        "template": letter.template,
        "url": letter.url,
        "facts": letter.facts,
        "secret": letter.secret,
    }
    await _write_deliveries(session, [row])


async def asked(session: AsyncSession, about_id: str, template: str) -> frozenset[UUID]:
    """Whom `template` has asked about a thing."""
    found = sa.select(notifications.c.member_id).where(
        notifications.c.about_id == about_id, notifications.c.template == template
    )
    return frozenset((await session.execute(found)).scalars())


async def no_longer_ask(
    session: AsyncSession, about_id: str, template: str, *, now: datetime, of: UUID | None = None
) -> None:
    """What `template` asked about a thing is answered: mark it read, and do not mail it any more.

    `of`: asked of this member alone; None: of anybody.
    """
    about = sa.and_(notifications.c.about_id == about_id, notifications.c.template == template)
    unsent = sa.and_(
        deliveries.c.about_id == about_id, deliveries.c.template == template, deliveries.c.status == "waiting"
    )
    if of is not None:
        about, unsent = sa.and_(about, notifications.c.member_id == of), sa.and_(unsent, deliveries.c.member_id == of)
    read = sa.update(notifications).where(about, notifications.c.read_at.is_(None)).values(read_at=now)
    dropped = {"status": "dropped", "facts": sa.null(), "last_error": "no longer needed", "done_at": now}
    await session.execute(read)
    await session.execute(sa.update(deliveries).where(unsent).values(dropped))


def _notification(person: Person, message: Message, here: Home, now: datetime) -> dict[str, Any]:
    reader = wording.Reader(
        name=person.name, locale=person.locale, cooperative=here.name, home=here.time_zone, public_url="", now=now
    )
    short = wording.notice(message.template, message.facts, reader)
    return {
        "id": new_id(),
        "member_id": person.id,
        "at": now,
        "template": message.template,
        "about_type": message.about.type,
        "about_id": message.about.id,
        "about_origin": message.about.origin,
        "title": short.title,
        "body": short.sentence,
        "url": message.url,
    }


def _delivery(person: Person, message: Message, now: datetime) -> dict[str, Any]:
    return _waiting(now, now + PATIENCE) | {
        "member_id": person.id,
        "template": message.template,
        "about_id": message.about.id,
        "url": message.url,
        "facts": message.facts,
        "secret": False,
    }


def _waiting(now: datetime, give_up_at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "at": now,
        "give_up_at": give_up_at,
        "traceparent": tracing.current(),
        "status": "waiting",
        "attempts": 0,
        "next_at": now,
    }


async def _write_notifications(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    added = sa.insert(notifications).values(rows).returning(notifications.c.member_id).cte("added")
    await session.execute(
        sa.select(sa.func.pg_notify(NOTIFICATIONS, sa.cast(added.c.member_id, sa.Text))).select_from(added)
    )


async def _write_deliveries(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    added = sa.insert(deliveries).values(rows).returning(deliveries.c.id).cte("added")
    await session.execute(sa.select(sa.func.pg_notify(MAILS, "")).select_from(added).limit(1))


async def forget_what_was_told(session: AsyncSession, kind: str, ids: Collection[str]) -> None:
    """Delete what our members were told about these things of a kind ("booking"), and the mails of it."""
    told = sa.and_(notifications.c.about_type == kind, notifications.c.about_id.in_(ids))
    await session.execute(sa.delete(notifications).where(told))
    await session.execute(sa.delete(deliveries).where(deliveries.c.about_id.in_(ids)))
