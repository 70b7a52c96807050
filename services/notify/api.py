"""HTTP routes under /api/notify."""

import asyncio
import time
from collections.abc import AsyncIterable
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import SQLAlchemyError

from services.chassis import logs, paging
from services.chassis.auth import LIFETIME_SECONDS, Coordinator, CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import Database, DatabaseDep
from services.chassis.paging import Limit, Page
from services.chassis.problems import NotFound
from services.notify import queries
from services.notify.commands import introductions, reading
from services.notify.domain import EmailPreference
from services.notify.live import RoomyHubDep

router = APIRouter(tags=["notify"])
_log = logs.get(__name__)

LIVE_BATCH = 50
RECONNECT_MILLISECONDS = 2000


class AboutView(BaseModel):
    """The thing that a notification is about; `origin` is the peer's instance id, or null when it is ours."""

    type: str
    id: str
    origin: str | None


class NotificationView(BaseModel):
    """A message in the reader's language; `url` is a path on the portal."""

    id: UUID
    at: datetime
    template: str
    about: AboutView
    title: str
    body: str
    url: str
    read: bool


class UnreadView(BaseModel):
    """How many notifications are unread."""

    count: int


class Preferences(BaseModel):
    """Which messages are also mailed. `important`: those that need an answer or change my plans."""

    model_config = ConfigDict(extra="forbid")

    email: EmailPreference


class ContactView(BaseModel):
    """Whom one is in touch with."""

    name: str
    email: str


class MailView(BaseModel):
    """A mail in the queue or done; never what it says."""

    id: UUID
    at: datetime
    to: str | None
    template: str
    status: Literal["waiting", "sent", "failed", "dropped"]
    attempts: int
    next_at: datetime
    done_at: datetime | None
    last_error: str | None


@router.get("/inbox")
async def inbox(
    actor: CurrentMember,
    db: DatabaseDep,
    cursor: str | None = None,
    unread: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    limit: Limit = 30,
) -> Page[NotificationView]:
    """My notifications, newest first."""
    before = _integer(cursor) if cursor else None
    async with db.reading() as session:
        rows = await queries.inbox_before(session, actor.id, before=before, only_unread=unread, limit=limit + 1)
    more = len(rows) > limit
    return Page(
        items=[_view(row) for row in rows[:limit]], next=paging.encode(rows[limit - 1]["seq"]) if more else None
    )


@router.get("/inbox/unread")
async def count_unread(actor: CurrentMember, db: DatabaseDep) -> UnreadView:
    """How many notifications I have not read."""
    async with db.reading() as session:
        return UnreadView(count=await queries.unread(session, actor.id))


@router.get("/inbox/live", response_class=EventSourceResponse)
async def follow_inbox(
    actor: CurrentMember,
    db: DatabaseDep,
    hub: RoomyHubDep,
    last_event_id: Annotated[str | None, Header()] = None,
    after: UUID | None = None,
) -> AsyncIterable[ServerSentEvent]:
    """My notifications as they come: events `notification`, each with its id; a comment every 15 s of silence.

    Resumes after the notification `Last-Event-ID` (or `?after=`). Ends with the life of the token (5 minutes) or when
    the database does not answer: clients connect again by themselves.
    """
    seen = _uuid(last_event_id) or after
    ends_at = time.monotonic() + LIFETIME_SECONDS
    yield ServerSentEvent(retry=RECONNECT_MILLISECONDS, comment="live")
    with hub.following(actor.id) as grown:
        try:
            async with db.reading() as session:
                position = await queries.position(session, actor.id, seen)
            while time.monotonic() < ends_at:
                rows = await _newer(db, actor.id, position)
                for row in rows:
                    position = row["seq"]
                    yield ServerSentEvent(event="notification", id=str(row["id"]), data=_view(row))
                if len(rows) < LIVE_BATCH:
                    await _wait(grown, ends_at - time.monotonic())
        except (OSError, SQLAlchemyError) as error:  # the database is away
            _log.warning("live-inbox-ended", error=str(error))


@router.post("/inbox/{notification_id}/read", status_code=204)
async def read(notification_id: UUID, actor: CurrentMember, db: DatabaseDep, clock: ClockDep) -> None:
    """Mark one of my notifications read."""
    async with db.transaction() as session:
        await reading.read(session, actor.id, notification_id, now=clock.now())


@router.post("/inbox/read-all", status_code=204)
async def read_all(actor: CurrentMember, db: DatabaseDep, clock: ClockDep) -> None:
    """Mark all my notifications read."""
    async with db.transaction() as session:
        await reading.read_all(session, actor.id, now=clock.now())


@router.get("/introductions/{introduction_id}/contact")
async def contact(
    introduction_id: UUID, actor: CurrentMember, db: DatabaseDep, peer: Annotated[str, Query(max_length=200)] = ""
) -> ContactView:
    """Name and address of the other one, once both said yes. `peer`: the other's cooperative, empty for ours."""
    async with db.reading() as session:
        found = await introductions.contact_for(session, introduction_id, peer, reader=actor.id)
    if found is None:
        raise NotFound
    return ContactView(name=found[0], email=found[1])


@router.get("/preferences")
async def preferences(actor: CurrentMember, db: DatabaseDep) -> Preferences:
    """Which messages are mailed to me."""
    async with db.reading() as session:
        return Preferences(email=await queries.preference(session, actor.id))


@router.put("/preferences")
async def prefer(wanted: Preferences, actor: CurrentMember, db: DatabaseDep) -> Preferences:
    """Choose which messages are mailed to me. Mails about my account always are."""
    async with db.transaction() as session:
        await reading.prefer(session, actor.id, wanted.email)
    return wanted


@router.get("/mails")
async def mails(
    _actor: Coordinator,
    db: DatabaseDep,
    status: Literal["waiting", "sent", "failed", "dropped"] = "failed",
    cursor: str | None = None,
    limit: Limit = 30,
) -> Page[MailView]:
    """Mails by how they ended, newest first: for coordinators, to see what did not arrive."""
    before = paging.decode_id(cursor) if cursor else None
    async with db.reading() as session:
        rows = await queries.mails(session, status=status, before=before, limit=limit + 1)
    last = str(rows[limit - 1]["id"]) if len(rows) > limit else None
    return Page(items=[MailView(**row) for row in rows[:limit]], next=paging.encode(last) if last else None)


async def _newer(db: Database, member_id: UUID, position: int) -> queries.Rows:
    async with db.reading() as session:
        return await queries.inbox_after(session, member_id, after=position, limit=LIVE_BATCH)


async def _wait(grown: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0, seconds)):
            await grown.wait()
    grown.clear()


def _view(row: Any) -> NotificationView:
    return NotificationView(
        id=row["id"],
        at=row["at"],
        template=row["template"],
        about=AboutView(type=row["about_type"], id=row["about_id"], origin=row["about_origin"]),
        title=row["title"],
        body=row["body"],
        url=row["url"],
        read=row["read_at"] is not None,
    )


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None


def _integer(cursor: str) -> int:
    value = paging.decode(cursor, 1)[0]
    return value if type(value) is int and 0 <= value < 2**63 else 0  # a bool is an int, but not for PostgreSQL
