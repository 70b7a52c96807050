"""What is forgotten of somebody who has left: what they were told, where, and their name in what others were told."""

import re
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import Locale, MemberState
from services.notify.commands import people
from services.notify.tables import bookings, contacts, deliveries, members, notifications, preferences, sessions

SOMEBODY: dict[Locale, str] = {"fr": "quelqu'un", "nl": "iemand", "en": "somebody"}
"""What stands in others' inboxes where the name stood."""


async def forget_member(session: AsyncSession, member: MemberState) -> None:
    """Forget somebody whose membership has ended. Done again, it forgets what came since."""
    await people.lock(session, {member.id})
    for table in (notifications, preferences):
        await session.execute(sa.delete(table).where(table.c.member_id == member.id))
    await session.execute(sa.delete(deliveries).where(deliveries.c.member_id == member.id))
    await _forget_name(session, member)
    await session.execute(sa.update(members).where(members.c.id == member.id).values(name=""))
    await session.execute(sa.update(contacts).where(contacts.c.member_id == member.id).values(name=""))


async def forget_address(session: AsyncSession, member_id: UUID) -> None:
    """Forget the mails about an account whose address is about to be forgotten: those that waited go nowhere now."""
    address = sa.select(sa.func.lower(contacts.c.email)).where(contacts.c.member_id == member_id).scalar_subquery()
    await session.execute(sa.delete(deliveries).where(sa.func.lower(deliveries.c.email) == address))


async def _forget_name(session: AsyncSession, member: MemberState) -> None:
    """Take the name out of what others were told of bookings and sessions with them. Whole words: Ana is not Anaïs."""
    if not member.name.strip():
        return
    theirs = sa.or_(bookings.c.borrower_id == member.id, bookings.c.owner_id == member.id)
    organiser = sa.func.jsonb_extract_path_text(sessions.c.state, "organiser_member_id")
    organised = organiser == str(member.id)
    nameless = sa.func.jsonb_set(
        sessions.c.state, sa.literal(["organiser_name"], sa.ARRAY(sa.Text)), sa.literal("", JSONB)
    )
    await session.execute(sa.update(sessions).where(organised).values(state=nameless))
    about = sa.union_all(
        sa.select(sa.cast(bookings.c.id, sa.Text)).where(theirs),
        sa.select(sa.cast(sessions.c.id, sa.Text)).where(organised),
    )
    pattern = rf"(^|\W){re.escape(member.name)}(?=\W|$)"
    reader = sa.select(members.c.locale).where(members.c.id == notifications.c.member_id).scalar_subquery()
    somebody = sa.literal(r"\1") + sa.case(*((reader == code, word) for code, word in SOMEBODY.items()), else_="…")
    without = {
        name: sa.func.regexp_replace(notifications.c[name], pattern, somebody, "g") for name in ("title", "body")
    }
    await session.execute(sa.update(notifications).where(notifications.c.about_id.in_(about)).values(without))
