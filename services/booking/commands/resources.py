"""Saying how an offer can be booked."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Approval, CheckIn, ResourceChanged, Terms
from services.booking import queries
from services.booking.commands.telling import busy_changed
from services.booking.domain.availability import Rules
from services.booking.domain.deciding import Offer, Person
from services.booking.domain.limits import CapacityBelowBooked
from services.booking.domain.problems import NotBookable, OfferUnknown
from services.booking.resources import Resource, opening_hours_of, resource_of
from services.booking.tables import resources
from services.chassis import outbox
from services.chassis.problems import NotAllowed


@dataclass(frozen=True, kw_only=True)
class Use:
    """Whether people say when they come and go, and how many minutes after the start they lose the place."""

    check_in: CheckIn = "none"
    grace_minutes: int = 30


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How an offer shall be bookable."""

    rules: Rules
    approval: Approval
    terms: Terms
    use: Use


def may_edit(offer: Offer, person: Person | None) -> bool:
    """The offer's owner and coordinators say how it can be booked."""
    return person is not None and offer.origin is None and (person.is_coordinator or person.id == offer.owner_member_id)


async def put_resource(
    session: AsyncSession, offer_id: UUID, wanted: Conditions, *, by: Person, now: datetime
) -> Resource:
    """Make an offer of ours bookable under `wanted`, or change that; what is booked keeps its period and buffers.

    Raises OfferUnknown, NotAllowed, CapacityBelowBooked.
    """
    rules = wanted.rules
    offer = await _editable(session, offer_id, by)
    if not offer.published:
        raise OfferUnknown
    values = {
        "time_zone": rules.time_zone,
        "opening_hours": [hours.model_dump() for hours in opening_hours_of(rules)],
        "step_minutes": rules.step_minutes,
        "minimum_minutes": rules.minimum_minutes,
        "maximum_minutes": rules.maximum_minutes,
        "lead_minutes": rules.lead_minutes,
        "horizon_days": rules.horizon_days,
        "buffer_before_minutes": rules.buffer_before_minutes,
        "buffer_after_minutes": rules.buffer_after_minutes,
        "capacity": rules.capacity,
        "approval": wanted.approval,
        "terms": wanted.terms.model_dump(mode="json"),
        "status": "open",
        "changed_at": now,
        **asdict(wanted.use),
    }
    await _check_capacity(session, offer_id, rules.capacity)
    put = insert(resources).values(offer_id=offer_id, version=1, busy_version=0, **values)
    put = put.on_conflict_do_update(index_elements=["offer_id"], set_={**values, "version": resources.c.version + 1})
    changed = resource_of((await session.execute(put.returning(*resources.c))).one())
    await _tell_resource(session, changed, offer)
    await busy_changed(session, offer_id)
    return changed


async def _check_capacity(session: AsyncSession, offer_id: UUID, capacity: int) -> None:
    """Raises CapacityBelowBooked, with the bookings in the way. The trigger of the table holds it whatever happens."""
    lock = sa.select(resources.c.capacity).where(resources.c.offer_id == offer_id).with_for_update(key_share=True)
    before = (await session.execute(lock)).scalar()
    if before is None or capacity >= before:
        return
    in_the_way, peak = await queries.above(session, offer_id, capacity)
    if peak > capacity:
        raise CapacityBelowBooked(peak=peak, in_the_way=[str(booking_id) for booking_id in in_the_way])


async def close_resource(session: AsyncSession, offer_id: UUID, *, by: Person, now: datetime) -> Resource:
    """Take no new bookings; those that exist are kept. Raises OfferUnknown, NotAllowed, NotBookable."""
    offer = await _editable(session, offer_id, by)
    await close(session, offer, now)
    resource = await queries.resource(session, offer_id)
    if resource is None:
        raise NotBookable
    return resource


async def close(session: AsyncSession, offer: Offer, now: datetime) -> None:
    """Close the resource of `offer` if there is one that is open."""
    closing = (
        sa.update(resources)
        .where(resources.c.offer_id == offer.id, resources.c.status == "open")
        .values(status="closed", version=resources.c.version + 1, changed_at=now)
        .returning(*resources.c)
    )
    row = (await session.execute(closing)).first()
    if row is not None:
        await _tell_resource(session, resource_of(row), offer)


async def retell(session: AsyncSession, offer: Offer, now: datetime) -> None:
    """The offer's title or owner has changed: say the resource again, as a new version."""
    counted = (
        sa.update(resources)
        .where(resources.c.offer_id == offer.id)
        .values(version=resources.c.version + 1, changed_at=now)
        .returning(*resources.c)
    )
    row = (await session.execute(counted)).first()
    if row is not None:
        await _tell_resource(session, resource_of(row), offer)


async def _editable(session: AsyncSession, offer_id: UUID, by: Person) -> Offer:
    offer = await queries.offer(session, offer_id)
    if offer is None:
        raise OfferUnknown
    if not may_edit(offer, by):
        raise NotAllowed
    return offer


async def _tell_resource(session: AsyncSession, resource: Resource, offer: Offer) -> None:
    if offer.owner_member_id is None:
        raise OfferUnknown
    state = resource.state(title=offer.title, owner_member_id=offer.owner_member_id)
    await outbox.add(session, ResourceChanged(resource=state))
