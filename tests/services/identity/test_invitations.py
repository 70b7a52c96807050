"""Inviting and joining."""

import asyncio
from datetime import timedelta

from contracts.identity import MemberChanged, MemberInvited
from services.identity.tables import invitation, member
from tests.services.identity.conftest import ADMINISTRATOR, PASSWORD, Cooperative, Person

EMAIL = "Paul.Lefebvre@Exemple.org"


def acceptance(token: str, **changes: str) -> dict[str, str]:
    return {"token": token, "name": "Paul Lefebvre", "password": PASSWORD, "locale": "fr"} | changes


async def test_invited_person_sees_who_invites_and_joins_signed_in(cooperative: Cooperative, claire: Person) -> None:
    made = await claire.http.post("invitations", json={"email": EMAIL, "name": "Paul"})
    assert made.status_code == 201
    assert (made.json()["status"], made.json()["role"], made.json()["inviter_name"]) == (
        "pending",
        "member",
        "Claire Delattre",
    )
    (letter,) = await cooperative.events(MemberInvited)
    assert (letter.email, letter.cooperative_name) == ("Paul.Lefebvre@exemple.org", "Optéos")
    token = letter.link.removeprefix("https://opteos.example/account/join/")
    welcome = (await cooperative.visitor.get(f"invitations/by-token/{token}")).json()
    assert welcome == {
        "email": "Paul.Lefebvre@exemple.org",
        "name": "Paul",
        "cooperative_name": "Optéos",
        "inviter_name": "Claire Delattre",
    }
    await cooperative.forget_events()
    joined = await cooperative.visitor.post("invitations/accept", json=acceptance(token))
    assert joined.status_code == 201
    paul = await cooperative.person(joined.json())
    assert (await paul.http.get("me")).json()["name"] == "Paul Lefebvre"
    assert [event.member.version for event in await cooperative.events(MemberChanged)] == [1]
    assert [one["status"] for one in (await claire.http.get("invitations")).json()["items"]] == ["accepted"]
    for answer in (
        await cooperative.visitor.get(f"invitations/by-token/{token}"),
        await cooperative.visitor.post("invitations/accept", json=acceptance(token)),
    ):
        assert answer.status_code == 410


async def test_link_accepted_twice_at_once_makes_one_member(cooperative: Cooperative, claire: Person) -> None:
    token = await cooperative.invite(claire, EMAIL)
    posts = [cooperative.visitor.post("invitations/accept", json=acceptance(token)) for _ in range(3)]
    assert sorted(answer.status_code for answer in await asyncio.gather(*posts)) == [201, 410, 410]
    assert await cooperative.count(member) == 2


async def test_weak_password_leaves_the_invitation_usable(cooperative: Cooperative, claire: Person) -> None:
    token = await cooperative.invite(claire, EMAIL)
    refused = await cooperative.visitor.post(
        "invitations/accept",
        json=acceptance(token, password="paul lefebvre 59"),
        headers={"Accept-Language": "fr"},
    )
    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [("password", "too-common")]
    assert (await cooperative.visitor.post("invitations/accept", json=acceptance(token))).status_code == 201


async def test_invitation_lives_seven_days(cooperative: Cooperative, claire: Person) -> None:
    token = await cooperative.invite(claire, EMAIL)
    cooperative.ahead = timedelta(days=7, minutes=1)
    assert (await cooperative.visitor.post("invitations/accept", json=acceptance(token))).status_code == 410


async def test_new_invitation_replaces_the_one_before(cooperative: Cooperative, claire: Person) -> None:
    first, second = await cooperative.invite(claire, EMAIL), await cooperative.invite(claire, EMAIL.upper())
    statuses = [one["status"] for one in (await claire.http.get("invitations")).json()["items"]]
    assert statuses == ["pending", "revoked"]
    assert (await cooperative.visitor.get(f"invitations/by-token/{first}")).status_code == 410
    assert (await cooperative.visitor.get(f"invitations/by-token/{second}")).status_code == 200


