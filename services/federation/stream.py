"""One peer's numbered events to us: applied in their order, parked behind a gap, or refused."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from prometheus_client import Counter
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from contracts.border import BorderBookingRequested
from contracts.envelope import Event
from contracts.link import LinkWord, ManifestAsked, NumbersSkipped, Receipt
from services.chassis import outbox
from services.chassis.database import wants_retry
from services.chassis.handling import is_database_away
from services.federation import (
    copies,
    handing_back,
    link_words,
    mending,
    places,
    refusing,
    saying,
    shareable,
    translation,
)
from services.federation.gate import (
    PARKED_AT_MOST,
    PARKED_OCTETS_AT_MOST,
    Refused,
    Turn,
    UnknownKey,
    answers_nothing,
    check_expiry,
    check_ownership,
    check_way,
    read_event,
    turn,
)
from services.federation.link_words import EARLY, Hearing
from services.federation.ownership import Register
from services.federation.receipts import LARGEST_PROOF
from services.federation.sealed import Sealed
from services.federation.shelf import News, Shelf, things_named
from services.federation.tables import parked, positions

RECEIVED = Counter("maillage_border_received", "Messages from peers by how they ended.", ["outcome"])
NOT_JOINED = 0
"""The epoch of a public stream of which we have heard nothing yet: it is taken up where it happens to be."""


class Stream:
    """One peer's numbered events to us: what was applied, what is parked behind a gap."""

    def __init__(self, at: Hearing, position: sa.RowMapping, relation: sa.RowMapping, *, careful: bool) -> None:
        self.session = at.session
        self.now = at.now
        self.link_id: UUID = at.link["id"]
        self._at = at
        self._link = at.link
        self._relation = relation
        self._epoch: int = position["epoch"]
        self._applied_to: int = position["applied_to"]
        self._seen_to: int = position["seen_to"]
        self._generation: int = relation["generation"]
        self._refused = 0
        self._is_heard_of = False
        self._before = position
        self._changed: dict[str, Any] = {}
        self._careful = careful
        self._shelf = Shelf(at.session, at.link, at.relation)
        self._register = Register(at.session, at.link)
        self._inside: list[Event] = []

    @classmethod
    async def open(cls, at: Hearing, *, careful: bool) -> "Stream":
        """The stream of the link, locked until the transaction ends; the link before the public stream beside it."""
        relation = await places.of_relation(at.session, at.relation)
        if at.link["kind"] != "heard":
            return cls(at, relation, relation, careful=careful)
        heard = await places.of_stream(at.session, at.link["id"], epoch=NOT_JOINED)
        return cls(at, heard, relation, careful=careful)

    def expect(self, messages: list[Sealed]) -> None:
        """What will be asked about `messages` is read at once, when the first of it is asked."""
        self._shelf.expect(things_named(messages))
        self._register.expect(messages)

    async def take(self, sealed: Sealed | Refused | UnknownKey, body: bytes) -> None:
        """Apply, park or drop an authentic message. Raises what is not one, and Refused for an epoch that is over."""
        if not isinstance(sealed, Sealed):
            raise sealed
        if self._epoch == NOT_JOINED:
            await self._join(sealed)
        epoch, where = self._epoch, self._turn(sealed)
        if self._epoch != epoch:
            over = sa.and_(parked.c.link_id == self.link_id, parked.c.epoch < self._epoch)
            await self.session.execute(sa.delete(parked).where(over))
            if self._is_heard:
                await self._begin_generation()
        self._seen_to = max(self._seen_to, sealed.seq)
        self._is_heard_of |= where is not Turn.DUPLICATE  # anybody can repeat
        if where is Turn.AHEAD and sealed.type in EARLY:
            await self._hear_early(sealed, body)
            where = self._turn(sealed)
        if where is Turn.DUPLICATE:
            self._doubt()
            RECEIVED.labels("duplicate").inc()
        elif where is Turn.AHEAD:
            await self._park(sealed, body)
        elif where is Turn.NEXT:
            await self._apply(sealed, body)
            await self._apply_parked()

    @property
    def _is_heard(self) -> bool:
        return self._link["kind"] == "heard"

    async def _join(self, sealed: Sealed) -> None:
        """Take a public stream up from here; what was said before, the origin tells us on our own link with it."""
        self._epoch, self._applied_to, self._seen_to = sealed.epoch, sealed.seq - 1, sealed.seq - 1
        if self._at.relation["status"] == "active":
            await saying.say(self.session, self._at.relation, ManifestAsked(public=True))

    async def _begin_generation(self) -> None:
        self._generation = await copies.new_generation(self.session, self._at.relation["id"])

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

    async def _hear_early(self, sealed: Sealed, body: bytes) -> None:
        """Words that mend the link do not wait for what is missing. One that is wrong is refused in its turn."""
        try:
            event = read_event(sealed)
            check_way(event, self._link["kind"])
            check_expiry(sealed, self.now)
            await self._act(event)
        except Refused:
            return
        await self._count_lies(sealed, body)
        if not isinstance(event, NumbersSkipped) or event.public or event.epoch != self._epoch:
            return
        if event.first <= self._applied_to + 1 <= event.last < sealed.seq:
            self._applied_to = event.last
            passed = sa.and_(parked.c.link_id == self.link_id, parked.c.seq <= event.last)
            await self.session.execute(sa.delete(parked).where(passed))
            await self._apply_parked()
            await saying.say(self.session, self._link, ManifestAsked())

    async def refuse(self, refusal: Refused, body: bytes, *, seq: int | None, times: int = 1) -> None:
        """Keep what did not pass, with its reason, and count it, as so many as were like it."""
        self._refused += times
        RECEIVED.labels(refusal.reason).inc(times)
        total = self._relation["refused"] + self._refused
        link_id = self._at.relation["id"]
        await refusing.keep(self.session, link_id, refusal, body, seq=seq, total=total, now=self.now, times=times)

    async def save(self) -> None:
        """Write how far the stream has come; ask for what is still missing of what was asked for."""
        await self._flush()
        missing = self._applied_to < self._seen_to
        values = self._changed | {
            "epoch": self._epoch,
            "applied_to": self._applied_to,
            "seen_to": self._seen_to,
            "gap_since": sa.func.coalesce(positions.c.gap_since, self.now) if missing else None,
        }
        counted: dict[str, Any] = {"refused": positions.c.refused + self._refused} if self._refused else {}
        if self._is_heard_of:
            counted["last_received_at"] = self.now
        if not self._is_heard:
            values, counted = values | counted, {}
        await self.session.execute(sa.update(positions).where(positions.c.link_id == self.link_id).values(**values))
        if counted:
            of_link = sa.update(positions).where(positions.c.link_id == self._at.relation["id"])
            await self.session.execute(of_link.values(**counted))
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
            RECEIVED.labels("applied").inc()

    async def _apply_carefully(self, sealed: Sealed, body: bytes) -> None:
        try:
            async with self.session.begin_nested():
                await self._pass_on(sealed, body)
                await self._flush()
        except Refused:
            raise
        except Exception as error:
            # unforeseen, and not for the first time: kept with its reason, or it would stand in the way for ever
            self._forget()
            self._inside.clear()
            if is_database_away(error) or (isinstance(error, DBAPIError) and wants_retry(error)):
                raise
            raise Refused("not_applied", repr(error)) from error

    async def _flush(self) -> None:
        """Write what was gathered: before anything else looks at it, and at the end."""
        await self._shelf.flush()
        await self._register.flush()
        await outbox.add(self.session, *self._inside)
        self._inside.clear()

    def _forget(self) -> None:
        self._shelf.forget()
        self._register.forget()

    async def _act(self, word: Event) -> None:
        """Do what is said about the link, which may change all that was read. Raises Refused."""
        await self._flush()
        self._forget()
        generation = await link_words.act(self._at, word)
        self._generation = self._generation if generation is None else generation

    async def _pass_on(self, sealed: Sealed, body: bytes) -> None:
        """The rest of the gate, then the event for our services. Raises Refused."""
        event = read_event(sealed)
        check_way(event, self._link["kind"])
        known = await self._register.look_up(event)
        if answers_nothing(event, known) and await handing_back.begun_anew(self.session, self._at.relation):
            await handing_back.hear_answer_to_nothing(self.session, self._at.relation, event)
            return
        check_ownership(event, sealed.source, known)
        check_expiry(sealed, self.now)
        if isinstance(event, LinkWord):
            await self._act(event)
            await self._count_lies(sealed, body)
            return
        if isinstance(event, BorderBookingRequested) and (reason := await self._register.why_not(event)):
            await self._register.flush()
            await saying.say(self.session, self._link, shareable.declined(event, reason))
            return
        await self._register.remember(event, body.decode("ascii"))
        news = await self._shelf.remember(event, sealed, now=self.now)
        if news is News.KNOWN or known.unclaimed:
            return
        if news is News.AGAIN:
            await self._begin_generation()
        epoch = copies.epoch_inside(self._relation["epoch"] if self._is_heard else sealed.epoch, self._generation)
        origin_name = self._link["peer_name"]
        self._inside.append(translation.inside(event, origin=sealed.source, origin_name=origin_name, epoch=epoch))

    async def _count_lies(self, sealed: Sealed, body: bytes) -> None:
        for lie in self._at.take_lies():
            await self.refuse(lie, body, seq=sealed.seq)

    async def _park(self, sealed: Sealed, body: bytes) -> None:
        """Keep a message that came too early. Beyond the bound it is dropped: the origin's log still has it."""
        mine = sa.and_(parked.c.link_id == self.link_id, parked.c.epoch == self._epoch)
        size = sa.func.coalesce(sa.func.sum(sa.func.pg_column_size(parked.c.content)), 0)
        count, octets = (await self.session.execute(sa.select(sa.func.count(), size).where(mine))).one()
        if count >= PARKED_AT_MOST or octets >= PARKED_OCTETS_AT_MOST:
            RECEIVED.labels("dropped").inc()
            return
        row = {"link_id": self.link_id, "epoch": sealed.epoch, "seq": sealed.seq, "content": sealed.model_dump_json()}
        await self.session.execute(insert(parked).values(**row, body=body.decode("ascii")).on_conflict_do_nothing())
        RECEIVED.labels("parked").inc()

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
