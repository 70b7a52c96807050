"""What is taken of resources: ours by what stands in the tables, peers' by what they told."""

import struct
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.spans import Occupied, Span
from services.booking.domain.states import OCCUPYING
from services.booking.queries.offers import peer_busy_times
from services.booking.tables import bookings

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_HEADER = struct.calcsize(">iiIii")
"""Of an array as PostgreSQL sends it: dimensions, flags, type, length, first index. Each value follows its length."""


class Taken(NamedTuple):
    """What is taken of a resource of ours: equal bytes are equal times. Read with `occupied`.

    Instants are sent as microseconds since 2000-01-01 UTC. Source: `array_send`, `timestamptz_send` of PostgreSQL.
    """

    starts: bytes = b""
    ends: bytes = b""
    quantities: bytes = b""

    def occupied(self) -> list[Occupied]:
        """Sorted."""
        starts, ends = (_instants(one) for one in (self.starts, self.ends))
        quantities = (quantity for _, quantity in struct.iter_unpack(">ii", self.quantities[_HEADER:]))
        return sorted(map(Occupied, map(Span, starts, ends), quantities))


def _instants(sent: bytes) -> list[datetime]:
    return [_LONG_AGO + timedelta(microseconds=at) for _, at in struct.iter_unpack(">iq", sent[_HEADER:])]


async def occupied(
    session: AsyncSession,
    offer_id: UUID,
    window: Span,
    *,
    origin: str | None = None,
    excluding: UUID | Collection[UUID] | None = None,
) -> list[Occupied]:
    """What is taken within `window`, sorted; without holds and requests whose time is over.

    Ours is taken by bookings, and wholly by the calendar elsewhere of the person whose time it is.
    For a peer's resource: what the peer told, and what our own members have asked for since.
    `excluding`: a booking (or several) not counted, nor its change of period.
    """
    left_out = [excluding] if isinstance(excluding, UUID) else list(excluding or ())
    if origin is None:
        return (await occupied_of(session, [offer_id], window, excluding=left_out))[offer_id]
    told = await peer_busy_times(session, origin, offer_id)
    # What we asked for before the peer last told is in what it told; counted twice it only matters below the top.
    since = sa.or_(bookings.c.exclusive, bookings.c.created_at > (told.as_of or _LONG_AGO))
    asked = sa.select(bookings.c.occupied, bookings.c.quantity).where(
        bookings.c.offer_id == offer_id,
        bookings.c.occupied.op("&&")(window),
        bookings.c.status.in_(OCCUPYING),
        bookings.c.resource_origin == origin,
        since,
        bookings.c.id != sa.all_(sa.bindparam(None, left_out, ARRAY(sa.Uuid))),
    )
    rows = await session.execute(asked)
    mine = [Occupied(row.occupied, row.quantity) for row in rows]
    return sorted([*(one for one in told.occupied if one.span.overlaps(window)), *mine])


async def occupied_of(
    session: AsyncSession,
    offer_ids: Collection[UUID],
    window: Span,
    *,
    excluding: Collection[UUID] = (),
) -> dict[UUID, list[Occupied]]:
    """The same for several resources of ours, in one round trip."""
    asked = list(dict.fromkeys(offer_ids))
    found = await taken_of(session, [(offer_id, window) for offer_id in asked], excluding=excluding)
    return {offer_id: taken.occupied() for offer_id, taken in zip(asked, found, strict=True)}


async def taken_of(
    session: AsyncSession, asked: Sequence[tuple[UUID, Span]], *, excluding: Collection[UUID] = ()
) -> list[Taken]:
    """What is taken of each resource of ours within the span that stands beside it, in one round trip."""
    found = [Taken()] * len(asked)
    values = {
        "ids": [offer_id for offer_id, _ in asked],
        "since": [window.start for _, window in asked],
        "until": [window.end for _, window in asked],
        "left_out": list(excluding),
    }
    for number, starts, ends, quantities in await session.execute(_TAKEN, values):
        found[number - 1] = Taken(starts, ends, quantities)
    return found


_INSTANTS = ARRAY(sa.DateTime(timezone=True))
_TAKEN = sa.text("SELECT * FROM taken_of(:ids, :since, :until, :left_out, false)").bindparams(
    sa.bindparam("ids", type_=ARRAY(sa.Uuid)),
    sa.bindparam("since", type_=_INSTANTS),
    sa.bindparam("until", type_=_INSTANTS),
    sa.bindparam("left_out", type_=ARRAY(sa.Uuid)),
)
"""The function of migration 0015."""
