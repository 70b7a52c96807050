"""What people are shown of waiting lists."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from contracts.booking import WaitingStatus
from services.booking.queries.waiting import Placed


class WaitingView(BaseModel):
    """A wish that waits. `position`: 1 is the next of those that want some of the same time; None: it does not wait.

    The order is that of arrival. Who wants more than is free may be passed over by those behind who fit; then what
    becomes free next is kept for it, for as long as there is to accept (`kept_until`), so that it adds up.
    `member_name` and `note` only for the member, and for those who may edit the resource. `accept_by`: until when the
    place that is offered can be accepted.
    """

    id: UUID | None
    offer_id: UUID
    offer_title: str
    member_name: str | None
    mine: bool
    start: datetime
    end: datetime
    time_zone: str
    quantity: int
    note: str
    status: WaitingStatus
    position: int | None
    kept_until: datetime | None
    accept_by: datetime | None
    booking_id: UUID | None


def waiting_view(placed: Placed, *, mine: bool, named: bool) -> WaitingView:
    """A wish as its member (`mine`) sees it, somebody who may edit the resource (`named`), or anybody else."""
    entry = placed.entry
    known = mine or named
    return WaitingView(
        id=entry.id if known else None,
        offer_id=entry.offer_id,
        offer_title=entry.offer_title,
        member_name=entry.member_name if known else None,
        mine=mine,
        start=entry.starts_at,
        end=entry.ends_at,
        time_zone=entry.time_zone,
        quantity=entry.quantity,
        note=entry.note if known else "",
        status=entry.status,
        position=placed.position,
        kept_until=entry.kept_until if known else None,
        accept_by=entry.accept_by if known else None,
        booking_id=entry.booking_id if entry.status == "accepted" and known else None,
    )
