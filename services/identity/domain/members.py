"""A member, and who may change what about one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from contracts.envelope import Event
from contracts.identity import (
    AccessChange,
    AccessChanged,
    EmailChanged,
    Locale,
    MemberChanged,
    MemberContactChanged,
    MemberState,
    Role,
)
from services.chassis.problems import NotAllowed, Problem, Text
from services.identity.domain.addresses import EmailAddress


class LastAdministrator(Problem):
    """An instance without an administrator could not be run any more."""

    status = 409
    slug = "identity/last-administrator"
    text = Text(
        fr="C'est la dernière personne chargée de l'administration. Confiez d'abord ce rôle à quelqu'un d'autre.",
        en="This is the last administrator. Give that role to somebody else first.",
        nl="Dit is de laatste beheerder. Geef die rol eerst aan iemand anders.",
    )


class HasLeft(Problem):
    """The member left the cooperative; nothing about them changes any more."""

    status = 409
    slug = "identity/member-has-left"
    text = Text(
        fr="Cette personne a quitté la coopérative.",
        en="This person has left the cooperative.",
        nl="Deze persoon heeft de coöperatie verlaten.",
    )


class OnlyStaff(Problem):
    """A hub has no members but those who run it: the others are members of its cooperatives."""

    status = 403
    slug = "identity/only-staff"
    text = Text(
        fr="Ce site est un hub : seule son équipe y a un compte. Les autres s'inscrivent à leur coopérative.",
        en="This site is a hub: only those who run it have an account. Everybody else joins their own cooperative.",
        nl="Deze site is een hub: alleen het team ervan heeft een account. De anderen horen bij hun eigen coöperatie.",
    )


@dataclass(eq=False, kw_only=True)
class Member:
    """A person with an account. `email` and `password_hash` are None, `name` is empty once they have left.

    `password_hash` is also None until the first password is chosen. `email_key` is the address as it is compared.
    `role_since`: when the role was given, None: on joining. `second_factor_since`: since when a code is asked for too.
    `acts_simply` (not kept): in this request the role does not count.
    """

    id: UUID
    name: str
    email: str | None
    email_key: str | None
    password_hash: str | None
    role: Role
    locale: Locale
    joined_at: datetime
    status: Literal["active", "left"] = "active"
    left_at: datetime | None = None
    version: int = 1
    role_since: datetime | None = None
    second_factor_since: datetime | None = None
    acts_simply = False

    @property
    def is_active(self) -> bool:
        return self.status == "active"

    @property
    def acting_role(self) -> Role:
        """The role that counts in this request."""
        return "member" if self.acts_simply else self.role

    @property
    def is_coordinator(self) -> bool:
        """Coordinators and administrators."""
        return self.acting_role in {"coordinator", "administrator"}

    def second_factor_due(self, grace: timedelta | None) -> datetime | None:
        """Until when a second factor must be there for the role to count; None: not asked for, or there already."""
        if grace is None or self.role == "member" or self.second_factor_since is not None:
            return None
        return (self.role_since or self.joined_at) + grace

    def access_changed(self, what: AccessChange) -> list[Event]:
        """What tells the owner by mail; nobody who has left."""
        if self.email is None:
            return []
        return [AccessChanged(member_id=self.id, what=what, email=self.email, name=self.name, locale=self.locale)]

    def state(self) -> list[Event]:
        """The events that say everything others may know of this member."""
        shown = MemberState(
            id=self.id, name=self.name, role=self.role, status=self.status, locale=self.locale, version=self.version
        )
        contact = MemberContactChanged(
            member_id=self.id, name=self.name, email=self.email, locale=self.locale, version=self.version
        )
        return [MemberChanged(member=shown), contact]

    def introduce(self, *, name: str | None, locale: Locale | None) -> list[Event]:
        """Take another name or language; None leaves it. Says nothing when nothing changed."""
        before = (self.name, self.locale)
        self.name, self.locale = name or self.name, locale or self.locale
        return self._changed() if (self.name, self.locale) != before else []

    def take_role(self, role: Role, *, by: "Member", administrators: int) -> list[Event]:
        """Get another role. `administrators`: how many active ones there are. Raises NotAllowed, LastAdministrator."""
        self._check_active()
        if not by.is_coordinator or (by.acting_role != "administrator" and "administrator" in {role, self.role}):
            raise NotAllowed
        if role == self.role:
            return []
        self._check_not_last(administrators)
        self.role = role
        return self._changed()

    def take_over(self) -> list[Event]:
        """Become an administrator by the word of whoever runs the machine."""
        self.role = "administrator"
        return self._changed()

    def leave(self, *, by: "Member", administrators: int, now: datetime) -> list[Event]:
        """Leave the cooperative. Raises NotAllowed, HasLeft, LastAdministrator.

        Oneself, or a coordinator; an administrator is only made to leave by an administrator. What is said has the
        name a last time, so that others can take it out of what they keep; here it is forgotten at once.
        """
        self._check_active()
        if by.id != self.id:
            self.check_is_below(by)
        self._check_not_last(administrators)
        self.status, self.left_at, self.role = "left", now, "member"
        self.email = self.email_key = self.password_hash = self.second_factor_since = None
        said = self._changed()
        self.name = ""
        return said

    def move_to(self, address: EmailAddress) -> list[Event]:
        """Be reached at another address; the old one is told."""
        self._check_active()
        notice = EmailChanged(member_id=self.id, old_email=self.email or "", name=self.name, locale=self.locale)
        self.email, self.email_key = address.text, address.key
        return [*self._changed(), notice]

    def check_is_below(self, by: "Member") -> None:
        """Raises NotAllowed unless `by` may decide for this member: an administrator only for an administrator."""
        if by.acting_role != "administrator" and not (by.is_coordinator and self.role != "administrator"):
            raise NotAllowed

    def _changed(self) -> list[Event]:
        self.version += 1
        return self.state()

    def _check_active(self) -> None:
        if not self.is_active:
            raise HasLeft

    def _check_not_last(self, administrators: int) -> None:
        if self.role == "administrator" and administrators <= 1:
            raise LastAdministrator


def check_is_staff(role: Role | None, *, at_a_hub: bool) -> None:
    """Raises OnlyStaff for a plain member of a hub."""
    if at_a_hub and role == "member":
        raise OnlyStaff


def check_may_invite(by: Member, role: Role) -> None:
    """Raises NotAllowed unless `by` may invite somebody to `role`."""
    if not by.is_coordinator or (role == "administrator" and by.acting_role != "administrator"):
        raise NotAllowed
