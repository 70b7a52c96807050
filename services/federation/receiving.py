"""What comes from a peer: through the gate, in its order, and on to our services, in one transaction."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from prometheus_client import Counter
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import outbox
from services.chassis.database import wants_retry
from services.chassis.handling import is_database_away
from services.chassis.ids import new_id
from services.federation import ownership, refusing, tables, translation
from services.federation.domain import LISTENING
from services.federation.gate import (
    PARKED_AT_MOST,
    Passage,
    PeerKey,
    Refused,
    Turn,
    UnknownKey,
    authenticate,
    check_expiry,
    check_ownership,
    read_event,
    turn,
)
from services.federation.keys import public_key
from services.federation.sealed import Sealed
from services.federation.tables import links, parked, positions

QUARANTINED_AT_MOST = 5000

_RECEIVED = Counter("maillage_border_received", "Messages from peers by how they ended.", ["outcome"])


class LinkIsGone(Exception):
    """The link has ended: what still comes of it is dropped."""


async def receive(
    session: AsyncSession, link_id: UUID, bodies: list[bytes], *, us: str, now: datetime, careful: bool = False
) -> None:
    """Do what the messages of one link say, in their order. `us`: our instance id; `now`: aware UTC.

    `careful`: a message that our own database refuses is set aside instead of failing them all (slower).
    Whatever a peer sends, this returns: what does not pass is kept with its reason. Raises LinkIsGone.
    """
    link = await _listening(session, link_id)
    passage = await passage_of(session, link, us=us, now=now)
    stream = await Stream.open(session, link, now, careful=careful)
    for body in bodies:
        try:
            await stream.take(authenticate(body, passage))
        except UnknownKey as error:
            await _quarantine(stream, body, str(error))
        except Refused as refusal:
            await stream.refuse(refusal, body, seq=None)
    await stream.save()


async def give_up(session: AsyncSession, link_id: UUID, body: bytes, error: Exception, *, now: datetime) -> None:
    """Keep `body` with the reason, when not even its place in the stream can be told. Raises LinkIsGone."""
    stream = await Stream.open(session, await _listening(session, link_id), now, careful=True)
    await stream.refuse(Refused("not_applied", repr(error)), body, seq=None)
    await stream.save()


async def _listening(session: AsyncSession, link_id: UUID) -> sa.RowMapping:
    query = sa.select(links).where(links.c.id == link_id).with_for_update(read=True)
    link = (await session.execute(query)).mappings().first()
    if link is None or link["status"] not in LISTENING or link["peer_link_id"] is None:
        raise LinkIsGone
    return link


async def passage_of(session: AsyncSession, link: sa.RowMapping, *, us: str, now: datetime) -> Passage:
    """What the gate must know of the link. The keys of a set that is out of date are no longer known."""
    table = tables.key_sets
    query = sa.select(table.c["keys"]).where(table.c.peer_id == link["peer_id"], table.c.expires_at > now)
    text = (await session.execute(query)).scalar_one_or_none()
    known: list[dict[str, Any]] = json.loads(text) if text else []
    keys = {public_key(key["x"]).thumbprint(): PeerKey(key["x"], key["revoked_from"]) for key in known}
    return Passage(us=us, peer_id=link["peer_id"], peer_link_id=link["peer_link_id"], keys=keys)


async def _quarantine(stream: "Stream", body: bytes, kid: str) -> None:
    """Keep a message whose key we do not know until the key set was fetched again."""
    table = tables.quarantine
    count = sa.select(sa.func.count()).where(table.c.link_id == stream.link_id)
    if (await stream.session.execute(count)).scalar_one() >= QUARANTINED_AT_MOST:
        await stream.refuse(Refused("unknown_key", f"{kid}, and too many wait"), body, seq=None)
        return
    row = {"id": new_id(), "link_id": stream.link_id, "body": body.decode("ascii"), "at": stream.now}
    await stream.session.execute(sa.insert(table).values(**row))
    await stream.session.execute(sa.select(sa.func.pg_notify(tables.LINKS_CHANNEL, "")))
    _RECEIVED.labels("quarantined").inc()


class Stream:
    """One peer's numbered events to us: what was applied, what is parked behind a gap."""

    def __init__(
        self, session: AsyncSession, link: sa.RowMapping, position: sa.RowMapping, now: datetime, *, careful: bool
    ) -> None:
        self.session = session
        self.now = now
        self.link_id: UUID = link["id"]
        self._link = link
        self._epoch: int = position["epoch"]
        self._applied_to: int = position["applied_to"]
        self._refused = 0
        self._before = position
        self._careful = careful

    @classmethod
    async def open(cls, session: AsyncSession, link: sa.RowMapping, now: datetime, *, careful: bool) -> "Stream":
        """The stream of `link`, locked until the transaction ends."""
        fresh = insert(positions).values(link_id=link["id"], epoch=1, applied_to=0)
        await session.execute(fresh.on_conflict_do_nothing())
        query = sa.select(positions).where(positions.c.link_id == link["id"]).with_for_update()
        return cls(session, link, (await session.execute(query)).mappings().one(), now, careful=careful)

    async def take(self, sealed: Sealed) -> None:
        """Apply, park or drop an authentic message. Raises Refused for an epoch that is over."""
        where = turn(sealed, epoch=self._epoch, applied_to=self._applied_to)
        if where is Turn.NEW_EPOCH:
            await self._begin_epoch(sealed.epoch)
            where = turn(sealed, epoch=self._epoch, applied_to=self._applied_to)
        if where is Turn.DUPLICATE:
            _RECEIVED.labels("duplicate").inc()
        elif where is Turn.AHEAD:
            await self._park(sealed)
        else:
            await self._apply(sealed)
            await self._apply_parked()

    async def refuse(self, refusal: Refused, body: bytes, *, seq: int | None) -> None:
        """Keep what did not pass, with its reason, and count it."""
        self._refused += 1
        _RECEIVED.labels(refusal.reason).inc()
        total = self._before["refused"] + self._refused
        await refusing.keep(self.session, self.link_id, refusal, body, seq=seq, total=total, now=self.now)

    async def save(self) -> None:
        """Write how far the stream has come."""
        waiting = sa.exists().where(parked.c.link_id == self.link_id)
        gap_since = sa.case((waiting, sa.func.coalesce(positions.c.gap_since, self.now)), else_=None)
        values = {
            "epoch": self._epoch,
            "applied_to": self._applied_to,
            "gap_since": gap_since,
            "last_received_at": self.now,
            "refused": positions.c.refused + self._refused,
        }
        await self.session.execute(sa.update(positions).where(positions.c.link_id == self.link_id).values(**values))

    async def _begin_epoch(self, epoch: int) -> None:
        self._epoch, self._applied_to = epoch, 0
        await self.session.execute(sa.delete(parked).where(parked.c.link_id == self.link_id, parked.c.epoch < epoch))

    async def _apply(self, sealed: Sealed) -> None:
        """The effect of the next message, or its refusal: both advance the stream."""
        self._applied_to = sealed.seq
        try:
            if self._careful:
                await self._apply_carefully(sealed)
            else:
                await self._pass_on(sealed)
        except Refused as refusal:
            await self.refuse(refusal, sealed.model_dump_json().encode(), seq=sealed.seq)
        else:
            _RECEIVED.labels("applied").inc()

    async def _apply_carefully(self, sealed: Sealed) -> None:
        try:
            async with self.session.begin_nested():
                await self._pass_on(sealed)
        except Refused:
            raise
        except Exception as error:
            # unforeseen, and not for the first time: kept with its reason, or it would stand in the way for ever
            if is_database_away(error) or (isinstance(error, DBAPIError) and wants_retry(error)):
                raise
            raise Refused("not_applied", repr(error)) from error

    async def _pass_on(self, sealed: Sealed) -> None:
        """The rest of the gate, then the event for our services. Raises Refused."""
        event = read_event(sealed)
        check_ownership(event, sealed.source, await ownership.look_up(self.session, event, sealed.source))
        check_expiry(sealed, self.now)
        await ownership.remember(self.session, event, sealed.source)
        origin_name = self._link["peer_name"]
        await outbox.add(
            self.session, translation.inside(event, origin=sealed.source, origin_name=origin_name, epoch=sealed.epoch)
        )

    async def _park(self, sealed: Sealed) -> None:
        """Keep a message that came too early. Beyond the bound it is dropped: the origin's log still has it."""
        mine = sa.and_(parked.c.link_id == self.link_id, parked.c.epoch == self._epoch)
        count = (await self.session.execute(sa.select(sa.func.count()).select_from(parked).where(mine))).scalar_one()
        if count >= PARKED_AT_MOST:
            _RECEIVED.labels("dropped").inc()
            return
        row = {"link_id": self.link_id, "epoch": sealed.epoch, "seq": sealed.seq, "content": sealed.model_dump_json()}
        await self.session.execute(insert(parked).values(**row).on_conflict_do_nothing())
        _RECEIVED.labels("parked").inc()

    async def _apply_parked(self) -> None:
        """What was waiting for the message just applied."""
        while True:
            following = sa.delete(parked).where(
                parked.c.link_id == self.link_id, parked.c.epoch == self._epoch, parked.c.seq == self._applied_to + 1
            )
            content = (await self.session.execute(following.returning(parked.c.content))).scalar_one_or_none()
            if content is None:
                return
            await self._apply(Sealed.model_validate_json(content))
