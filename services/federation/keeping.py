"""What keeps links going by itself: opening when the broker is ready, telling peers, fresh keys, tidying up."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import logs
from services.chassis.database import Database
from services.chassis.database_listener import Listener
from services.chassis.outgoing import AddressRefused
from services.federation import (
    hub,
    hub_bounds,
    linking,
    offers,
    own_keys,
    own_tables,
    own_things,
    peer_keys,
    public_stream,
    saying,
    scrubbing,
    tables,
    tending,
)
from services.federation.border import Border
from services.federation.keys import Keys
from services.federation.mending_tables import copies
from services.federation.peer_http import PeerRefused, PeerUnreachable
from services.federation.tables import LINKS_CHANNEL, broker_orders, links, peer_calls

LOOK_SECONDS = 5.0
LONGEST_PAUSE = timedelta(minutes=10)
LOG_KEPT = timedelta(days=30)
INBOX_KEPT = timedelta(days=60)
TIDY_EVERY = timedelta(hours=1)
_GONE = {404, 410}

_log = logs.get(__name__)


class Keeping:
    """The duties, done at each change of a link and every five seconds until cancelled."""

    def __init__(self, db: Database, border: Border, *, now: Callable[[], datetime]) -> None:
        self._db = db
        self._border = border
        self._now = now
        self._listener = Listener(db.url, LINKS_CHANNEL)
        self._tidied_at: datetime | None = None

    async def run(self) -> None:
        listening = asyncio.create_task(self._listener.run(), name="keeping-listener")
        try:
            while True:
                await self._listener.wait(LOOK_SECONDS)
                await self.once()
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def once(self) -> None:
        """Each duty once; one that fails waits for the next round."""
        duties: list[Callable[[], Awaitable[object]]] = [
            self._tell_peers,
            self._open_links,
            self._share_what_has_begun,
            self._keep_own_keys,
            self._renew_keys,
            self._tell_members,
            self._tend_links,
            self._tidy,
        ]
        for duty in duties:
            try:
                await duty()
            except Exception as error:  # noqa: BLE001 - one duty must not stop the others
                _log.warning(
                    "duty-failed", duty=duty.__name__, error=f"{type(error).__name__}: {error}".splitlines()[0]
                )

    async def _open_links(self) -> None:
        """Links whose queues and shovel exist, and whose peer knows, become active and are filled."""
        untold = sa.exists().where(peer_calls.c.link_id == links.c.id)
        query = (
            sa.select(links.c.id)
            .join(broker_orders, broker_orders.c.link_id == links.c.id)
            .where(links.c.status == "opening", broker_orders.c.command == "create", sa.not_(untold))
            .where(broker_orders.c.done_generation == broker_orders.c.generation)
        )
        async with self._db.reading() as session:
            ready = (await session.execute(query)).scalars().all()
        for link_id in ready:
            await self._db.run(_open, link_id, self._border.us, now=self._now())

    async def _tell_peers(self) -> None:
        query = sa.select(peer_calls).where(peer_calls.c.due_at <= self._now()).order_by(peer_calls.c.due_at).limit(20)
        async with self._db.reading() as session:
            due = (await session.execute(query)).mappings().all()
        await asyncio.gather(*(self._tell(call) for call in due))

    async def _tell(self, call: sa.RowMapping) -> None:
        async with self._db.reading() as session:
            query = sa.select(links).where(links.c.id == call["link_id"])
            link = (await session.execute(query)).mappings().first()
            if link is None:
                return
            if link["kind"] == "behind":
                await self._db.run(_tell_through_hub, call, link, self._border.keys, now=self._now())
                return
            if call["kind"] == "confirmed":
                path = f"/federation/links/{link['peer_link_id']}/confirmed"
                document = await self._border.confirmation(session, link, self._now())
            else:
                path, document = "/federation/endings", self._border.ending(link, self._now())
        try:
            await self._border.peers.post(link["peer_address"], path, document)
        except PeerRefused as error:
            if error.status not in _GONE or call["kind"] != "ended":
                await self._db.run(_try_later, call, str(error), now=self._now())
                return
        except (PeerUnreachable, AddressRefused) as error:
            await self._db.run(_try_later, call, str(error), now=self._now())
            return
        async with self._db.transaction() as session:
            await session.execute(sa.delete(peer_calls).where(peer_calls.c.id == call["id"]))

    async def _share_what_has_begun(self) -> None:
        await self._db.run(own_things.share_what_has_begun, now=self._now())

    async def _keep_own_keys(self) -> None:
        await own_keys.keep(self._db, self._border, now=self._now())

    async def _renew_keys(self) -> None:
        await peer_keys.renew(self._db, self._border, now=self._now())

    async def _tell_members(self) -> None:
        if self._border.settings.federation_hub:
            await hub.tell_members(self._db)
            await hub_bounds.go_on(self._db, now=self._now())

    async def _tend_links(self) -> None:
        await tending.tend(self._db, self._border.settings, now=self._now())

    async def _tidy(self) -> None:
        """Old rows: the log of sent events reaches back 30 days, inbox and tombstones further than a message lives."""
        now = self._now()
        if self._tidied_at is not None and now - self._tidied_at < TIDY_EVERY:
            return
        async with self._db.transaction() as session:
            await session.execute(sa.delete(tables.sent_log).where(tables.sent_log.c.at < now - LOG_KEPT))
            await session.execute(sa.delete(tables.inbox).where(tables.inbox.c.at < now - INBOX_KEPT))
            buried = sa.and_(copies.c.gone, copies.c.vouched_at < now - INBOX_KEPT)
            await session.execute(sa.delete(copies).where(buried))
            await scrubbing.forget_what_is_past(session, now=now)
            await session.execute(
                sa.delete(own_tables.invitations).where(own_tables.invitations.c.expires_at < now - timedelta(days=90))
            )
        self._tidied_at = now


async def _tell_through_hub(
    session: AsyncSession, call: sa.RowMapping, link: sa.RowMapping, keys: Keys, *, now: datetime
) -> None:
    due = await offers.repeat(session, link, call, keys, now=now)
    if due is None or call["give_up_at"] <= now:
        await session.execute(sa.delete(peer_calls).where(peer_calls.c.id == call["id"]))
        return
    values = {"attempts": call["attempts"] + 1, "due_at": due}
    await session.execute(sa.update(peer_calls).where(peer_calls.c.id == call["id"]).values(**values))


async def _open(session: AsyncSession, link_id: object, us: str, *, now: datetime) -> None:
    query = sa.select(links).where(links.c.id == link_id, links.c.status == "opening").with_for_update()
    link = (await session.execute(query)).mappings().first()
    if link is not None:
        opened = await linking.change(session, link, status="active", active_since=now)
        await saying.share_everything(session, opened)
        ours = await public_stream.open_ours(session, us, now=now) if opened["kind"] == "hub" else None
        if ours is not None:
            await saying.share_everything(session, ours)


async def _try_later(session: AsyncSession, call: sa.RowMapping, error: str, *, now: datetime) -> None:
    if call["give_up_at"] <= now:
        await session.execute(sa.delete(peer_calls).where(peer_calls.c.id == call["id"]))
        return
    pause = min(LONGEST_PAUSE, timedelta(seconds=2 ** min(call["attempts"], 10)))
    values = {"attempts": call["attempts"] + 1, "due_at": now + pause, "error": error[:300]}
    await session.execute(sa.update(peer_calls).where(peer_calls.c.id == call["id"]).values(**values))
