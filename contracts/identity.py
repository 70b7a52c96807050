"""What identity says: the cooperative, its members, their addresses, its circles."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.acts import ActRecorded
from contracts.envelope import Data, Event

Locale = Literal["fr", "nl", "en"]
Role = Literal["member", "coordinator", "administrator"]


class Place(Data):
    """A point on Earth (WGS 84, degrees) and how people call it."""

    label: str
    latitude: float | None = None
    longitude: float | None = None


class CooperativeState(Data):
    """The cooperative's public profile. `web` is the address of its pages, `contact_email` may be None."""

    name: str
    summary: str
    locale: Locale
    time_zone: str
    place: Place
    web: str
    contact_email: str | None = None
    version: int


class CooperativeChanged(Event):
    """The cooperative's profile was set or changed."""

    type: ClassVar[str] = "identity.cooperative_changed.v1"
    cooperative: CooperativeState

    @property
    def subject(self) -> str:
        return "cooperative"


class MemberState(Data):
    """A member as other services may know them: no address, no credential."""

    id: UUID
    name: str
    role: Role
    status: Literal["active", "left"]
    locale: Locale
    version: int


class MemberChanged(Event):
    """A member joined, changed name, role or language, or left."""

    type: ClassVar[str] = "identity.member_changed.v1"
    member: MemberState

    @property
    def subject(self) -> str:
        return str(self.member.id)

    @property
    def forgotten(self) -> tuple[str, ...]:
        return (str(self.member.id),) if self.member.status == "left" else ()


class MemberContactChanged(Event):
    """Where a member is reached. `email` is None once the member has left. For notify and federation only."""

    type: ClassVar[str] = "identity.member_contact_changed.v1"
    member_id: UUID
    name: str
    email: str | None
    locale: Locale
    version: int

    @property
    def subject(self) -> str:
        return str(self.member_id)


class CircleState(Data):
    """A circle with its members, whole."""

    id: UUID
    name: str
    purpose: str
    member_ids: list[UUID]
    status: Literal["active", "closed"]
    version: int


class CircleChanged(Event):
    """A circle was made, changed, joined, left or closed."""

    type: ClassVar[str] = "identity.circle_changed.v1"
    circle: CircleState

    @property
    def subject(self) -> str:
        return str(self.circle.id)


class AccountMail(Event):
    """A mail about an account. `link` carries a single-use secret: it is sent once and kept nowhere."""

    request_id: UUID
    email: str
    name: str
    locale: Locale
    link: str
    expires_at: datetime

    @property
    def subject(self) -> str:
        return str(self.request_id)


class MemberInvited(AccountMail):
    """Somebody was invited to become a member."""

    type: ClassVar[str] = "identity.member_invited.v1"
    inviter_name: str
    cooperative_name: str


class PasswordResetRequested(AccountMail):
    """A member asked for a new password."""

    type: ClassVar[str] = "identity.password_reset_requested.v1"


class EmailChangeRequested(AccountMail):
    """A member wants another address; `email` is the new one and must be confirmed through `link`."""

    type: ClassVar[str] = "identity.email_change_requested.v1"


class EmailChanged(Event):
    """A member's address was changed; the old one is told."""

    type: ClassVar[str] = "identity.email_changed.v1"
    member_id: UUID
    old_email: str
    name: str
    locale: Locale

    @property
    def subject(self) -> str:
        return str(self.member_id)


AccessChange = Literal[
    "password",
    "second-factor-on",
    "second-factor-off",
    "second-factor-reset",
    "recovery-codes-renewed",
    "recovery-code-used",
    "many-wrong-codes",
    "token-made",
]
"""What happened to an account. `second-factor-reset`: by a coordinator; `many-wrong-codes`: after a right password."""


class AccessChanged(Event):
    """How a member signs in was changed, or somebody with the password tries to: the owner is told by mail."""

    type: ClassVar[str] = "identity.access_changed.v1"
    member_id: UUID
    what: AccessChange
    email: str
    name: str
    locale: Locale

    @property
    def subject(self) -> str:
        return str(self.member_id)


class IdentityActRecorded(ActRecorded):
    """A coordinator or administrator changed something in identity."""

    type: ClassVar[str] = "identity.act_recorded.v1"
