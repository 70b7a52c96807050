"""What peers have sent about people who are put in touch."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.federation.received import Received


class IntroductionRequestReceived(Received):
    """A peer's member would like to be put in touch about a thing of ours. `pseudonym`: as in bookings."""

    type: ClassVar[str] = "federation.introduction_request_received.v1"
    introduction_id: UUID
    thing_id: UUID
    pseudonym: str
    message: str
    quantity: int | None = None

    @property
    def subject(self) -> str:
        return str(self.introduction_id)


class IntroductionAnswerReceived(Received):
    """A peer's person says yes or no to our member's wish to be put in touch."""

    type: ClassVar[str] = "federation.introduction_answer_received.v1"
    introduction_id: UUID
    accepted: bool
    reason: Literal["too_far", "not_it", "gone"] | None = None
    quantity: int | None = None

    @property
    def subject(self) -> str:
        return str(self.introduction_id)


class IntroductionWithdrawalReceived(Received):
    """A peer's member no longer asks."""

    type: ClassVar[str] = "federation.introduction_withdrawal_received.v1"
    introduction_id: UUID

    @property
    def subject(self) -> str:
        return str(self.introduction_id)


class IntroductionReceived(Received):
    """The other person of an accepted introduction across the border: name and address."""

    type: ClassVar[str] = "federation.introduction_received.v1"
    introduction_id: UUID
    pseudonym: str
    name: str
    email: str

    @property
    def subject(self) -> str:
        return str(self.introduction_id)
