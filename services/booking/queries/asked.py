"""What several requests for resources of ours are decided from, in one round trip."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.domain.deciding import Offer, Person
from services.booking.queries.offers import offer_of
from services.booking.queries.people import member_with
from services.booking.resources import Resource, resource_of
from services.booking.tables import OURS, category_quotas, circles, members, offers, resources
from services.chassis.auth import Actor
from services.chassis.problems import NotAllowed

REMEMBERED = 10_000
_JSON = ("opening_hours", "terms")
"""Read as text: parsed only where that version of the resource is new to us."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """An offer of ours with its resource (None: nobody has said how it can be booked).

    `counts`: whether a quota, its own or its category's, may have to be counted.
    """

    offer: Offer
    resource: Resource | None
    counts: bool


@dataclass(frozen=True, kw_only=True)
class Facts:
    """`circles`: the open circles of each member with their names; None for who has left."""

    circles: Mapping[UUID, Mapping[UUID, str] | None]
    known: Mapping[UUID, Known]

    def person(self, actor: Actor) -> Person:
        """The member behind a token, with circles. Raises NotAllowed when they have left."""
        named = self.circles.get(actor.id, {})
        if named is None:
            raise NotAllowed
        return member_with(actor, named)


class Asked:
    """Reads facts, and remembers each version of a resource as it was read."""

    def __init__(self) -> None:
        self._resources: dict[UUID, Resource] = {}

    async def facts(self, session: AsyncSession, *, member_ids: Collection[UUID], offer_ids: Collection[UUID]) -> Facts:
        """Of these members of ours and these offers of ours; what is not there is missing in the answer."""
        found = await session.execute(_FACTS, {"member_ids": list(member_ids), "offer_ids": list(offer_ids)})
        people: dict[str, Any] = {}
        known: dict[UUID, Known] = {}
        for row in found:
            people = row.people or {}
            if row.id is None:
                continue
            resource = self._resource_of(row) if row.resource_offer_id is not None else None
            counts = row.counted or (resource is not None and bool(resource.terms.quotas))
            known[row.id] = Known(offer=offer_of(row), resource=resource, counts=counts)
        return Facts(circles={UUID(one): _circles(told) for one, told in people.items()}, known=known)

    def _resource_of(self, row: sa.Row[Any]) -> Resource:
        resource = self._resources.get(row.id)
        as_it_is = resource and (resource.version, resource.recovering) == (
            row.resource_version,
            row.resource_recovering,
        )
        if resource is None or not as_it_is:
            columns = {column.name: getattr(row, f"resource_{column.name}") for column in resources.c}
            columns |= {name: json.loads(columns[name]) for name in _JSON}
            resource = resource_of(SimpleNamespace(**columns))
            if len(self._resources) >= REMEMBERED:
                self._resources.clear()
            self._resources[row.id] = resource
        return resource


def _circles(told: dict[str, Any]) -> dict[UUID, str] | None:
    if told["status"] == "left":
        return None
    return {UUID(circle_id): name for circle_id, name in (told["circles"] or {}).items()}


def _people() -> sa.ScalarSelect[dict[str, Any]]:
    """Status and open circles by member, as JSON, also of members that are not known here yet."""
    given = sa.func.unnest(sa.bindparam("member_ids", type_=ARRAY(sa.Uuid)))
    asking = given.table_valued(sa.column("id", sa.Uuid)).render_derived(name="asking")
    asking_id: sa.ColumnElement[UUID] = asking.c.id
    named = sa.func.jsonb_object_agg(sa.cast(circles.c.id, sa.Text), circles.c.name)
    mine = sa.and_(circles.c.status == "active", circles.c.member_ids.op("@>")(array([asking_id])))
    told = sa.func.jsonb_build_object(
        "status", members.c.status, "circles", sa.select(named).where(mine).correlate(asking).scalar_subquery()
    )
    by_member = sa.func.jsonb_object_agg(sa.cast(asking.c.id, sa.Text), told, type_=JSONB)
    return sa.select(by_member).select_from(asking.outerjoin(members, members.c.id == asking_id)).scalar_subquery()


_ONE = sa.select(sa.literal(1).label("one")).subquery("one")
_ASKED = sa.and_(offers.c.origin == OURS, offers.c.id == sa.any_(sa.bindparam("offer_ids", type_=ARRAY(sa.Uuid))))
_FACTS = sa.select(
    *offers.c,
    *(
        (sa.cast(column, sa.Text) if column.name in _JSON else column).label(f"resource_{column.name}")
        for column in resources.c
    ),
    sa.exists().where(category_quotas.c.category == offers.c.category).label("counted"),
    _people().label("people"),
).select_from(_ONE.outerjoin(offers, _ASKED).outerjoin(resources, resources.c.offer_id == offers.c.id))
"""One row at least: that of the people who ask."""
