"""Whose things are whose: what the gate asks our tables, and what they remember of what passed."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBookingWithdrawn,
    BorderChangeAnswered,
    BorderChangeRequested,
    BorderChangeWithdrawn,
    BorderContactShared,
    BorderIntroduced,
    BorderIntroductionAnswered,
    BorderIntroductionRequested,
    BorderIntroductionWithdrawn,
    BorderUseReported,
)
from contracts.envelope import Event
from services.federation import introductions, recovery, scrubbing, shareable
from services.federation.domain import ENDED_ANSWERS, OPEN_ANSWERS
from services.federation.gate import Ownership
from services.federation.sealed import Sealed
from services.federation.tables import bookings_abroad, guest_bookings, links, shares

_OF_BOOKINGS = (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBookingWithdrawn,
    BorderChangeAnswered,
    BorderChangeRequested,
    BorderChangeWithdrawn,
    BorderContactShared,
    BorderUseReported,
)
_TYPES = {kind.type for kind in _OF_BOOKINGS}
_OF_INTRODUCTIONS = (
    BorderIntroduced,
    BorderIntroductionAnswered,
    BorderIntroductionRequested,
    BorderIntroductionWithdrawn,
)


_Named = tuple[UUID, UUID | None]
"""A booking, and what it is for where the message says so."""

_BOOKINGS = sa.bindparam("bookings", type_=ARRAY(sa.Uuid))
_OFFERS = sa.bindparam("offers", type_=ARRAY(sa.Uuid))
_SOURCE = sa.bindparam("source", type_=sa.Text)
_ABROAD = sa.select(
    sa.literal("abroad").label("what"),
    bookings_abroad.c.booking_id,
    bookings_abroad.c.peer_id,
    bookings_abroad.c.unclaimed,
).where(bookings_abroad.c.booking_id == sa.any_(_BOOKINGS))
_GUESTS = sa.select(sa.literal("guest"), guest_bookings.c.booking_id, guest_bookings.c.peer_id, sa.false()).where(
    guest_bookings.c.booking_id == sa.any_(_BOOKINGS)
)
_SHARED = (
    sa.select(sa.literal("shared"), shares.c.thing_id, _SOURCE, sa.false())
    .join(links, links.c.id == shares.c.link_id)
    .where(
        shares.c.thing_id == sa.any_(_OFFERS),
        # also what was withdrawn since: the request was on its way, and gets a refusal instead of silence
        shares.c.resource_version > 0,
        sa.or_(links.c.peer_id == _SOURCE, links.c.kind == "public"),
        links.c.status != "ended",
    )
)
_READ = sa.union_all(_ABROAD, _GUESTS, _SHARED)

_ASKED = ("booking_id", "request", "pseudonym")
_NEW_GUESTS = (
    insert(guest_bookings)
    .from_select(
        ["peer_id", *_ASKED],
        sa.select(_SOURCE, sa.text("given.*")).select_from(
            sa.func.unnest(
                *(sa.bindparam(f"given_{name}", type_=ARRAY(guest_bookings.c[name].type)) for name in _ASKED)
            ).alias("given")
        ),
    )
    .on_conflict_do_nothing()
)

_ANSWERED = ("booking_id", "version", "status", "decision", "ends_at", "fate")
_TYPE_OF = {"fate": sa.Text()} | {column.name: column.type for column in bookings_abroad.c}
_GIVEN = (
    sa.func.unnest(*(sa.bindparam(f"given_{name}", type_=ARRAY(_TYPE_OF[name])) for name in _ANSWERED))
    .table_valued(*(sa.column(name, _TYPE_OF[name]) for name in _ANSWERED), name="given")
    .render_derived()
)
_HEAR = (
    sa.update(bookings_abroad)
    .where(bookings_abroad.c.booking_id == _GIVEN.c.booking_id, bookings_abroad.c.version < _GIVEN.c.version)
    .values(
        version=_GIVEN.c.version,
        status=_GIVEN.c.status,
        decision=_GIVEN.c.decision,
        ends_at=sa.case((_GIVEN.c.fate == "ended", _GIVEN.c.ends_at), else_=bookings_abroad.c.ends_at),
        request=sa.case(
            (_GIVEN.c.fate == "ended", scrubbing.without_words(bookings_abroad.c.request)),
            (_GIVEN.c.fate == "over", sa.null()),
            else_=bookings_abroad.c.request,
        ),
    )
)


class Register:
    """Whose bookings are whose, as far as messages of one peer name them: read once for a batch, written by `flush`."""

    def __init__(self, session: AsyncSession, link: sa.RowMapping) -> None:
        self._session = session
        self._link = link
        self._source: str = link["peer_id"]
        self._expected: set[_Named] = set()
        self._read: set[_Named] = set()
        self._abroad: dict[UUID, tuple[str, bool]] = {}
        self._guests: dict[UUID, set[str]] = {}
        self._shared: set[UUID] = set()
        self._asked: dict[UUID, dict[str, Any]] = {}
        self._answered: dict[UUID, dict[str, Any]] = {}

    def expect(self, messages: Iterable[Sealed]) -> None:
        """These will be asked about: with the first of them all is read. Nothing else is believed of them."""
        for one in messages:
            booking_id, offer_id = (_id_in(one.data, name) for name in ("booking_id", "offer_id"))
            if one.type in _TYPES and booking_id is not None:
                self._expected.add((booking_id, offer_id if one.type == BorderBookingRequested.type else None))

    async def look_up(self, event: Event) -> Ownership:
        """What `check_ownership` must know about what `event` names."""
        if isinstance(event, _OF_INTRODUCTIONS):
            known = await introductions.known_of(self._session, self._source, event.introduction_id)
            asks = isinstance(event, BorderIntroductionRequested)
            shared = asks and await introductions.is_shared(self._session, event.thing_id, self._source)
            return Ownership(introduction=known, shared_with_source=shared)
        if not isinstance(event, _OF_BOOKINGS):
            return Ownership()
        offer_id = event.offer_id if isinstance(event, BorderBookingRequested) else None
        await self._load((event.booking_id, offer_id))
        asked_of, unclaimed = self._abroad.get(event.booking_id, (None, False))
        return Ownership(
            asked_of=asked_of,
            asked_by_source=self._source in self._guests.get(event.booking_id, ()),
            shared_with_source=offer_id in self._shared,
            unclaimed=unclaimed,
        )

    async def _load(self, named: _Named) -> None:
        if named in self._read:
            return
        wanted = (self._expected | {named}) - self._read
        self._read |= wanted
        bookings = sorted({booking_id for booking_id, _ in wanted})
        offers = sorted({offer_id for _, offer_id in wanted if offer_id is not None})
        given = {"bookings": bookings, "offers": offers, "source": self._source}
        for what, thing_id, peer_id, unclaimed in (await self._session.execute(_READ, given)).all():
            if what == "abroad":
                self._abroad[thing_id] = (peer_id, unclaimed)
            elif what == "guest":
                self._guests.setdefault(thing_id, set()).add(peer_id)
            else:
                self._shared.add(thing_id)

    async def remember(self, event: Event, body: str) -> None:
        """A guest's booking is from now on one that the peer may withdraw, and that we may answer to it.

        What the peer has signed (`body`) is kept while it is open: should it come back from a backup, we hand it back.
        That it has declined it or called it off, too, until its period is over.
        """
        if isinstance(event, BorderBookingRequested):
            self._guests.setdefault(event.booking_id, set()).add(self._source)
            row = {"booking_id": event.booking_id, "request": body or None, "pseudonym": event.pseudonym}
            self._asked.setdefault(event.booking_id, row)
        elif isinstance(event, BorderBookingAnswered):
            if event.booking_id in self._answered:
                await self.flush()
            self._answered[event.booking_id] = _said_of(event, body)
        elif isinstance(event, _OF_INTRODUCTIONS):
            await introductions.remember(self._session, event, self._source)

    async def why_not(self, event: BorderBookingRequested) -> str | None:
        """Why the border itself declines a request: another peer's booking has its id, or too many are open.

        Not while we recover: what is asked again was let in before, and what stands open in our backup may be decided.
        """
        await self._load((event.booking_id, event.offer_id))
        if self._guests.get(event.booking_id, set()) - {self._source}:
            return shareable.ID_IS_TAKEN
        if self._link["open_requests_at_most"] is None or await recovery.current(self._session) is not None:
            return None
        await self.flush()
        guests = guest_bookings
        others = sa.and_(guests.c.peer_id == self._source, guests.c.booking_id != event.booking_id)
        waiting = sa.select(sa.func.count()).where(others, guests.c.status.in_(("", "pending")))
        too_many = (await self._session.execute(waiting)).scalar_one() >= self._link["open_requests_at_most"]
        return shareable.TOO_MANY_OPEN if too_many else None

    async def flush(self) -> None:
        """Write what is to be remembered."""
        for names, rows, statement in ((_ASKED, self._asked, _NEW_GUESTS), (_ANSWERED, self._answered, _HEAR)):
            if not rows:
                continue
            ordered = [rows[booking_id] for booking_id in sorted(rows)]
            rows.clear()
            columns: dict[str, Any] = {f"given_{name}": [row[name] for row in ordered] for name in names}
            await self._session.execute(statement, {"source": self._source} | columns)

    def forget(self) -> None:
        """Drop what was read and not written; what is asked for later is read again."""
        for found in (self._read, self._abroad, self._guests, self._shared, self._asked, self._answered):
            found.clear()


def _said_of(answer: BorderBookingAnswered, body: str) -> dict[str, Any]:
    """What is kept of an answer: of a booking that is over, nothing that could be handed back."""
    fate = "ended" if answer.status in ENDED_ANSWERS else "open" if answer.status in OPEN_ANSWERS else "over"
    said = {"booking_id": answer.booking_id, "version": answer.version, "status": answer.status, "fate": fate}
    return said | {"decision": None if fate == "over" else body or None, "ends_at": answer.end}


def _id_in(data: dict[str, Any], name: str) -> UUID | None:
    try:
        return UUID(str(data.get(name)))
    except ValueError:
        return None
