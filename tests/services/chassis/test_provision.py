"""Provisioning against real servers: twice without harm, least rights, copies from a template."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services import provision
from services.chassis import names
from services.chassis.management import Management
from services.chassis.settings import ServiceSettings
from services.provision_database import agent_role
from tests.servers import Servers
from tests.services.chassis.trial import Probed, Trial, make_trial, until


async def run_as(plan: provision.Plan, role: str, secret: str, service: str, statement: str) -> list[Any]:
    """Run `statement` in the database of `service` as `role`."""
    address = asyncpg.connect(
        plan.admin_database_url,
        user=role,
        password=plan.secret(secret),
        database=names.database(plan.instance, service),
    )
    connection = await address
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


async def as_service(plan: provision.Plan, service: str, statement: str, *, database: str | None = None) -> list[Any]:
    return await run_as(plan, names.database(plan.instance, service), f"db_{service}", database or service, statement)


async def test_provisioning_again_changes_nothing_and_loses_nothing(trial: Trial) -> None:
    trial.count_effects()
    async with trial.relaying():
        await trial.say("kept")
        await until(lambda: _is_sent(trial))
    await provision.provision(trial.plan)
    async with trial.listening():
        await until(lambda: _has_effect(trial))
        await provision.provision(trial.plan)
        async with trial.relaying():
            await trial.say("while running")
            await until(lambda: _has_both(trial))


async def test_a_runtime_role_writes_rows_and_nothing_else(trial: Trial) -> None:
    await as_service(trial.plan, "booking", "INSERT INTO effects VALUES ('mine')")
    for refused in (
        "CREATE TABLE more (x int)",
        "DROP TABLE effects",
        "ALTER TABLE effects ADD y int",
        "TRUNCATE effects",
        "CREATE SCHEMA s",
        "CREATE TEMP TABLE t (x int)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_service(trial.plan, "booking", refused)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_service(trial.plan, "booking", "SELECT 1", database="notify")


@pytest.fixture
async def copy(trial: Trial, tmp_path: Path) -> AsyncGenerator[provision.Plan]:
    await trial.booking.close()
    await trial.notify.close()
    plan = replace(trial.plan, instance=f"{trial.plan.instance}-copy")
    await provision.provision_from_template(plan, trial.plan.instance)
    yield plan
    await provision.remove(plan)


async def test_a_copy_of_a_template_has_its_tables_and_the_same_rights_for_its_own_roles(
    trial: Trial, copy: provision.Plan
) -> None:
    await as_service(copy, "booking", "INSERT INTO effects VALUES ('copied')")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_service(copy, "booking", "DROP TABLE effects")
    owner = names.owner_role(copy.instance, "booking")
    await run_as(copy, owner, "db_booking_owner", "booking", "CREATE TABLE later (x int)")
    await as_service(copy, "booking", "INSERT INTO later VALUES (1)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run_as(copy, names.database(trial.plan.instance, "booking"), "db_booking", "booking", "SELECT 1")


async def test_the_broker_agent_connects_to_the_federation_s_database_alone(servers: Servers, tmp_path: Path) -> None:
    async with make_trial(servers, tmp_path / "secrets", services=("booking", "federation")) as trial:
        agent = agent_role(trial.plan.instance)
        assert await run_as(trial.plan, agent, "db_broker_agent", "federation", "SELECT 1")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await run_as(trial.plan, agent, "db_broker_agent", "federation", "SELECT * FROM effects")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await run_as(trial.plan, agent, "db_broker_agent", "booking", "SELECT 1")


async def test_a_type_no_longer_listened_to_is_unbound_and_its_messages_kept(trial: Trial) -> None:
    async with trial.relaying():
        await trial.say("old")
        await until(lambda: _is_sent(trial))
        await provision.provision(replace(trial.plan, subscriptions={"booking": [], "notify": []}))
        await trial.say("new")
        await until(lambda: _is_sent(trial))
    assert await trial.waiting(names.queue("notify", Probed.type)) == 1


async def test_removing_an_instance_leaves_its_neighbours_alone(trial: Trial, copy: provision.Plan) -> None:
    await provision.remove(copy)
    async with Management(trial.plan.admin_broker_url) as management:
        users = {user["name"] for user in await management.call("GET", "users")}
        vhosts = {vhost["name"] for vhost in await management.call("GET", "vhosts")}
    assert not {name for name in users | vhosts if name.startswith(copy.instance)}
    assert {trial.plan.instance, f"{trial.plan.instance}.border"} <= vhosts
    assert f"{trial.plan.instance}.booking" in users


@pytest.mark.parametrize("away", [0, 5])
async def test_a_deleted_queue_stops_no_service_for_good(trial: Trial, away: float) -> None:
    trial.count_effects()
    queue = names.queue("notify", Probed.type)
    async with trial.listening(), trial.relaying():
        async with Management(trial.plan.admin_broker_url) as management:
            await management.call("DELETE", "queues", trial.plan.instance, queue)
        await asyncio.sleep(away)
        await provision.provision(trial.plan)
        await trial.say("after")
        await until(lambda: _has_effect(trial), seconds=60)


def test_settings_of_the_command_are_read_from_the_environment(tmp_path: Path) -> None:
    for name in ("admin_database_url", "admin_broker_url"):
        (tmp_path / name).write_text("x://y\n")
    plan = provision.Plan.from_settings(ServiceSettings(instance="lille", secrets_dir=tmp_path))
    assert plan.admin_database_url == "x://y"
    assert set(plan.subscriptions) == set(names.SERVICES)


async def _is_sent(trial: Trial) -> bool:
    return await trial.unsent() == 0


async def _has_effect(trial: Trial) -> bool:
    return len(await trial.effects()) == 1


async def _has_both(trial: Trial) -> bool:
    return len(await trial.effects()) == 2
