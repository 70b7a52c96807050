"""Feeds and who holds them; members' calendars elsewhere, and what of ours they block."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.booking import Booking
from services.booking.domain.feeds import SHOWN, FeedKind
from services.booking.tables import OURS, bookings, external_calendars, feeds, offers
from services.booking.tables import resource_calendars as following

MOST_EVENTS = 3000
"""Of a feed, the latest: at some 600 bytes each it stays below what calendars read."""


async def follows(session: AsyncSession, offer_id: UUID, owner_id: UUID) -> bool:
    """Whether the offer follows the calendar of `owner_id`."""
    found = sa.select(following.c.follows_calendar)
    found = found.where(following.c.offer_id == offer_id, following.c.member_id == owner_id)
    return bool((await session.execute(found)).scalar())


async def offers_that_follow(session: AsyncSession, member_id: UUID) -> list[UUID]:
    """The offers that follow a member's calendar, in the order in which their resources are locked."""
    found = sa.select(following.c.offer_id).where(following.c.member_id == member_id, following.c.follows_calendar)
    return list((await session.execute(found.order_by(following.c.offer_id))).scalars())


async def external_of(session: AsyncSession, member_id: UUID, *, lock: bool = False) -> sa.Row[Any] | None:
    """A member's calendar elsewhere; None when they gave none."""
    found = sa.select(external_calendars).where(external_calendars.c.member_id == member_id)
    return (await session.execute(found.with_for_update() if lock else found)).first()


async def feeds_of(session: AsyncSession, member_id: UUID) -> list[sa.Row[Any]]:
    """A member's feeds, with the title of the offer or the name of the circle that each is about."""
    offer_title = sa.select(offers.c.title).where(offers.c.origin == OURS, offers.c.id == feeds.c.subject_id)
    columns = (feeds, offer_title.scalar_subquery().label("title"))
    found = sa.select(*columns).where(feeds.c.member_id == member_id).order_by(feeds.c.created_at, feeds.c.id)
    return list((await session.execute(found)).all())


async def feed_of_secret(session: AsyncSession, secret: str) -> sa.Row[Any] | None:
    """The feed with that secret; held until the transaction ends."""
    found = sa.select(feeds).where(feeds.c.secret_hash == hashed(secret)).with_for_update()
    return (await session.execute(found)).first()


def hashed(secret: str) -> bytes:
    """What is kept of a secret. It has 256 random bits, so that a fast hash will do."""
    return hashlib.sha256(secret.encode()).digest()


async def bookings_shown(
    session: AsyncSession, kind: FeedKind, subject_id: UUID, since: datetime
) -> list[tuple[Booking, str]]:
    """The bookings of a feed that end after `since`, in order, each with the kind of its offer (empty: not known)."""
    of_offer = sa.and_(
        offers.c.origin == sa.func.coalesce(bookings.c.resource_origin, OURS), offers.c.id == bookings.c.offer_id
    )
    shown = (
        sa.select(bookings.c.id, sa.func.coalesce(offers.c.kind, "").label("kind"))
        .select_from(bookings.outerjoin(offers, of_offer))
        .where(_of(kind, subject_id), bookings.c.ends_at > since, bookings.c.status.in_(SHOWN))
        .where(bookings.c.starts_at < bookings.c.ends_at)
        .order_by(bookings.c.starts_at.desc(), bookings.c.id)
        .limit(MOST_EVENTS)
        .subquery()
    )
    found = sa.select(Booking, shown.c.kind).join(shown, shown.c.id == bookings.c.id)
    rows = await session.execute(found.order_by(bookings.c.starts_at, bookings.c.id))
    return [(row[0], row[1]) for row in rows]


def _of(kind: FeedKind, subject_id: UUID) -> sa.ColumnElement[bool]:
    ours = bookings.c.resource_origin.is_(None)
    if kind == "member":
        owned = sa.and_(bookings.c.owner_member_id == subject_id, ours)
        return sa.or_(bookings.c.borrower_member_id == subject_id, owned)
    if kind == "circle":
        theirs = sa.or_(sa.and_(ours, offers.c.owner_circle_id == subject_id), bookings.c.circle_id == subject_id)
        return sa.and_(theirs, sa.not_(bookings.c.private))
    return sa.and_(ours, bookings.c.offer_id == subject_id)
