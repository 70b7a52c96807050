"""Making, reading and revoking calendar feeds."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.calendar_files import digest_of
from services.booking.commands.resources import may_edit
from services.booking.domain.calendar_problems import TooManyFeeds
from services.booking.domain.deciding import Offer, Person, may_see
from services.booking.domain.feeds import KEPT, NAMES, Feed, FeedKind, entry_of
from services.booking.domain.problems import NotBookable, OfferUnknown
from services.booking.domain.spans import Span, full
from services.booking.queries.calendars import hashed
from services.booking.tables import feeds
from services.chassis.problems import Language, NotAllowed, NotFound

MOST_FEEDS = 50
_SECRET_BYTES = 32
_READ_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A feed as it is now, the digest of its content, and since when it is the same."""

    feed: Feed
    digest: bytes
    modified_at: datetime


async def make_feed(
    session: AsyncSession,
    *,
    feed_id: UUID,
    kind: FeedKind,
    subject_id: UUID,
    by: Person,
    language: Language,
    now: datetime,
) -> str:
    """Make a feed, or give the one that exists another secret (the old one ends); the secret, to be shown this once.

    `feed_id`: for a new one. Raises NotFound, OfferUnknown, NotBookable, NotAllowed, TooManyFeeds.
    """
    await _check_may_hold(session, kind, subject_id, by, now)
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"feeds:{by.id}", 0))))
    others = sa.or_(feeds.c.kind != kind, feeds.c.subject_id != subject_id)
    count = sa.select(sa.func.count()).where(feeds.c.member_id == by.id, others)
    if (await session.execute(count)).scalar_one() >= MOST_FEEDS:
        raise TooManyFeeds(limit=MOST_FEEDS)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    fresh = {"secret_hash": hashed(secret), "language": language, "created_at": now, "read_at": None}
    put = insert(feeds).values(id=feed_id, kind=kind, subject_id=subject_id, member_id=by.id, **fresh)
    await session.execute(put.on_conflict_do_update(constraint="feeds_one_of_each", set_={**fresh, "id": feed_id}))
    return secret


async def revoke_feed(session: AsyncSession, feed_id: UUID, *, by: Person) -> None:
    """End a feed of one's own. Raises NotFound."""
    ending = sa.delete(feeds).where(feeds.c.id == feed_id, feeds.c.member_id == by.id).returning(feeds.c.id)
    if (await session.execute(ending)).first() is None:
        raise NotFound


async def open_feed(session: AsyncSession, secret: str, *, now: datetime) -> Opened:
    """What the feed of `secret` holds for its holder now. Raises NotFound, also when the holder may not see it now."""
    row = await queries.feed_of_secret(session, secret)
    holder = await queries.member(session, row.member_id) if row is not None else None
    if row is None or holder is None:
        raise NotFound
    try:
        feed = await _content(session, row, holder, now)
    except (OfferUnknown, NotBookable, NotAllowed) as gone:
        raise NotFound from gone
    digest = digest_of(feed)
    changed = row.digest != digest
    if changed or row.read_at is None or now - row.read_at > _READ_AGAIN:
        modified_at = now if changed else row.modified_at
        values = {"digest": digest, "modified_at": modified_at, "read_at": now}
        await session.execute(sa.update(feeds).where(feeds.c.id == row.id).values(values))
    return Opened(feed=feed, digest=digest, modified_at=now if changed else row.modified_at)


async def _content(session: AsyncSession, row: sa.Row[Any], holder: Person, now: datetime) -> Feed:
    kind: FeedKind = row.kind
    offer = await _check_may_hold(session, kind, row.subject_id, holder, now)
    title = offer.title if offer is not None else ""
    if kind == "circle":
        title = holder.circle_names.get(row.subject_id, "")
    language: Language = row.language
    name = NAMES[kind].say(language, title=title)
    if kind == "busy":
        return await _busy(session, row, name, now)
    shown = await queries.bookings_shown(session, kind, row.subject_id, now - KEPT)
    entries = tuple(entry_of(booking, holder, language, kind=of) for booking, of in shown)
    return Feed(kind=kind, feed_id=row.id, name=name, language=language, entries=entries)


async def _busy(session: AsyncSession, row: sa.Row[Any], name: str, now: datetime) -> Feed:
    resource = await queries.resource(session, row.subject_id)
    if resource is None:
        raise NotBookable
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    window = Span(day, resource.rules.latest(now))
    occupied = await queries.occupied(session, row.subject_id, window)
    busy = full(occupied, resource.rules.capacity - 1)
    return Feed(
        kind="busy",
        feed_id=row.id,
        name=name,
        language=row.language,
        busy=tuple(busy),
        window=window,
        time_zone=resource.rules.time_zone,
    )


async def _check_may_hold(
    session: AsyncSession, kind: FeedKind, subject_id: UUID, by: Person, now: datetime
) -> Offer | None:
    """The offer that a feed is about, for those who may have such a feed.

    One's own bookings; the resource's owner and coordinators; whoever sees the offer, its free/busy times; the members
    of the circle.
    """
    if kind == "member":
        if subject_id != by.id:
            raise NotAllowed
        return None
    if kind == "circle":
        if subject_id not in by.circle_ids:
            raise NotFound
        return None
    offer = await queries.offer(session, subject_id)
    if offer is None or not (may_see(offer, by, now) or may_edit(offer, by)):
        raise OfferUnknown
    if kind == "resource" and not may_edit(offer, by):
        raise NotAllowed
    if await queries.resource(session, subject_id) is None:
        raise NotBookable
    return offer
