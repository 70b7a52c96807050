"""What several requests for resources of ours are decided from, in one round trip."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.deciding import Offer, Person
from services.booking.domain.spans import Span
from services.booking.queries.occupied import Taken
from services.booking.queries.offers import offer_of
from services.booking.queries.people import member_with
from services.booking.resources import Resource, resource_of
from services.booking.tables import OURS, offers, resources
from services.chassis.auth import Actor
from services.chassis.problems import NotAllowed

REMEMBERED = 10_000
_COLUMNS = tuple(column.name for column in resources.c)


class Versions(NamedTuple):
    """Of an offer (PostgreSQL's `xmin`: another one whenever the row is written) and of how it can be booked.

    The resource's row is written with every booking too, so there it is the version of its rules that counts.
    """

    offer: int
    resource: int | None
    recovering: bool | None


@dataclass(frozen=True, kw_only=True)
class Known:
    """An offer of ours with its resource (None: nobody has said how it can be booked), both as of `versions`."""

    offer: Offer
    resource: Resource | None
    versions: Versions


@dataclass(frozen=True, kw_only=True)
class Facts:
    """`circles`: the open circles of each member with their names; None for who has left.

    `counted`: offers whose category has a quota that may have to be counted. `taken`: what is taken of each, within
    reach of the time asked for; nothing of who is missing.
    """

    circles: Mapping[UUID, Mapping[UUID, str] | None]
    known: Mapping[UUID, Known]
    counted: Collection[UUID]
    taken: Mapping[UUID, Taken]

    def person(self, actor: Actor) -> Person:
        """The member behind a token, with circles. Raises NotAllowed when they have left."""
        named = self.circles.get(actor.id, {})
        if named is None:
            raise NotAllowed
        return member_with(actor, named)

    def counts(self, known: Known) -> bool:
        """Whether a quota, its own or its category's, may have to be counted."""
        own = known.resource is not None and bool(known.resource.terms.quotas)
        return own or known.offer.id in self.counted


class Asked:
    """Reads facts, and remembers each version of an offer with its resource as it was read."""

    def __init__(self) -> None:
        self._known: dict[UUID, Known] = {}

    async def facts(
        self,
        session: AsyncSession,
        *,
        member_ids: Collection[UUID],
        offer_ids: Collection[UUID],
        during: Span | None = None,
    ) -> Facts:
        """Of these members of ours and these offers of ours; what is not there is missing in the answer.

        `during`: for which time what is taken of them is read, too.
        """
        values = {
            "member_ids": list(member_ids),
            "offer_ids": list(offer_ids),
            "since": [during.start] * len(offer_ids) if during else None,
            "until": [during.end] * len(offer_ids) if during else None,
        }
        people: dict[str, Any] | None = None
        known: dict[UUID, Known] = {}
        new: list[UUID] = []
        counted: set[UUID] = set()
        taken: dict[UUID, Taken] = {}
        for said, offer_id, *versions, is_counted, starts, ends, quantities in await session.execute(_FACTS, values):
            people = said
            if offer_id is None:
                continue
            remembered = self._known.get(offer_id)
            if remembered is not None and remembered.versions == tuple(versions):
                known[offer_id] = remembered
            else:
                new.append(offer_id)
            if is_counted:
                counted.add(offer_id)
            if starts is not None:
                taken[offer_id] = Taken(starts, ends, quantities)
        if new:
            known |= await self._read(session, new)
        circles = {UUID(one): _circles(of_one) for one, of_one in (people or {}).items()}
        return Facts(circles=circles, known=known, counted=counted, taken=taken)

    async def _read(self, session: AsyncSession, offer_ids: Collection[UUID]) -> dict[UUID, Known]:
        if len(self._known) + len(offer_ids) > REMEMBERED:
            self._known.clear()
        rows = await session.execute(_ROWS, {"offer_ids": list(offer_ids)})
        read = {row.id: _known_of(row) for row in rows}
        self._known |= read
        return read


def _known_of(row: sa.Row[Any]) -> Known:
    resource = None
    if row.resource_version is not None:
        resource = resource_of(SimpleNamespace(**{name: getattr(row, f"resource_{name}") for name in _COLUMNS}))
    versions = Versions(row.version_of_offer, row.resource_version, row.resource_recovering)
    return Known(offer=offer_of(row), resource=resource, versions=versions)


def _circles(told: dict[str, Any]) -> dict[UUID, str] | None:
    if told["status"] == "left":
        return None
    return {UUID(circle_id): name for circle_id, name in (told["circles"] or {}).items()}


_IDS, _INSTANTS = ARRAY(sa.Uuid), ARRAY(sa.DateTime(timezone=True))
_FACTS = sa.text("SELECT * FROM asked_of(:member_ids, :offer_ids, :since, :until)").bindparams(
    sa.bindparam("member_ids", type_=_IDS),
    sa.bindparam("offer_ids", type_=_IDS),
    sa.bindparam("since", type_=_INSTANTS),
    sa.bindparam("until", type_=_INSTANTS),
)
"""The function of migration 0015."""
_ASKED = sa.and_(offers.c.origin == OURS, offers.c.id == sa.any_(sa.bindparam("offer_ids", type_=_IDS)))
_VERSION = sa.cast(sa.cast(sa.literal_column("offers.xmin"), sa.Text), sa.BigInteger).label("version_of_offer")
_ROWS = (
    sa.select(*offers.c, *(column.label(f"resource_{column.name}") for column in resources.c), _VERSION)
    .select_from(offers.outerjoin(resources, resources.c.offer_id == offers.c.id))
    .where(_ASKED)
)
