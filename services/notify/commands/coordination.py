"""What coordinators are told: links, refused messages, mails that failed."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import LinkState, LinkStatus, MessageRefused
from services.notify.commands import people
from services.notify.commands.telling import tell
from services.notify.domain import About, Message, Told, Weight
from services.notify.tables import links, notifications

ONCE_IN = timedelta(hours=1)
_LINKS = "/coordination/links"
_WEIGHTS: dict[LinkStatus, Weight] = {
    "to_confirm": Weight.IMPORTANT,
    "active": Weight.NEWS,
    "paused": Weight.NEWS,
    "ended": Weight.IMPORTANT,
}


async def link_changed(session: AsyncSession, link: LinkState, *, now: datetime) -> None:
    """Tell the coordinators of a link that waits for them, opened, was paused or ended."""
    new = insert(links).values(link_id=link.link_id, peer_name=link.peer_name, version=link.version)
    kept = new.on_conflict_do_update(
        index_elements=["link_id"],
        set_={"peer_name": new.excluded.peer_name, "version": new.excluded.version},
        where=links.c.version < new.excluded.version,
    )
    is_news = (await session.execute(kept.returning(links.c.version))).scalar() is not None
    if is_news and link.status in _WEIGHTS:
        facts = {"peer": link.peer_name or link.peer_web, "status": link.status}
        await _tell_coordinators(session, "link-changed", _WEIGHTS[link.status], str(link.link_id), facts, now=now)


async def message_refused(session: AsyncSession, event: MessageRefused, *, now: datetime) -> None:
    """Tell the coordinators, at most once an hour for each link."""
    new = insert(links).values(link_id=event.link_id, peer_name="", version=-1, refusal_told_at=now)
    due = sa.or_(links.c.refusal_told_at.is_(None), links.c.refusal_told_at <= now - ONCE_IN)
    noted = new.on_conflict_do_update(index_elements=["link_id"], set_={"refusal_told_at": now}, where=due)
    peer = (await session.execute(noted.returning(links.c.peer_name))).scalar()
    if peer is not None:
        facts = {"peer": peer, "reason": event.reason, "count": event.count}
        await _tell_coordinators(session, "message-refused", Weight.NEWS, str(event.link_id), facts, now=now)


async def mail_failed(session: AsyncSession, *, to: str, now: datetime) -> None:
    """Tell the coordinators that a mail could not be delivered, at most once an hour. In the inbox only: no loop."""
    recent = sa.and_(notifications.c.template == "mail-failed", notifications.c.at > now - ONCE_IN)
    if (await session.execute(sa.select(sa.exists().where(recent)))).scalar():
        return
    readers = await people.coordinators(session)
    message = Message(
        template="mail-failed",
        weight=Weight.QUIET,
        about=About(type="mail", id="undelivered"),
        url="/coordination",
        facts={"to": to},
    )
    await tell(session, Told(message=message, readers=readers), now=now)


async def _tell_coordinators(
    session: AsyncSession, template: str, weight: Weight, link_id: str, facts: dict[str, Any], *, now: datetime
) -> None:
    message = Message(template=template, weight=weight, about=About(type="link", id=link_id), url=_LINKS, facts=facts)
    await tell(session, Told(message=message, readers=await people.coordinators(session)), now=now)
