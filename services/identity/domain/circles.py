"""A circle: members with a purpose."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from contracts.envelope import Event
from contracts.identity import CircleChanged, CircleState
from services.chassis.problems import FieldError, InvalidFields, NotAllowed, Problem, Text
from services.identity.domain.members import HasLeft, Member

LARGEST = 2000
"""Members of a circle: its event names them all and may have 256 KiB."""


class CircleIsClosed(Problem):
    """A closed circle does not change any more."""

    status = 409
    slug = "identity/circle-is-closed"
    text = Text(fr="Ce cercle est fermé.", en="This circle is closed.", nl="Deze kring is gesloten.")


class CircleIsFull(Problem):
    """The circle has as many members as a circle may have."""

    status = 409
    slug = "identity/circle-is-full"
    text = Text(
        fr="Ce cercle a déjà {most} membres, il ne peut pas en avoir plus.",
        en="This circle already has {most} members and cannot have more.",
        nl="Deze kring heeft al {most} leden en kan er niet meer hebben.",
    )


def name_is_taken() -> InvalidFields:
    """Another active circle has this name."""
    text = Text(
        fr="Un autre cercle porte déjà ce nom.",
        en="Another circle already has this name.",
        nl="Een andere kring heeft deze naam al.",
    )
    return InvalidFields(FieldError("name", "taken", text))


@dataclass(eq=False, kw_only=True)
class Circle:
    """A group of members. `name_key` is the name as it is compared (case folded)."""

    id: UUID
    name: str
    name_key: str
    purpose: str
    members: list[Member] = field(default_factory=list[Member])
    status: Literal["active", "closed"] = "active"
    version: int = 1

    def has(self, member_id: UUID) -> bool:
        return any(member.id == member_id for member in self.members)

    def state(self) -> list[Event]:
        """The event that says the whole circle."""
        told = CircleState(
            id=self.id,
            name=self.name,
            purpose=self.purpose,
            member_ids=sorted(member.id for member in self.members),
            status=self.status,
            version=self.version,
        )
        return [CircleChanged(circle=told)]

    def describe(self, *, by: Member, name: str | None, purpose: str | None) -> list[Event]:
        """Take another name or purpose; None leaves it. Raises CircleIsClosed, NotAllowed."""
        self._check_may_change(by)
        before = (self.name, self.purpose)
        if name is not None:
            self.name, self.name_key = name, name.casefold()
        if purpose is not None:
            self.purpose = purpose
        return self._changed() if (self.name, self.purpose) != before else []

    def admit(self, member: Member, *, by: Member) -> list[Event]:
        """Take `member` in. Raises CircleIsClosed, NotAllowed, HasLeft, CircleIsFull."""
        self._check_may_change(by)
        if not member.is_active:
            raise HasLeft
        if self.has(member.id):
            return []
        if len(self.members) >= LARGEST:
            raise CircleIsFull(most=LARGEST)
        self.members.append(member)
        return self._changed()

    def remove(self, member: Member, *, by: Member) -> list[Event]:
        """Let `member` go: oneself, a member of the circle or a coordinator. Raises CircleIsClosed, NotAllowed."""
        if by.id != member.id:
            self._check_may_change(by)
        self._check_open()
        if not self.has(member.id):
            return []
        return self.forget(member)

    def forget(self, member: Member) -> list[Event]:
        """`member` has left the cooperative, so also this circle, closed or not."""
        self.members[:] = [other for other in self.members if other.id != member.id]
        return self._changed()

    def close(self, *, by: Member) -> list[Event]:
        """End the circle; its name becomes free. Raises CircleIsClosed, NotAllowed."""
        self._check_may_change(by)
        self.status = "closed"
        return self._changed()

    def _check_may_change(self, by: Member) -> None:
        if not by.is_coordinator and not self.has(by.id):
            raise NotAllowed
        self._check_open()

    def _check_open(self) -> None:
        if self.status != "active":
            raise CircleIsClosed

    def _changed(self) -> list[Event]:
        self.version += 1
        return self.state()
