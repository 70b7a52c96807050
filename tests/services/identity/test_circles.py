"""Circles and their members."""

import asyncio

from contracts.identity import CircleChanged
from tests.services.identity.conftest import Cooperative, Person


async def test_circle_says_itself_whole_at_every_change(cooperative: Cooperative, claire: Person) -> None:
    paul = await cooperative.join(claire, "Paul")
    made = await paul.http.post("circles", json={"name": "Bulle textile", "purpose": "Coudre ensemble."})
    assert made.status_code == 201
    circle = made.json()
    assert (circle["mine"], circle["status"]) == (True, "active")
    assert circle["members"] == [{"id": paul.id, "name": "Paul"}]
    path = f"circles/{circle['id']}"
    await paul.http.put(f"{path}/members/{claire.id}")
    await paul.http.patch(path, json={"purpose": "Coudre et réparer."})
    await paul.http.delete(f"{path}/members/{paul.id}")
    await claire.http.post(f"{path}/close")
    told = [event.circle for event in await cooperative.events(CircleChanged)]
    assert [one.version for one in told] == [1, 2, 3, 4, 5]
    assert [{str(id_) for id_ in one.member_ids} for one in told] == [
        {paul.id},
        {paul.id, claire.id},
        {paul.id, claire.id},
        {claire.id},
        {claire.id},
    ]
    assert [one.purpose for one in told[2:]] == ["Coudre et réparer."] * 3
    assert told[-1].status == "closed"


async def test_outsiders_change_nothing_but_coordinators_do(cooperative: Cooperative, claire: Person) -> None:
    paul, ana = await cooperative.join(claire, "Paul"), await cooperative.join(claire, "Ana")
    circle = (await paul.http.post("circles", json={"name": "Bulle textile"})).json()
    path = f"circles/{circle['id']}"
    assert (await ana.http.get(path)).json()["mine"] is False
    for refused in (
        await ana.http.patch(path, json={"name": "Autre"}),
        await ana.http.put(f"{path}/members/{ana.id}"),
        await ana.http.delete(f"{path}/members/{paul.id}"),
        await ana.http.post(f"{path}/close"),
    ):
        assert refused.status_code == 403
    assert (await claire.http.put(f"{path}/members/{ana.id}")).status_code == 200
    assert (await ana.http.delete(f"{path}/members/{ana.id}")).json()["mine"] is False


async def test_closed_circle_does_not_change_and_frees_its_name(cooperative: Cooperative, claire: Person) -> None:
    circle = (await claire.http.post("circles", json={"name": "Atelier"})).json()
    path = f"circles/{circle['id']}"
    await claire.http.post(f"{path}/close")
    for refused in (
        await claire.http.patch(path, json={"name": "Autre"}),
        await claire.http.put(f"{path}/members/{claire.id}"),
        await claire.http.delete(f"{path}/members/{claire.id}"),
        await claire.http.post(f"{path}/close"),
    ):
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:maillage:problem:identity/circle-is-closed")
    assert (await claire.http.post("circles", json={"name": "ATELIER"})).status_code == 201
    closed = (await claire.http.get("circles", params={"status": "closed"})).json()["items"]
    assert [one["name"] for one in closed] == ["Atelier"]


async def test_name_is_taken_once_whatever_its_case(cooperative: Cooperative, claire: Person) -> None:
    posts = [claire.http.post("circles", json={"name": name}) for name in ("Atelier", "ATELIER", "atelier")]
    answers = await asyncio.gather(*posts)
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422]
    other = (await claire.http.post("circles", json={"name": "Autre"})).json()
    refused = await claire.http.patch(f"circles/{other['id']}", json={"name": "atelier"})
    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [("name", "taken")]
    assert [one["name"].lower() for one in (await claire.http.get("circles")).json()["items"]] == ["atelier", "autre"]


async def test_members_admitted_at_once_are_all_in(cooperative: Cooperative, claire: Person) -> None:
    people = [await cooperative.join(claire, name) for name in ("Ana", "Bob", "Chloé", "Driss")]
    circle = (await claire.http.post("circles", json={"name": "Atelier"})).json()
    path = f"circles/{circle['id']}"
    await asyncio.gather(*(claire.http.put(f"{path}/members/{person.id}") for person in people))
    assert len((await claire.http.get(path)).json()["members"]) == 5
    told = [event.circle for event in await cooperative.events(CircleChanged)]
    assert [(one.version, len(one.member_ids)) for one in told] == [(number, number) for number in range(1, 6)]


async def test_admitted_while_leaving_the_cooperative_is_not_a_member(cooperative: Cooperative, claire: Person) -> None:
    circle = (await claire.http.post("circles", json={"name": "Atelier"})).json()
    path = f"circles/{circle['id']}"
    for number in range(4):
        paul = await cooperative.join(claire, f"Paul{number}")
        await asyncio.gather(claire.http.put(f"{path}/members/{paul.id}"), claire.http.post(f"members/{paul.id}/leave"))
        members = (await claire.http.get(path)).json()["members"]
        assert [one["name"] for one in members] == ["Claire Delattre"]


async def test_same_key_makes_one_circle(cooperative: Cooperative, claire: Person) -> None:
    key = {"Idempotency-Key": "one"}
    first, again = [await claire.http.post("circles", json={"name": "Atelier"}, headers=key) for _ in range(2)]
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert len(await cooperative.events(CircleChanged)) == 1


async def test_unknown_circle_or_member_is_not_found(claire: Person) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    circle = (await claire.http.post("circles", json={"name": "Atelier"})).json()
    assert (await claire.http.get(f"circles/{nobody}")).status_code == 404
    assert (await claire.http.put(f"circles/{nobody}/members/{claire.id}")).status_code == 404
    assert (await claire.http.put(f"circles/{circle['id']}/members/{nobody}")).status_code == 404
