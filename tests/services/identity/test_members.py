"""Who is a member, in which role, and who leaves."""

import asyncio

import pytest

from contracts.acts import ActRecorded
from contracts.identity import CircleChanged, MemberChanged, MemberContactChanged
from services.identity.tables import signed_in
from tests.services.identity.conftest import PASSWORD, Cooperative, Person


async def names(person: Person, **parameters: str) -> list[str]:
    return [one["name"] for one in (await person.http.get("members", params=parameters)).json()["items"]]


async def test_addresses_are_for_coordinators_and_oneself(cooperative: Cooperative, claire: Person) -> None:
    paul = await cooperative.join(claire, "Paul")
    emails = {one["name"]: one["email"] for one in (await paul.http.get("members")).json()["items"]}
    assert emails == {"Claire Delattre": None, "Paul": paul.email}
    assert (await paul.http.get(f"members/{claire.id}")).json()["email"] is None
    assert (await claire.http.get(f"members/{paul.id}")).json()["email"] == paul.email


async def test_members_are_found_without_accents_and_paged_by_name(cooperative: Cooperative, claire: Person) -> None:
    paul = await cooperative.join(claire, "Élodie")
    for name in ("eric", "Zoé", "Étienne"):
        await cooperative.join(claire, name)
    everybody = ["Claire Delattre", "Élodie", "eric", "Étienne", "Zoé"]
    assert await names(paul) == everybody
    assert await names(paul, q="ZOE") == ["Zoé"]
    assert await names(paul, q="%") == []
    assert await names(paul, q="opteos.example") == []
    assert await names(claire, q="opteos.example") == everybody
    seen: list[str] = []
    parameters = {"limit": "2"}
    while True:
        page = (await paul.http.get("members", params=parameters)).json()
        seen += [one["name"] for one in page["items"]]
        if page["next"] is None:
            break
        parameters["cursor"] = page["next"]
    assert seen == everybody


