"""What notify says: an address, which it alone knows, and only when a booking or an introduction discloses it."""

from typing import ClassVar
from uuid import UUID

from contracts.acts import ActRecorded
from contracts.envelope import Event


class ContactDisclosed(Event):
    """A booking across the border was confirmed: our person's name and address may go to the peer concerned.

    `member_id`: whose they are, so that they can be taken back; None from those who do not tell it yet.
    """

    type: ClassVar[str] = "notify.contact_disclosed.v1"
    booking_id: UUID
    peer_id: str
    name: str
    email: str
    member_id: UUID | None = None

    @property
    def subject(self) -> str:
        return str(self.booking_id)


class IntroductionDisclosed(Event):
    """An introduction across the border was accepted: our person's name and address may go to that peer."""

    type: ClassVar[str] = "notify.introduction_disclosed.v1"
    introduction_id: UUID
    peer_id: str
    member_id: UUID
    name: str
    email: str

    @property
    def subject(self) -> str:
        return str(self.introduction_id)


class NotifyActRecorded(ActRecorded):
    """A coordinator or administrator changed something in notify."""

    type: ClassVar[str] = "notify.act_recorded.v1"
