"""What crosses when people of two cooperatives are put in touch."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.envelope import Event


class BorderIntroductionRequested(Event):
    """One of our members, under a pseudonym made for you, would like to be put in touch about a thing of yours.

    `introduction_id` is ours: you key it with our instance id. `quantity`: how much our member promises with it.
    """

    type: ClassVar[str] = "border.introduction_requested.v1"
    introduction_id: UUID
    thing_id: UUID
    pseudonym: str
    message: str
    quantity: int | None = None

    @property
    def subject(self) -> str:
        return str(self.introduction_id)


class BorderIntroductionAnswered(Event):
    """Whoever answers for our thing says yes or no. `quantity`: how much they promise with their yes."""

    type: ClassVar[str] = "border.introduction_answered.v1"
    introduction_id: UUID
    accepted: bool
    reason: Literal["too_far", "not_it", "gone"] | None = None
    quantity: int | None = None

    @property
    def subject(self) -> str:
        return str(self.introduction_id)


class BorderIntroductionWithdrawn(Event):
    """Our member no longer asks. It may cross your yes: then nobody is in touch. A no that it crosses stays."""

    type: ClassVar[str] = "border.introduction_withdrawn.v1"
    introduction_id: UUID

    @property
    def subject(self) -> str:
        return str(self.introduction_id)


class BorderIntroduced(Event):
    """Name and address of our person in an accepted introduction, whom you know by `pseudonym` for erasure.

    The cooperative of whoever asked says it first, once it has heard the yes; the other one says it in answer.
    """

    type: ClassVar[str] = "border.introduced.v1"
    introduction_id: UUID
    pseudonym: str
    name: str
    email: str

    @property
    def subject(self) -> str:
        return str(self.introduction_id)