async def test_revoked_invitation_opens_nothing(cooperative: Cooperative, claire: Person) -> None:
    token = await cooperative.invite(claire, EMAIL)
    invitation_id = (await claire.http.get("invitations")).json()["items"][0]["id"]
    for _ in range(2):
        assert (await claire.http.delete(f"invitations/{invitation_id}")).status_code == 204
    assert (await cooperative.visitor.post("invitations/accept", json=acceptance(token))).status_code == 410


async def test_accepted_invitation_is_not_taken_back(cooperative: Cooperative, claire: Person) -> None:
    await cooperative.join(claire, "Paul")
    invitation_id = (await claire.http.get("invitations")).json()["items"][0]["id"]
    refused = await claire.http.delete(f"invitations/{invitation_id}")
    assert refused.json()["type"] == "urn:maillage:problem:identity/invitation-is-over"


async def test_members_do_not_invite_and_coordinators_no_administrator(
    cooperative: Cooperative, claire: Person
) -> None:
    paul, ines = await cooperative.join(claire, "Paul"), await cooperative.join(claire, "Inès", "coordinator")
    form = {"email": EMAIL, "role": "administrator"}
    assert (await paul.http.post("invitations", json={"email": EMAIL})).status_code == 403
    assert (await paul.http.get("invitations")).status_code == 403
    assert (await ines.http.post("invitations", json=form)).status_code == 403
    await cooperative.invite(claire, EMAIL, "administrator")
    invitation_id = (await ines.http.get("invitations")).json()["items"][0]["id"]
    assert (await ines.http.delete(f"invitations/{invitation_id}")).status_code == 403


async def test_somebody_who_is_a_member_is_not_invited(claire: Person) -> None:
    refused = await claire.http.post("invitations", json={"email": ADMINISTRATOR.upper()})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:maillage:problem:identity/already-member")


async def test_same_key_invites_once(cooperative: Cooperative, claire: Person) -> None:
    key = {"Idempotency-Key": "one"}
    first, again = [await claire.http.post("invitations", json={"email": EMAIL}, headers=key) for _ in range(2)]
    assert first.json() == again.json()
    assert len(await cooperative.events(MemberInvited)) == 1
    other = await claire.http.post("invitations", json={"email": "x@opteos.example"}, headers=key)
    assert other.status_code == 422
    assert await cooperative.count(invitation) == 1


async def test_bad_form_is_told_field_by_field_in_the_reader_s_language(claire: Person) -> None:
    for language, beginning in (("fr", "Cette adresse"), ("nl", "Dit lijkt"), ("en", "This does")):
        refused = await claire.http.post(
            "invitations", json={"email": "no at sign"}, headers={"Accept-Language": language}
        )
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["errors"][0]["detail"].startswith(beginning)
    refused = await claire.http.post("invitations", json={"email": EMAIL, "role": "king", "more": 1})
    assert {error["field"] for error in refused.json()["errors"]} == {"role", "more"}


async def test_at_a_hub_only_those_who_run_it_have_an_account(cooperative: Cooperative, claire: Person) -> None:
    colleague = await cooperative.join(claire, "Hugo Lambert", "coordinator")
    at_a_hub = cooperative.settings.model_copy(update={"federation_hub": True})
    cooperative.service.app.state.settings = at_a_hub
    for role, status in (("member", 403), ("coordinator", 201)):
        answer = await claire.http.post("invitations", json={"email": f"{role}@exemple.org", "role": role})
        assert answer.status_code == status, answer.text
    changed = await claire.http.patch(f"members/{colleague.id}", json={"role": "member"})
    assert (changed.status_code, changed.json()["type"].rpartition("/")[2]) == (403, "only-staff")
    assert (await claire.http.post(f"members/{colleague.id}/leave")).status_code == 200
