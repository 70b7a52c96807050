"""Messages that nobody can handle: set aside with their reason, others not held up, shown and replayed by command."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from deploy.local.folders import CHECKOUT
from services import provision_broker
from services.chassis import names
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.chassis.process import Service
from services.matching import app as matching
from services.matching.settings import MatchingSettings
from services.provision_broker import Management
from tests.faults.said import Said, Speaker, published, speaking, withdrawn
from tests.instances import Instance, plan
from tests.services.chassis.trial import SHORT_DELAYS, until

pytestmark = pytest.mark.xdist_group("faults-messages")

REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the shelf is full'; END $$
"""
REFUSE_THE_CURSED = """
CREATE TRIGGER refuse BEFORE INSERT ON things FOR EACH ROW WHEN (NEW.title = 'Cursed') EXECUTE FUNCTION refuse()
"""


@pytest.fixture
async def speaker(instance: Instance) -> AsyncIterator[Speaker]:
    async with speaking(instance) as made:
        yield made


@pytest.fixture
async def service(instance: Instance) -> Service:
    """matching, with delays between its attempts that a test can wait for."""
    wanted = plan(instance.servers, instance.name, instance.secrets_dir)
    async with Management(wanted.admin_broker_url) as management:
        await provision_broker.apply(
            management, instance.name, wanted.subscriptions, wanted.broker_passwords(), SHORT_DELAYS
        )
    return matching.build(instance.settings(MatchingSettings))


async def titles(service: Service) -> list[str]:
    assert service.database is not None
    async with service.database.reading() as session:
        return sorted((await session.execute(sa.text("SELECT title FROM things WHERE NOT gone"))).scalars())


async def as_owner(instance: Instance, *statements: str) -> None:
    """Change matching's tables as the role that owns them."""
    owner = Database(instance.settings().owner_database_url("matching"))
    async with owner.engine.begin() as connection:
        for statement in statements:
            await connection.execute(sa.text(statement))
    await owner.close()


async def dead(instance: Instance, *arguments: str) -> str:
    """What `python -m services dead …` prints."""
    settings = instance.settings()
    environment = {
        "MAILLAGE_INSTANCE": instance.name,
        "MAILLAGE_SECRETS_DIR": str(instance.secrets_dir),
        "MAILLAGE_BROKER_HOST": settings.broker_host,
        "MAILLAGE_BROKER_PORT": str(settings.broker_port),
        "PATH": os.environ["PATH"],
    }
    command = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "services", "dead", *arguments],
        cwd=CHECKOUT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await command.communicate()
    assert command.returncode == 0, err.decode()
    return out.decode()


def titled(title: str) -> Said:
    return Said.of(published(new_id(), 1, title=title))


async def test_what_is_no_event_is_set_aside_with_its_reason_and_holds_up_nobody(
    instance: Instance, speaker: Speaker, service: Service
) -> None:
    undecodable, strange, invalid, bare = (titled("Poison").message() for _ in range(4))
    other = withdrawn(new_id(), 1).type
    poison = {
        "not a catalog.listing_published.v1": replace(undecodable, body=b"\xff\xfe\x00 not json"),
        f"an event of type {other}": replace(strange, headers={**strange.headers, "cloudEvents:type": other}),
        "Field required": replace(invalid, body=b'{"listing": {"id": "x"}}'),
        "the envelope has no attribute": replace(bare, headers={}),
    }
    async with instance.running(service):
        for message in poison.values():
            await speaker.send(message)
            await speaker.say(titled("Good"))
        await until(lambda: _holds(speaker, 4))
        await until(lambda: _has(service, 4))
    listed = await dead(instance, "show", "matching", "all")
    for reason in poison:
        assert reason in listed, f"{reason} is not in\n{listed}"
    assert await titles(service) == ["Good"] * 4


async def test_a_handler_that_always_fails_ends_in_the_dead_letters_and_has_its_effect_once_when_replayed(
    instance: Instance, speaker: Speaker, service: Service
) -> None:
    await as_owner(instance, REFUSE, REFUSE_THE_CURSED)
    cursed = titled("Cursed")
    async with instance.running(service):
        await speaker.say(cursed, titled("Before the end"))
        await until(lambda: _has(service, 1), 2)
        await until(lambda: _holds(speaker, 1), 30)
        await speaker.say(titled("After the end"))
        await until(lambda: _has(service, 2))
        line = await dead(instance, "list", "matching")
        assert str(cursed.envelope.id) in line
        assert "the shelf is full" in line
        assert names.queue("matching", cursed.envelope.type) in line
        assert await titles(service) == ["After the end", "Before the end"]
        await as_owner(instance, "DROP TRIGGER refuse ON things")
        assert "replayed" in await dead(instance, "replay", "matching", str(cursed.envelope.id))
        await until(lambda: _has(service, 3))
        await speaker.say(cursed)  # the same event once more, late
    assert await titles(service) == ["After the end", "Before the end", "Cursed"]
    assert await speaker.dead("matching") == 0
    assert "no dead letters" in await dead(instance, "list", "matching")


async def _holds(speaker: Speaker, count: int) -> bool:
    return await speaker.dead("matching") == count


async def _has(service: Service, count: int) -> bool:
    return len(await titles(service)) == count
