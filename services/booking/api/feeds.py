"""Feeds: by their secret address for whoever knows it, and one's own to make and to revoke."""

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.api.calendar_forms import FeedForm, FeedKept, FeedMade, FeedsView, feed_view
from services.booking.api.calendars import KeepingDep
from services.booking.api.edge import At
from services.booking.calendar_files import calendar_file, free_busy_file
from services.booking.commands import feeds as commands
from services.booking.commands.feeds import Opened, open_feed
from services.booking.domain.deciding import Person
from services.booking.settings import BookingSettings
from services.chassis.auth import CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.idempotency import OnceDep
from services.chassis.ids import new_id
from services.chassis.problems import NotFound

router = APIRouter(tags=["feeds"])
_PRIVATE = {
    "cache-control": "private, no-cache",
    "x-robots-tag": "noindex",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_CALENDAR: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/calendar": {}}, "description": "The calendar (RFC 5545)."}
}
SecretPath = Annotated[str, Path(max_length=200)]


def _settings_of(request: Request) -> BookingSettings:
    settings: BookingSettings = request.app.state.settings
    return settings


Settings = Annotated[BookingSettings, Depends(_settings_of)]


@router.head("/calendars/{secret}.ics", include_in_schema=False)
@router.get("/calendars/{secret}.ics", response_class=Response, responses=_CALENDAR)
async def get_feed(
    secret: SecretPath, request: Request, db: DatabaseDep, clock: ClockDep, settings: Settings
) -> Response:
    """A feed, for whoever knows its address: no token is asked for.

    404 when it was revoked, or its holder has left or may not see it any more. HEAD works too.
    """
    opened = await _opened(db, secret, clock.now())
    if opened is None or _is_known(request, opened):
        return _empty(opened)
    made = await asyncio.to_thread(
        calendar_file,
        opened.feed,
        instance=settings.instance,
        public_url=settings.public_url,
        stamp=opened.modified_at,
    )
    return Response(made, headers=_headers(opened, "maillage.ics"), media_type="text/calendar; charset=utf-8")


@router.get("/calendars/{secret}.ifb", response_class=Response, responses=_CALENDAR)
async def get_free_busy(
    secret: SecretPath, request: Request, db: DatabaseDep, clock: ClockDep, settings: Settings
) -> Response:
    """A free/busy feed as VFREEBUSY, at the same address but for its ending."""
    opened = await _opened(db, secret, clock.now())
    if opened is None or opened.feed.kind != "busy":
        return _empty(None)
    if _is_known(request, opened):
        return _empty(opened)
    made = free_busy_file(opened.feed, instance=settings.instance, stamp=opened.modified_at)
    return Response(made, headers=_headers(opened, "maillage.ifb"), media_type="text/calendar; charset=utf-8")


async def _opened(db: DatabaseDep, secret: str, now: datetime) -> Opened | None:
    try:
        return await db.run(open_feed, secret, now=now)
    except NotFound:
        return None  # not as a problem document: these name the address


def _empty(opened: Opened | None) -> Response:
    if opened is None:
        return PlainTextResponse("not found", 404, headers=_PRIVATE)
    return Response(status_code=304, headers=_headers(opened, None))


def _headers(opened: Opened, filename: str | None) -> dict[str, str]:
    validators = {"etag": _etag(opened), "last-modified": format_datetime(opened.modified_at, usegmt=True)}
    named = {"content-disposition": f'inline; filename="{filename}"'} if filename else {}
    return _PRIVATE | validators | named


def _etag(opened: Opened) -> str:
    return f'"{opened.digest.hex()[:32]}"'


def _is_known(request: Request, opened: Opened) -> bool:
    """Whether the caller has this content. Source: RFC 9110 section 13.2.2."""
    given = request.headers.get("if-none-match")
    if given is not None:
        return given.strip() == "*" or _etag(opened) in {one.strip().removeprefix("W/") for one in given.split(",")}
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except (ValueError, TypeError, OverflowError):
        return False
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    return opened.modified_at.replace(microsecond=0) <= since


@router.get("/my/feeds")
async def list_feeds(actor: CurrentMember, db: DatabaseDep) -> FeedsView:
    """My feeds, without their addresses: these are shown only when they are made."""
    async with db.reading() as session:
        person = await queries.person_of(session, actor)
        return FeedsView(items=[feed_view(row) for row in await queries.feeds_of(session, person.id)])


@router.post("/my/feeds", status_code=201)
async def make_feed(form: FeedForm, actor: CurrentMember, at: At, keeping: KeepingDep, once: OnceDep) -> FeedMade:
    """Make a feed, or another address for the one that I have; the former address ends at once.

    The same Idempotency-Key gives the same address: it is kept for that, sealed.
    """
    feed_id = new_id()

    async def make(session: AsyncSession, person: Person) -> FeedKept:
        secret = await commands.make_feed(
            session,
            feed_id=feed_id,
            kind=form.kind,
            subject_id=form.subject_id or person.id,
            by=person,
            language=actor.locale,
            now=at.clock.now(),
        )
        made = next(row for row in await queries.feeds_of(session, person.id) if row.id == feed_id)
        return FeedKept(view=feed_view(made), secret=keeping.sealer.seal(person.id, secret))

    async def work(session: AsyncSession) -> FeedKept:
        person = await queries.person_of(session, actor)
        return await once(session, person.id, form, FeedKept, lambda: make(session, person))

    kept = await at.db.run(work)
    secret, view = keeping.sealer.open(actor.id, kept.secret), kept.view
    base = f"{keeping.settings.public_url.rstrip('/')}/api/booking/calendars/{secret}"
    busy = f"{base}.ifb" if form.kind == "busy" else None
    return FeedMade(**view.model_dump(), address=f"{base}.ics", free_busy_address=busy)


@router.delete("/my/feeds/{feed_id}", status_code=204)
async def revoke_feed(feed_id: UUID, actor: CurrentMember, db: DatabaseDep) -> None:
    """End a feed of mine: its address answers nobody any more."""

    async def work(session: AsyncSession) -> None:
        await commands.revoke_feed(session, feed_id, by=await queries.person_of(session, actor))

    await db.run(work)
