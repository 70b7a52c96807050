"""What requests and answers of identity look like."""

import zoneinfo
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from contracts.identity import Locale, Place, Role
from services.identity.domain.circles import Circle
from services.identity.domain.cooperative import Cooperative
from services.identity.domain.invitations import Invitation
from services.identity.domain.members import Member

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]*$"),
]
"""One line."""
LongText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00]*$")]
WrittenEmail = Annotated[str, Field(max_length=320)]
Password = Annotated[str, Field(max_length=1000, repr=False)]
Device = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60, pattern=r"^[\w .,·/()-]*$")]
Code = Annotated[str, Field(max_length=40, repr=False)]
"""Of an app, or a recovery code; empty where none is needed."""
Secret = Annotated[str, Field(max_length=200, repr=False)]


def _check_time_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise PydanticCustomError("time_zone", "unknown time zone")
    return name


class Form(BaseModel):
    """A request's body: what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid")


class PlaceForm(Form):
    """A place as people call it, with WGS 84 degrees."""

    label: Name
    latitude: float | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False)
    longitude: float | None = Field(default=None, ge=-180, le=180, allow_inf_nan=False)


class CooperativeForm(Form):
    """The whole public profile."""

    name: Name
    summary: LongText = ""
    locale: Locale = "fr"
    time_zone: Annotated[str, AfterValidator(_check_time_zone)] = "Europe/Paris"
    place: PlaceForm
    contact_email: WrittenEmail | None = None


class CooperativeView(BaseModel):
    """The public profile as everybody sees it."""

    name: str
    summary: str
    locale: Locale
    time_zone: str
    place: Place
    web: str
    contact_email: str | None

    @classmethod
    def of(cls, cooperative: Cooperative) -> "CooperativeView":
        place = Place(label=cooperative.place_label, latitude=cooperative.latitude, longitude=cooperative.longitude)
        shown = {name: getattr(cooperative, name) for name in cls.model_fields if name != "place"}
        return cls(place=place, **shown)


class MemberView(BaseModel):
    """`email`, and whether signing in asks for a code, are shown to coordinators and to oneself only."""

    id: UUID
    name: str
    role: Role
    status: Literal["active", "left"]
    locale: Locale
    joined_at: datetime
    email: str | None = None
    second_factor: bool | None = None

    @classmethod
    def of(cls, member: Member, *, with_email: bool) -> "MemberView":
        shown = {name: getattr(member, name) for name in cls.model_fields if name not in {"email", "second_factor"}}
        if not with_email:
            return cls(**shown)
        return cls(email=member.email, second_factor=member.second_factor_since is not None, **shown)


class Credentials(Form):
    """Who signs in, and at which device (browser and system, as the list of sessions shows it)."""

    email: WrittenEmail
    password: Password
    device: Device = ""


class SignedIn(BaseModel):
    """`session` is the secret of a new session; it is told here and never again."""

    session: str
    member: MemberView


class CodeWanted(BaseModel):
    """The password was right; the code has to follow with `step` until `expires_at`."""

    step: str
    expires_at: datetime


class SecondStep(Form):
    """What was answered to the password, and the code of the app or a recovery code."""

    step: Secret
    code: Code


class TokenView(BaseModel):
    """A token for `Authorization: Bearer …` on every service, valid until `expires_at`.

    `second_factor_due`: until when the role asks for a second factor; after that it counts as a simple member's, in the
    token and in `member`. None: it is there, or not asked for.
    """

    token: str
    expires_at: datetime
    member: MemberView
    second_factor_due: datetime | None = None


class IntroductionForm(Form):
    """What is absent stays."""

    name: Name | None = None
    locale: Locale | None = None


class PasswordForm(Form):
    """The password as it is and as it shall be."""

    current: Password
    code: Code = ""
    new: Password
    device: Device = ""


class EmailForm(Form):
    """The new address, and the password again."""

    email: WrittenEmail
    password: Password
    code: Code = ""


class TokenForm(Form):
    """The token of a mailed link."""

    token: Secret


class ResetForm(Form):
    """Whose password is forgotten."""

    email: WrittenEmail


class NewPasswordForm(Form):
    """The token of a mailed link, and the password chosen."""

    token: Secret
    password: Password


class RoleForm(Form):
    """What is absent stays."""

    role: Role | None = None


class InvitationForm(Form):
    """Who is invited, and to which role."""

    email: WrittenEmail
    name: Name | None = None
    role: Role = "member"


class InvitationView(BaseModel):
    """`invited_by` is the inviter's id."""

    id: UUID
    email: str
    name: str | None
    role: Role
    invited_by: UUID
    inviter_name: str
    created_at: datetime
    expires_at: datetime
    status: Literal["pending", "accepted", "revoked", "expired"]

    @classmethod
    def of(cls, invitation: Invitation, *, inviter_name: str, now: datetime) -> "InvitationView":
        apart = {"status", "inviter_name"}
        shown = {name: getattr(invitation, name) for name in cls.model_fields if name not in apart}
        return cls(status=invitation.status(now), inviter_name=inviter_name, **shown)


class WelcomeView(BaseModel):
    """What somebody sees who opens the link of their invitation."""

    email: str
    name: str | None
    cooperative_name: str
    inviter_name: str


class AcceptanceForm(Form):
    """How the new member is called, and the password chosen."""

    token: Secret
    name: Name
    password: Password
    locale: Locale = "fr"
    device: Device = ""


class CircleForm(Form):
    """What a new circle is called and is for."""

    name: Name
    purpose: LongText = ""


class CircleChangeForm(Form):
    """What is absent stays."""

    name: Name | None = None
    purpose: LongText | None = None


class CircleMemberView(BaseModel):
    """A member as a circle shows them."""

    id: UUID
    name: str


class CircleView(BaseModel):
    """`mine`: whoever asks is a member of it."""

    id: UUID
    name: str
    purpose: str
    members: list[CircleMemberView]
    status: Literal["active", "closed"]
    mine: bool

    @classmethod
    def of(cls, circle: Circle, *, reader: UUID) -> "CircleView":
        members = sorted(circle.members, key=lambda member: member.name.casefold())
        return cls(
            id=circle.id,
            name=circle.name,
            purpose=circle.purpose,
            members=[CircleMemberView(id=member.id, name=member.name) for member in members],
            status=circle.status,
            mine=circle.has(reader),
        )