@pytest.mark.parametrize("cursor", ["nonsense", "WyJhIiwgImIiXQ", "e30"])
async def test_unknown_cursor_is_refused(claire: Person, cursor: str) -> None:
    for path in ("members", "invitations", "circles"):
        answer = await claire.http.get(path, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


async def test_without_a_token_nothing_is_shown(cooperative: Cooperative) -> None:
    for path in ("me", "members", "circles", "invitations"):
        assert (await cooperative.visitor.get(path)).status_code == 401


async def test_role_is_given_by_coordinators_and_told(cooperative: Cooperative, claire: Person) -> None:
    paul, ines = await cooperative.join(claire, "Paul"), await cooperative.join(claire, "Inès", "coordinator")
    await cooperative.forget_events()
    assert (await paul.http.patch(f"members/{paul.id}", json={"role": "coordinator"})).status_code == 403
    assert (await ines.http.patch(f"members/{paul.id}", json={"role": "administrator"})).status_code == 403
    assert (await ines.http.patch(f"members/{claire.id}", json={"role": "member"})).status_code == 403
    assert await cooperative.events() == []
    given = await ines.http.patch(f"members/{paul.id}", json={"role": "coordinator"})
    assert given.json()["role"] == "coordinator"
    assert [event.member.role for event in await cooperative.events(MemberChanged)] == ["coordinator"]
    # Paul's token still says member: the lesser of what it says and what he is counts, until he signs in again.
    assert (await paul.http.patch(f"members/{ines.id}", json={"role": "member"})).status_code == 403
    paul = await cooperative.sign_in(paul.email)
    changed = await paul.http.patch(f"members/{ines.id}", json={"role": "member"})
    assert changed.json()["role"] == "member"
    assert (await ines.http.get("members", params={"status": "left"})).status_code == 403


async def test_last_administrator_stays(cooperative: Cooperative, claire: Person) -> None:
    for answer in (
        await claire.http.patch(f"members/{claire.id}", json={"role": "member"}),
        await claire.http.post(f"members/{claire.id}/leave"),
    ):
        assert answer.status_code == 409
        assert answer.json()["type"] == "urn:maillage:problem:identity/last-administrator"


async def test_two_administrators_leaving_at_once_leave_one(cooperative: Cooperative, claire: Person) -> None:
    for _ in range(3):
        other = await cooperative.join(claire, "Autre", "administrator")
        answers = await asyncio.gather(
            *(one.http.patch(f"members/{one.id}", json={"role": "member"}) for one in (claire, other))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        if answers[0].status_code == 200:
            await other.http.patch(f"members/{claire.id}", json={"role": "administrator"})
            await other.http.patch(f"members/{other.id}", json={"role": "member"})


async def test_who_leaves_has_no_address_session_or_circle(cooperative: Cooperative, claire: Person) -> None:
    paul = await cooperative.join(claire, "Paul")
    circle = (await paul.http.post("circles", json={"name": "Bulle textile"})).json()
    await cooperative.forget_events()
    left = await paul.http.post(f"members/{paul.id}/leave")
    assert (left.status_code, left.json()["status"]) == (200, "left")
    (changed,) = await cooperative.events(MemberChanged)
    (contact,) = await cooperative.events(MemberContactChanged)
    (circle_changed,) = await cooperative.events(CircleChanged)
    assert (changed.member.status, contact.email) == ("left", None)
    assert (str(circle_changed.circle.id), circle_changed.circle.member_ids) == (circle["id"], [])
    assert await cooperative.count(signed_in) == 1
    assert (await paul.http.get("me")).status_code == 401
    assert await names(claire) == ["Claire Delattre"]
    assert await names(claire, status="left") == [""]
    assert (await claire.http.post(f"members/{paul.id}/leave")).status_code == 409
    # The address is free again: the same person may come back as a new member.
    assert (await claire.http.post("invitations", json={"email": paul.email})).status_code == 201


async def test_only_coordinators_make_others_leave(cooperative: Cooperative, claire: Person) -> None:
    paul, ines = await cooperative.join(claire, "Paul"), await cooperative.join(claire, "Inès", "coordinator")
    assert (await paul.http.post(f"members/{ines.id}/leave")).status_code == 403
    assert (await ines.http.post(f"members/{claire.id}/leave")).status_code == 403
    assert (await ines.http.post(f"members/{paul.id}/leave")).status_code == 200
    assert (await ines.http.get(f"members/{paul.id}")).json()["name"] == ""


async def test_unknown_member_is_not_found(claire: Person) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    assert (await claire.http.get(f"members/{nobody}")).status_code == 404
    assert (await claire.http.patch(f"members/{nobody}", json={"role": "member"})).status_code == 404
    assert (await claire.http.post(f"members/{nobody}/leave")).status_code == 404
    assert (await claire.http.get("members/nonsense")).status_code == 422


async def test_a_coordinator_closes_all_sessions_of_an_account_in_wrong_hands(
    cooperative: Cooperative, claire: Person
) -> None:
    paul, lea = await cooperative.join(claire, "Paul"), await cooperative.join(claire, "Léa", "coordinator")
    made = await paul.http.post(
        "me/tokens", json={"name": "x", "scopes": ["booking:read"], "days": 30, "password": PASSWORD}
    )

    async def may_enter(scheme: str, secret: str) -> bool:
        answer = await cooperative.visitor.post("tokens", headers={"Authorization": f"{scheme} {secret}"})
        return answer.is_success

    assert (await paul.http.post(f"members/{lea.id}/sign-out")).status_code == 403
    assert (await lea.http.post(f"members/{claire.id}/sign-out")).status_code == 403
    assert await may_enter("Session", lea.session)
    assert await may_enter("Session", claire.session)
    assert (await lea.http.post(f"members/{paul.id}/sign-out")).status_code == 200
    assert not await may_enter("Session", paul.session)
    assert not await may_enter("Token", made.json()["token"])
    assert (await cooperative.sign_in(paul.email)).id == paul.id
    (act,) = [one for one in await cooperative.events(ActRecorded) if one.what == "POST /members/{member_id}/sign-out"]
    assert (str(act.actor_id), act.about) == (lea.id, paul.id)
