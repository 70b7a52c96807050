"""What notify says: the one thing it knows that others may need, an address, and only when a booking discloses it."""

from typing import ClassVar
from uuid import UUID

from contracts.acts import ActRecorded
from contracts.envelope import Event


class ContactDisclosed(Event):
    """A booking across the border was confirmed: our person's name and address may go to the peer concerned."""

    type: ClassVar[str] = "notify.contact_disclosed.v1"
    booking_id: UUID
    peer_id: str
    name: str
    email: str

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class NotifyActRecorded(ActRecorded):
    """A coordinator or administrator changed something in notify."""

    type: ClassVar[str] = "notify.act_recorded.v1"
