"""Which versions of a peer's things our services are about to hold, read and written once for a batch of messages."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import (
    BorderBusyChanged,
    BorderListingPublished,
    BorderListingWithdrawn,
    BorderResourceChanged,
)
from contracts.envelope import Event
from services.federation.gate import Refused
from services.federation.mending_tables import copies
from services.federation.sealed import Sealed
from services.federation.tables import links

VERSIONS = ("listing_version", "resource_version", "busy_version")
NEW: dict[str, Any] = {"epoch": 0, "gone": False, **dict.fromkeys(VERSIONS, 0)}

Row = dict[str, Any]

_COLUMNS = ("thing_id", "epoch", "seq", "gone", "vouched_at", *VERSIONS)
_GIVEN = sa.func.unnest(*(sa.bindparam(name, type_=ARRAY(copies.c[name].type)) for name in _COLUMNS))
_INSERT = insert(copies).from_select(
    ["link_id", *_COLUMNS],
    sa.select(sa.bindparam("link_id", type_=sa.Uuid), sa.text("given.*")).select_from(_GIVEN.alias("given")),
)
_WRITE = _INSERT.on_conflict_do_update(
    index_elements=[copies.c.link_id, copies.c.thing_id], set_={name: _INSERT.excluded[name] for name in _COLUMNS[1:]}
)
"""As arrays: one statement whatever their number, which is made once."""


_THINGS = sa.bindparam("things", type_=ARRAY(sa.Uuid))
_IS_HERE = copies.c.link_id == sa.bindparam("link_id", type_=sa.Uuid)
_KNOWN = (copies.c.thing_id, copies.c.epoch, copies.c.gone, *(copies.c[name] for name in VERSIONS))
_NAMED = sa.select(*_KNOWN, _IS_HERE.label("here")).where(copies.c.thing_id == sa.any_(_THINGS))
_HERE = _NAMED.where(_IS_HERE)


class News(Enum):
    """What a message is to our services. `AGAIN`: the same version once more, in which they would see no difference.

    `KNOWN`: nothing, for they have as much or more from the other stream of this origin.
    """

    NEW = "new"
    AGAIN = "again"
    KNOWN = "known"


class Shelf:
    """The copies of one link while messages are applied. What is noted is written by `flush`.

    An origin may tell us of a thing on our link with it (`relation`) and on its public stream: the version decides.
    """

    def __init__(self, session: AsyncSession, link: sa.RowMapping, relation: sa.RowMapping) -> None:
        self._session = session
        self._link_id: UUID = link["id"]
        beside = sa.select(links.c.id).where(links.c.kind == "heard", links.c.via == relation["id"])
        if link["kind"] == "heard":
            beside = sa.select(sa.literal(relation["id"], sa.Uuid))
        self._read = _HERE.union_all(_NAMED.where(copies.c.link_id.in_(beside), sa.not_(copies.c.gone)))
        self._known: dict[UUID, Row] = {}
        self._elsewhere: dict[UUID, Row] = {}
        self._changed: set[UUID] = set()
        self._expected: set[UUID] = set()

    def expect(self, things: Iterable[UUID]) -> None:
        """These will be asked for: with the first of them all are read."""
        self._expected |= set(things)

    async def _load(self, thing_id: UUID) -> None:
        """Read what is known of a thing and of all others that are expected, unless it was read before."""
        if thing_id in self._known:
            return
        wanted = {thing_id} | (self._expected - self._known.keys())
        given = {"link_id": self._link_id, "things": list(wanted)}
        for row in (await self._session.execute(self._read, given)).mappings():
            found = self._known if row["here"] else self._elsewhere
            found[row["thing_id"]] = {column.name: row[column.name] for column in _KNOWN}
        for one in wanted - self._known.keys():
            self._known[one] = {"thing_id": one} | NEW

    async def remember(self, event: Event, sealed: Sealed, *, now: datetime) -> News:
        """Note which version comes. Raises Refused for what was withdrawn before."""
        noted = _noted(event)
        if noted is None:
            return News.NEW
        thing_id, values = noted
        await self._load(thing_id)
        known = self._known[thing_id]
        said = values.get("listing_version")
        same_epoch = known["epoch"] == sealed.epoch
        if same_epoch and known["gone"] and not values.get("gone", True) and said < known["listing_version"]:
            raise Refused("gone_before", f"{thing_id} {said} < {known['listing_version']}")
        again = same_epoch and said == known["listing_version"] and not (known["gone"] and values["gone"])
        known |= values | {"epoch": sealed.epoch, "seq": sealed.seq, "vouched_at": now}
        self._changed.add(thing_id)
        elsewhere = self._elsewhere.get(thing_id)
        said_first = next(name for name in VERSIONS if name in values)
        if elsewhere is not None and elsewhere[said_first] >= values[said_first]:
            return News.KNOWN
        return News.AGAIN if again else News.NEW

    async def flush(self) -> None:
        """Write what was noted."""
        if not self._changed:
            return
        rows = [self._known[thing_id] for thing_id in sorted(self._changed)]
        self._changed.clear()
        columns: Row = {name: [row[name] for row in rows] for name in _COLUMNS}
        await self._session.execute(_WRITE, {"link_id": self._link_id} | columns)

    def forget(self) -> None:
        """Drop what was noted and read; what is asked for later is read again."""
        self._known.clear()
        self._elsewhere.clear()
        self._changed.clear()


def things_named(sealed: Iterable[Sealed]) -> set[UUID]:
    """The things that messages seem to be about, to read them at once; nothing else is believed of this."""
    found: set[UUID] = set()
    for one in sealed:
        form = one.data.get("listing") or one.data.get("resource") or one.data.get("busy") or one.data
        text = form.get("id") or form.get("offer_id") if isinstance(form, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        try:
            found.add(UUID(str(text)))  # pyright: ignore[reportUnknownArgumentType]
        except ValueError:
            continue
    return found


def _noted(event: Event) -> tuple[UUID, Row] | None:
    match event:
        case BorderListingPublished():
            return event.listing.id, {"listing_version": event.listing.version, "gone": False}
        case BorderResourceChanged():
            return event.resource.offer_id, {"resource_version": event.resource.version}
        case BorderBusyChanged():
            return event.busy.offer_id, {"busy_version": event.busy.version}
        case BorderListingWithdrawn():
            return event.id, {"listing_version": event.version, "resource_version": 0, "busy_version": 0, "gone": True}
        case _:
            return None
