"""What comes from a peer: through the gate, in its order, and on to our services, in one transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from prometheus_client import Counter
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import BorderBookingRequested
from contracts.envelope import Event
from contracts.link import LinkWord, ManifestAsked, NumbersSkipped, Receipt
from services.chassis import outbox
from services.chassis.database import wants_retry
from services.chassis.handling import is_database_away
from services.chassis.ids import new_id
from services.federation import copies, link_words, mending, ownership, refusing, saying, shareable, tables, translation
from services.federation.domain import LISTENING
from services.federation.gate import (
    PARKED_AT_MOST,
    Passage,
    Refused,
    Turn,
    UnknownKey,
    authenticate,
    check_expiry,
    check_ownership,
    read_event,
    turn,
)
from services.federation.keys import Keys
from services.federation.link_words import EARLY, Hearing
from services.federation.passages import passage_of
from services.federation.receipts import LARGEST_PROOF
from services.federation.sealed import Sealed
from services.federation.shelf import Shelf, things_named
from services.federation.tables import links, parked, positions

QUARANTINED_AT_MOST = 5000

_RECEIVED = Counter("maillage_border_received", "Messages from peers by how they ended.", ["outcome"])


class LinkIsGone(Exception):
    """The link has ended: what still comes of it is dropped."""


async def receive(
    session: AsyncSession, link_id: UUID, bodies: list[bytes], *, own: Keys, now: datetime, careful: bool = False
) -> None:
    """Do what the messages of one link say, in their order. `own`: our keys; `now`: aware UTC.

    `careful`: a message that our own database refuses is set aside instead of failing them all (slower).
    Whatever a peer sends, this returns: what does not pass is kept with its reason. Raises LinkIsGone.
    """
    link = await _listening(session, link_id)
    passage = await passage_of(session, link, us=own.instance_id, now=now)
    stream = await Stream.open(Hearing(session=session, link=link, own=own, now=now), careful=careful)
    read = [(_read(body, passage), body) for body in bodies]
    await stream.expect([found for found, _ in read if isinstance(found, Sealed)])
    for found, body in read:
        try:
            await stream.take(found, body)
        except UnknownKey as error:
            await _quarantine(stream, body, str(error))
        except Refused as refusal:
            await stream.refuse(refusal, body, seq=None)
    await stream.save()


def _read(body: bytes, passage: Passage) -> Sealed | Refused | UnknownKey:
    """What passes the first part of the gate, or why it does not."""
    try:
        return authenticate(body, passage)
    except (Refused, UnknownKey) as error:
        return error


async def give_up(
    session: AsyncSession, link_id: UUID, body: bytes, error: Exception, *, own: Keys, now: datetime
) -> None:
    """Keep `body` with the reason, when not even its place in the stream can be told. Raises LinkIsGone."""
    link = await _listening(session, link_id)
    stream = await Stream.open(Hearing(session=session, link=link, own=own, now=now), careful=True)
    await stream.refuse(Refused("not_applied", repr(error)), body, seq=None)
    await stream.save()


async def _listening(session: AsyncSession, link_id: UUID) -> sa.RowMapping:
    query = sa.select(links).where(links.c.id == link_id).with_for_update(read=True)
    link = (await session.execute(query)).mappings().first()
    if link is None or link["status"] not in LISTENING or link["peer_link_id"] is None:
        raise LinkIsGone
    return link


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

    def __init__(self, at: Hearing, position: sa.RowMapping, *, careful: bool) -> None:
        self.session = at.session
        self.now = at.now
        self.link_id: UUID = at.link["id"]
        self._at = at
        self._link = at.link
        self._epoch: int = position["epoch"]
        self._applied_to: int = position["applied_to"]
        self._seen_to: int = position["seen_to"]
        self._generation: int = position["generation"]
        self._refused = 0
        self._before = position
        self._changed: dict[str, Any] = {}
        self._careful = careful
        self._shelf = Shelf(at.session, self.link_id)
        self._inside: list[Event] = []

    @classmethod
    async def open(cls, at: Hearing, *, careful: bool) -> "Stream":
        """The stream of the link, locked until the transaction ends."""
        fresh = insert(positions).values(link_id=at.link["id"], epoch=1, applied_to=0)
        await at.session.execute(fresh.on_conflict_do_nothing())
        await saying.open_stream(at.session, at.link)
        query = sa.select(positions).where(positions.c.link_id == at.link["id"]).with_for_update()
        return cls(at, (await at.session.execute(query)).mappings().one(), careful=careful)

    async def expect(self, messages: list[Sealed]) -> None:
        """Read at once what will be asked about `messages`."""
        await self._shelf.load(things_named(messages))

    async def take(self, sealed: Sealed | Refused | UnknownKey, body: bytes) -> None:
        """Apply, park or drop an authentic message. Raises what is not one, and Refused for an epoch that is over."""
        if not isinstance(sealed, Sealed):
            raise sealed
        where = self._turn(sealed)
        self._seen_to = max(self._seen_to, sealed.seq)
        if where is Turn.AHEAD and sealed.type in EARLY:
            await self._hear_early(sealed)
            where = self._turn(sealed)
        if where is Turn.DUPLICATE:
            self._doubt()
            _RECEIVED.labels("duplicate").inc()
        elif where is Turn.AHEAD:
            await self._park(sealed, body)
        elif where is Turn.NEXT:
            await self._apply(sealed, body)
            await self._apply_parked()

    def _turn(self, sealed: Sealed) -> Turn:
        try:
            where = turn(sealed, epoch=self._epoch, applied_to=self._applied_to)
        except Refused:
            self._doubt()
            raise
        if where is not Turn.NEW_EPOCH:
            return where
        self._epoch, self._applied_to, self._seen_to = sealed.epoch, 0, 0
        self._changed |= {"asked_at": None, "asked_to": 0, "asks": 0, "proof": None}
        return turn(sealed, epoch=self._epoch, applied_to=0)

    def _doubt(self) -> None:
        """What comes again may come from a peer that has forgotten how far it was: the next receipt proves it."""
        self._changed |= {"owes_receipt": True, "doubts": True}

    async def _hear_early(self, sealed: Sealed) -> None:
        """Words that mend the link do not wait for what is missing."""
        event = read_event(sealed)
        check_expiry(sealed, self.now)
        await self._flush()
        await link_words.act(self._at, event)
        if not isinstance(event, NumbersSkipped) or event.epoch != self._epoch:
            return
        if event.first <= self._applied_to + 1 <= event.last < sealed.seq:
            self._applied_to = event.last
            passed = sa.and_(parked.c.link_id == self.link_id, parked.c.seq <= event.last)
            await self.session.execute(sa.delete(parked).where(passed))
            await self._apply_parked()
            await saying.say(self.session, self._link, ManifestAsked())

    async def refuse(self, refusal: Refused, body: bytes, *, seq: int | None) -> None:
        """Keep what did not pass, with its reason, and count it."""
        self._refused += 1
        _RECEIVED.labels(refusal.reason).inc()
        total = self._before["refused"] + self._refused
        await refusing.keep(self.session, self.link_id, refusal, body, seq=seq, total=total, now=self.now)

    async def save(self) -> None:
        """Write how far the stream has come; ask for what is still missing of what was asked for."""
        await self._flush()
        missing = self._applied_to < self._seen_to
        values = self._changed | {
            "epoch": self._epoch,
            "applied_to": self._applied_to,
            "seen_to": self._seen_to,
            "gap_since": sa.func.coalesce(positions.c.gap_since, self.now) if missing else None,
            "last_received_at": self.now,
            "refused": positions.c.refused + self._refused,
        }
        await self.session.execute(sa.update(positions).where(positions.c.link_id == self.link_id).values(**values))
        if missing and 0 < self._before["asked_to"] <= self._applied_to and self._link["status"] == "active":
            await mending.ask_for_missing(self.session, self._link, now=self.now)

    async def _apply(self, sealed: Sealed, body: bytes) -> None:
        """The effect of the next message, or its refusal: both advance the stream."""
        self._applied_to = sealed.seq
        if sealed.type != Receipt.type:
            self._changed["owes_receipt"] = True
        if len(body) <= LARGEST_PROOF and not (self._before["doubts"] or "doubts" in self._changed):
            self._changed["proof"] = body.decode("ascii")
        try:
            if self._careful:
                await self._apply_carefully(sealed, body)
            else:
                await self._pass_on(sealed, body)
        except Refused as refusal:
            await self.refuse(refusal, sealed.model_dump_json().encode(), seq=sealed.seq)
        else:
            _RECEIVED.labels("applied").inc()

    async def _apply_carefully(self, sealed: Sealed, body: bytes) -> None:
        try:
            async with self.session.begin_nested():
                await self._pass_on(sealed, body)
                await self._flush()
        except Refused:
            raise
        except Exception as error:
            # unforeseen, and not for the first time: kept with its reason, or it would stand in the way for ever
            self._shelf.forget()
            self._inside.clear()
            if is_database_away(error) or (isinstance(error, DBAPIError) and wants_retry(error)):
                raise
            raise Refused("not_applied", repr(error)) from error

    async def _flush(self) -> None:
        """Write what was gathered: before anything else looks at it, and at the end."""
        await self._shelf.flush()
        await outbox.add(self.session, *self._inside)
        self._inside.clear()

    async def _pass_on(self, sealed: Sealed, body: bytes) -> None:
        """The rest of the gate, then the event for our services. Raises Refused."""
        event = read_event(sealed)
        check_ownership(event, sealed.source, await ownership.look_up(self.session, event, sealed.source))
        check_expiry(sealed, self.now)
        if isinstance(event, LinkWord):
            await self._flush()
            generation = await link_words.act(self._at, event)
            self._generation = self._generation if generation is None else generation
            return
        if isinstance(event, BorderBookingRequested) and (
            reason := await ownership.why_not(self.session, event, self._link)
        ):
            await saying.say(self.session, self._link, shareable.declined(event, reason))
            return
        await ownership.remember(self.session, event, sealed.source, body.decode("ascii"))
        if await self._shelf.remember(event, sealed, now=self.now):
            self._generation = await copies.new_generation(self.session, self.link_id)
        epoch = copies.epoch_inside(sealed.epoch, self._generation)
        origin_name = self._link["peer_name"]
        self._inside.append(translation.inside(event, origin=sealed.source, origin_name=origin_name, epoch=epoch))

    async def _park(self, sealed: Sealed, body: bytes) -> None:
        """Keep a message that came too early. Beyond the bound it is dropped: the origin's log still has it."""
        mine = sa.and_(parked.c.link_id == self.link_id, parked.c.epoch == self._epoch)
        count = (await self.session.execute(sa.select(sa.func.count()).select_from(parked).where(mine))).scalar_one()
        if count >= PARKED_AT_MOST:
            _RECEIVED.labels("dropped").inc()
            return
        row = {"link_id": self.link_id, "epoch": sealed.epoch, "seq": sealed.seq, "content": sealed.model_dump_json()}
        await self.session.execute(insert(parked).values(**row, body=body.decode("ascii")).on_conflict_do_nothing())
        _RECEIVED.labels("parked").inc()

    async def _apply_parked(self) -> None:
        """What was waiting for the message just applied."""
        while self._applied_to < self._seen_to:
            following = sa.delete(parked).where(
                parked.c.link_id == self.link_id, parked.c.epoch == self._epoch, parked.c.seq == self._applied_to + 1
            )
            row = (await self.session.execute(following.returning(parked.c.content, parked.c.body))).one_or_none()
            if row is None:
                return
            await self._apply(Sealed.model_validate_json(row.content), (row.body or "").encode())
