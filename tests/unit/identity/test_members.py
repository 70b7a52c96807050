"""Who may do what about a member."""

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from contracts.identity import EmailChanged, MemberChanged, MemberContactChanged, Role
from services.chassis.ids import new_id
from services.chassis.problems import NotAllowed
from services.identity.domain.addresses import EmailAddress
from services.identity.domain.circles import LARGEST, Circle, CircleIsFull
from services.identity.domain.members import HasLeft, LastAdministrator, Member, check_may_invite

NOW = datetime(2026, 3, 29, tzinfo=UTC)
ROLES: tuple[Role, ...] = ("member", "coordinator", "administrator")


def person(role: Role = "member", **given: Any) -> Member:
    base: dict[str, Any] = {
        "id": new_id(),
        "name": "Ana",
        "email": "ana@opteos.example",
        "email_key": "ana@opteos.example",
        "password_hash": "x",
        "role": role,
        "locale": "fr",
        "joined_at": NOW,
    }
    return Member(**(base | given))


@pytest.mark.parametrize(("before", "after", "giver"), list(product(ROLES, ROLES, ROLES)))
def test_roles_are_given_by_coordinators_and_administration_by_administrators(
    before: Role, after: Role, giver: Role
) -> None:
    somebody = person(before)
    allowed = giver == "administrator" or (giver == "coordinator" and "administrator" not in {before, after})
    if not allowed:
        with pytest.raises(NotAllowed):
            somebody.take_role(after, by=person(giver), administrators=2)
        assert (somebody.role, somebody.version) == (before, 1)
        return
    events = somebody.take_role(after, by=person(giver), administrators=2)
    assert somebody.role == after
    assert [type(event) for event in events] == ([] if before == after else [MemberChanged, MemberContactChanged])


@pytest.mark.parametrize(("decider", "leaver"), list(product(ROLES, ROLES)))
def test_others_are_made_to_leave_by_those_above_them(decider: Role, leaver: Role) -> None:
    somebody = person(leaver)
    if decider == "administrator" or (decider == "coordinator" and leaver != "administrator"):
        somebody.leave(by=person(decider), administrators=2, now=NOW)
        assert somebody.status == "left"
    else:
        with pytest.raises(NotAllowed):
            somebody.leave(by=person(decider), administrators=2, now=NOW)
        assert somebody.status == "active"


@pytest.mark.parametrize("role", ROLES)
def test_everybody_may_leave_and_takes_nothing_along(role: Role) -> None:
    somebody = person(role)
    _, contact = somebody.leave(by=somebody, administrators=2, now=NOW)
    assert isinstance(contact, MemberContactChanged)
    assert (contact.email, contact.version) == (None, 2)
    assert (somebody.email, somebody.email_key, somebody.password_hash, somebody.role) == (None, None, None, "member")
    with pytest.raises(HasLeft):
        somebody.leave(by=somebody, administrators=2, now=NOW)
    with pytest.raises(HasLeft):
        somebody.take_role("coordinator", by=person("administrator"), administrators=2)


def test_last_administrator_neither_leaves_nor_steps_down() -> None:
    last = person("administrator")
    with pytest.raises(LastAdministrator):
        last.leave(by=last, administrators=1, now=NOW)
    with pytest.raises(LastAdministrator):
        last.take_role("member", by=last, administrators=1)
    assert last.take_role("administrator", by=last, administrators=1) == []


def test_old_address_is_told_of_the_new_one() -> None:
    *_, notice = person().move_to(EmailAddress("New@opteos.example", "new@opteos.example"))
    assert isinstance(notice, EmailChanged)
    assert notice.old_email == "ana@opteos.example"


@pytest.mark.parametrize(("inviter", "role"), list(product(ROLES, ROLES)))
def test_nobody_invites_above_themselves(inviter: Role, role: Role) -> None:
    if inviter == "administrator" or (inviter == "coordinator" and role != "administrator"):
        check_may_invite(person(inviter), role)
    else:
        with pytest.raises(NotAllowed):
            check_may_invite(person(inviter), role)


def test_circle_stops_before_its_event_is_too_large() -> None:
    founder = person()
    circle = Circle(id=new_id(), name="Tous", name_key="tous", purpose="é" * 2000, members=[founder])
    while len(circle.members) < LARGEST:
        circle.members.append(person())
    with pytest.raises(CircleIsFull):
        circle.admit(person(), by=founder)
    (event,) = circle.state()
    assert len(event.model_dump_json().encode()) < 256 * 1024
