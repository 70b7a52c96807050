"""The trail of acts: every one of a role, nothing of one's own, for ever as it was."""

import csv
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from contracts.acts import ActRecorded
from contracts.identity import IdentityActRecorded
from services.chassis import names
from services.chassis.ids import new_id
from services.identity.consumers import keep_act
from services.identity.housekeeping import clean
from services.identity.tables import act
from tests.instances import Instance
from tests.services.identity.conftest import PASSWORD, Cooperative, Person


async def keep(cooperative: Cooperative) -> list[IdentityActRecorded]:
    """Do with the acts in the outbox what relay and consumer do."""
    said: list[IdentityActRecorded] = await cooperative.events(ActRecorded)
    for event in said:
        async with cooperative.db.transaction() as session:
            await keep_act(event, session)
    return said


async def test_who_did_what_about_what_under_which_number(cooperative: Cooperative, claire: Person) -> None:
    zoe = await cooperative.join(claire, "Zoé")
    answer = await claire.http.patch(f"members/{zoe.id}", json={"role": "coordinator"})
    await keep(cooperative)
    page = (await claire.http.get("acts")).json()["items"]
    assert [(one["what"], one["notes"]) for one in page] == [
        ("PATCH /members/{member_id}", {"role": "coordinator", "before": "member"}),
        ("POST /invitations", {"role": "member"}),
    ]
    latest = page[0]
    assert (latest["actor_id"], latest["actor_name"], latest["role"]) == (claire.id, "Claire Delattre", "administrator")
    assert (latest["about"], latest["service"]) == (zoe.id, "identity")
    assert f"identity.member_changed.v1 {zoe.id}" in latest["said"]
    assert latest["correlation_id"] == answer.headers["x-correlation-id"]
    assert "@" not in str(page)


async def test_what_fails_what_is_read_and_what_is_ones_own_is_no_act(cooperative: Cooperative, claire: Person) -> None:
    zoe = await cooperative.join(claire, "Zoé")
    before = len(await cooperative.events(ActRecorded))
    await claire.http.patch("me", json={"name": "Claire D."})
    await claire.http.get("members")
    form = {"name": "x", "scopes": ["booking:read"], "password": PASSWORD}
    assert (await claire.http.post("me/tokens", json=form)).status_code == 201
    assert (await claire.http.post(f"members/{claire.id}/leave")).status_code == 409
    assert (await claire.http.post("invitations", json={"email": zoe.email})).status_code == 409
    await zoe.http.post("circles", json={"name": "Couture"})
    assert len(await cooperative.events(ActRecorded)) == before


async def test_the_database_lets_the_service_add_and_read_and_nothing_else(
    cooperative: Cooperative, claire: Person, instance: Instance
) -> None:
    await cooperative.invite(claire, "zoe@opteos.example")
    await keep(cooperative)
    name = names.database(instance.name, "identity")
    settings = instance.settings()
    connection = await asyncpg.connect(
        host=settings.db_host, port=settings.db_port, database=name, user=name, password=settings.secret("db_identity")
    )
    try:
        for statement in (
            "UPDATE act SET what = 'nothing'", "DELETE FROM act", "TRUNCATE act", "DROP TABLE act",
            "ALTER TABLE act DISABLE TRIGGER ALL", "CREATE TABLE more (x int)", "SET ROLE postgres",
        ):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        assert await connection.fetchval("SELECT count(*) FROM act") == 1
    finally:
        await connection.close()


async def test_old_acts_are_forgotten_by_their_age_here_alone(cooperative: Cooperative, claire: Person) -> None:
    await cooperative.invite(claire, "zoe@opteos.example")
    await keep(cooperative)
    async with cooperative.db.transaction() as session:
        copy = sa.select(
            sa.literal(new_id(), sa.Uuid), act.c.at, act.c.service, act.c.actor_id, act.c.role, act.c.what, act.c.about,
            act.c.said, act.c.notes, act.c.correlation_id, sa.func.now() - timedelta(days=401),
        )  # fmt: skip
        columns = [column.name for column in act.columns]
        await session.execute(sa.insert(act).from_select(columns, copy))
        await clean(session, cooperative.now + timedelta(days=1000))
    assert await cooperative.count(act) == 1


async def test_acts_are_filtered_paged_and_exported_for_administrators(
    cooperative: Cooperative, claire: Person
) -> None:
    zoe = await cooperative.join(claire, "Zoé", role="coordinator")
    invited = [await cooperative.invite(zoe, f"n{number}@opteos.example") for number in range(3)]
    assert len(invited) == 3
    await keep(cooperative)
    await keep(cooperative)

    async def found(**query: Any) -> list[str]:
        answer = await claire.http.get("acts", params=query)
        assert answer.status_code == 200, answer.text
        return [one["actor_id"] for one in answer.json()["items"]]

    assert await found(actor=zoe.id) == [zoe.id] * 3
    assert await found(service="booking") == []
    assert await found(until=cooperative.now.replace(year=2020).isoformat()) == []
    assert len(await found(about=(await claire.http.get("invitations")).json()["items"][0]["id"])) == 1
    first = (await claire.http.get("acts", params={"limit": 3})).json()
    rest = (await claire.http.get("acts", params={"limit": 3, "cursor": first["next"]})).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (3, 1, None)
    file = await claire.http.get("acts.csv", params={"actor": zoe.id})
    assert file.headers["content-disposition"].startswith("attachment")
    assert len(list(csv.DictReader(file.text.lstrip("\ufeff").splitlines(), delimiter=";"))) == 3
    for path in ("acts", "acts.csv"):
        assert (await zoe.http.get(path)).status_code == 403
