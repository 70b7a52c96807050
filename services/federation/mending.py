"""A gap in a stream: the receiver asks for what is missing, the origin says it again from its log of sent events."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.link import ManifestAsked, NumbersSkipped, ReplayAsked
from services.federation import carrying, public_stream, replays
from services.federation.saying import say
from services.federation.tables import border_outbox, broker_orders, parked, positions, sent_log, streams

REPLAY_AT_MOST = 1000
"""Numbers in one replay: what the receiver can park."""

GAP_GRACE = timedelta(seconds=2)
"""A gap younger than this is messages that overtook each other."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)
SAME_AGAIN_AFTER = timedelta(seconds=3)
QUEUE_IS_FULL = 20_000
SAID_PER_MINUTE = 2000


async def ask_for_missing(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> None:
    """Ask the peer for the first numbers that are missing; again after growing pauses while none of them comes."""
    query = sa.select(positions).where(positions.c.link_id == link["id"]).with_for_update()
    position = (await session.execute(query)).mappings().first()
    voice = await public_stream.voice(session, link)
    if voice is None or position is None or position["applied_to"] >= position["seen_to"]:
        return
    no_progress = position["applied_to"] < position["asked_to"]
    if no_progress and position["asked_at"] is not None and now < position["asked_at"] + _pause(position["asks"]):
        return
    first = position["applied_to"] + 1
    waiting = sa.select(sa.func.min(parked.c.seq)).where(
        parked.c.link_id == link["id"], parked.c.epoch == position["epoch"], parked.c.seq >= first
    )
    next_parked = (await session.execute(waiting)).scalar_one_or_none()
    last = min(position["seen_to"] if next_parked is None else next_parked - 1, first + REPLAY_AT_MOST - 1)
    asked = ReplayAsked(epoch=position["epoch"], first=first, last=max(first, last), public=voice is not link)
    await say(session, voice, asked)
    asks = position["asks"] + 1 if no_progress else 1
    values = {"asked_at": now, "asked_to": last, "asks": asks}
    await session.execute(sa.update(positions).where(positions.c.link_id == link["id"]).values(**values))


async def ask_for_what_came_since(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> None:
    """We come back from a backup: what the peer has said since was told to a life of ours that is over.

    Not left until a gap shows and is old enough: all that it hands back stands behind these numbers. How many they are
    we do not know.
    """
    # whoever receives at this moment holds the place before the counter, which is ours already
    query = sa.select(positions).where(positions.c.link_id == link["id"]).with_for_update(skip_locked=True)
    position = (await session.execute(query)).mappings().first()
    if position is None or position["epoch"] < 1:
        return
    first, last = position["applied_to"] + 1, position["applied_to"] + REPLAY_AT_MOST
    await say(session, link, ReplayAsked(epoch=position["epoch"], first=first, last=last))
    values = {"asked_at": now, "asked_to": last, "asks": 1}
    await session.execute(sa.update(positions).where(positions.c.link_id == link["id"]).values(**values))


def _pause(asks: int) -> timedelta:
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(asks - 1, 10))


async def replay(session: AsyncSession, link: sa.RowMapping, asked: ReplayAsked, *, now: datetime) -> bool:
    """Say the numbers again that the peer lacks, under the same numbers; say plainly which ones we no longer have.

    At most 1,000 at once, not while its queue is full, the same ones every three seconds at most, and only so much in
    an hour: a peer that asks for ever fills neither our disk nor its queue. It asks again for what is left.
    Returns false when its hour is full.
    """
    spoken = await public_stream.ours(session) if asked.public else link
    if spoken is None or (said_to := await _may_be_answered(session, link, spoken, asked, now=now)) is None:
        return True
    last = min(asked.last, asked.first + REPLAY_AT_MOST - 1, said_to)
    wanted = sa.and_(
        sent_log.c.link_id == spoken["id"], sent_log.c.epoch == asked.epoch, sent_log.c.seq.between(asked.first, last)
    )
    if not await replays.spend(session, link, wanted, now=now):
        return False
    if asked.public and link["kind"] == "direct":  # it hears all of it on the link itself, which is not for the public
        await say(session, link, NumbersSkipped(epoch=asked.epoch, first=asked.first, last=last, public=True))
        return True
    kept_from = (await session.execute(sa.select(sa.func.min(sent_log.c.seq)).where(wanted))).scalar_one_or_none()
    if kept_from != asked.first:
        skipped = last if kept_from is None else kept_from - 1
        said = NumbersSkipped(epoch=asked.epoch, first=asked.first, last=skipped, public=asked.public)
        await say(session, link, said)
    await carrying.put_again(session, link, wanted)
    if not asked.public:
        values = {"replayed_to": last, "replayed_at": now}
        await session.execute(sa.update(streams).where(streams.c.link_id == link["id"]).values(**values))
    return True


async def _may_be_answered(
    session: AsyncSession, link: sa.RowMapping, spoken: sa.RowMapping, asked: ReplayAsked, *, now: datetime
) -> int | None:
    """The last number that was ever said; None when these were not, or were just now, or cannot be taken."""
    query = sa.select(streams).where(streams.c.link_id == spoken["id"]).with_for_update()
    stream = (await session.execute(query)).mappings().one()
    if asked.epoch != stream["epoch"] or not 1 <= asked.first <= min(asked.last, stream["seq"]):
        return None
    repeated = asked.first <= stream["replayed_to"] and not asked.public  # others may have asked for those
    if repeated and stream["replayed_at"] is not None and now < stream["replayed_at"] + SAME_AGAIN_AFTER:
        return None
    return None if await _queue_is_full(session, link) else int(stream["seq"])


async def say_unheard_again(session: AsyncSession, link: sa.RowMapping) -> None:
    """After a pause of a link behind a hub, where nothing waits in a queue: what the peer has not said that it has."""
    query = sa.select(streams.c.epoch, streams.c.acked_to).where(streams.c.link_id == link["id"])
    place = (await session.execute(query)).one_or_none()
    if place is not None:
        log = sa.and_(sent_log.c.link_id == link["id"], sent_log.c.epoch == place.epoch)
        some = sent_log.c.seq.between(place.acked_to + 1, place.acked_to + REPLAY_AT_MOST)
        await carrying.put_again(session, link, sa.and_(log, some))


async def skip_public(session: AsyncSession, link: sa.RowMapping, skipped: NumbersSkipped) -> None:
    """The peer of `link` has forgotten some of what it told everybody: go on after it, and compare."""
    heard = await public_stream.heard_on(session, link)
    if heard is None:
        return
    mine = sa.and_(positions.c.link_id == heard["id"], positions.c.epoch == skipped.epoch)
    here = sa.and_(positions.c.applied_to < skipped.last, positions.c.applied_to + 1 >= skipped.first)
    passed = sa.update(positions).where(mine, here).values(applied_to=skipped.last)
    if (await session.execute(passed.returning(positions.c.link_id))).first() is None:
        return
    await session.execute(sa.delete(parked).where(parked.c.link_id == heard["id"]))
    await say(session, link, ManifestAsked(public=True))


async def is_asked_too_much(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> bool:
    """Whether we say nothing more on request: much was said in the last minute, or is not taken. It may ask later."""
    lately = sa.and_(sent_log.c.link_id == link["id"], sent_log.c.at > now - timedelta(minutes=1))
    said = (await session.execute(sa.select(sa.func.count()).select_from(sent_log).where(lately))).scalar_one()
    return said >= SAID_PER_MINUTE or await _queue_is_full(session, link)


async def _queue_is_full(session: AsyncSession, link: sa.RowMapping) -> bool:
    unsent = sa.select(sa.func.count()).select_from(border_outbox).where(border_outbox.c.link_id == link["id"])
    queue_of = link["via"] if link["kind"] == "behind" else link["id"]
    untaken = sa.select(sa.func.coalesce(broker_orders.c.waiting, 0)).where(broker_orders.c.link_id == queue_of)
    row = (await session.execute(sa.select(unsent.scalar_subquery(), untaken.scalar_subquery()))).one()
    return row[0] >= 2 * REPLAY_AT_MOST or (row[1] or 0) >= QUEUE_IS_FULL
