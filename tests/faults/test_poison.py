"""Messages that nobody can handle: set aside with their reason, others not held up, shown and replayed by command."""

import asyncio
import os
import sys
from dataclasses import replace

import pytest
import sqlalchemy as sa

from deploy.local.folders import CHECKOUT
from services.chassis import names
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.chassis.process import Service
from services.matching import app as matching
from services.matching.settings import MatchingSettings
from tests.faults.ledger import Ledger
from tests.faults.said import Said, Speaker, published, withdrawn
from tests.instances import Instance
from tests.services.chassis.trial import until

pytestmark = [pytest.mark.xdist_group("faults-messages"), pytest.mark.timeout(240)]

REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the shelf is full'; END $$
"""
REFUSE_THE_CURSED = """
CREATE TRIGGER refuse BEFORE INSERT ON things FOR EACH ROW WHEN (NEW.title = 'Cursed') EXECUTE FUNCTION refuse()
"""


@pytest.fixture
def service(post_office: Instance) -> Service:
    return matching.build(post_office.settings(MatchingSettings))


async def titles(service: Service, shelf: str) -> list[str]:
    """What matching shows of what a test has said."""
    assert service.database is not None
    query = "SELECT title FROM things WHERE category = :shelf AND NOT gone"
    async with service.database.reading() as session:
        return sorted((await session.execute(sa.text(query), {"shelf": shelf})).scalars())


async def as_owner(post_office: Instance, *statements: str) -> None:
    """Change matching's tables as the role that owns them."""
    owner = Database(post_office.settings().owner_database_url("matching"))
    async with owner.engine.begin() as connection:
        for statement in statements:
            await connection.execute(sa.text(statement))
    await owner.close()


async def dead(post_office: Instance, *arguments: str) -> str:
    """What `python -m services dead …` prints."""
    settings = post_office.settings()
    environment = {
        "MAILLAGE_INSTANCE": post_office.name,
        "MAILLAGE_SECRETS_DIR": str(post_office.secrets_dir),
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


def titled(title: str, shelf: str) -> Said:
    return Said.of(published(new_id(), 1, title=title, category=shelf))


async def test_what_is_no_event_is_set_aside_with_its_reason_and_holds_up_nobody(
    post_office: Instance, speaker: Speaker, service: Service, ledger: Ledger
) -> None:
    undecodable, strange, invalid, bare = (titled("Poison", "unreadable").message() for _ in range(4))
    other = withdrawn(new_id(), 1).type
    poison = {
        "not a catalog.listing_published.v1": replace(undecodable, body=b"\xff\xfe\x00 not json"),
        f"an event of type {other}": replace(strange, headers={**strange.headers, "cloudEvents:type": other}),
        "Field required": replace(invalid, body=b'{"listing": {"id": "x"}}'),
        "the envelope has no attribute": replace(bare, headers={}),
    }
    async with post_office.running(service):
        for message in poison.values():
            await speaker.send(message)
            await speaker.say(titled("Good", "unreadable"))
        await until(lambda: _holds(speaker, 4), 60)
        await until(lambda: _has(service, "unreadable", 4))
    listed = await dead(post_office, "show", "matching", "all")
    for reason in poison:
        assert reason in listed, f"{reason} is not in\n{listed}"
    assert await titles(service, "unreadable") == ["Good"] * 4
    ledger.note("malformed messages", load="4 among 8", in_flight=8, lost=0, doubled=0, heal=None)
    assert "dropped" in await dead(post_office, "drop", "matching", "all")


async def test_a_handler_that_always_fails_ends_in_the_dead_letters_and_has_its_effect_once_when_replayed(
    post_office: Instance, speaker: Speaker, service: Service, ledger: Ledger
) -> None:
    await as_owner(post_office, REFUSE, REFUSE_THE_CURSED)
    cursed = titled("Cursed", "failing")
    async with post_office.running(service):
        await speaker.say(cursed, titled("Before the end", "failing"))
        await until(lambda: _has(service, "failing", 1), 60)
        await until(lambda: _holds(speaker, 1), 60)
        await speaker.say(titled("After the end", "failing"))
        await until(lambda: _has(service, "failing", 2))
        line = await dead(post_office, "list", "matching")
        assert str(cursed.envelope.id) in line
        assert "the shelf is full" in line
        assert names.queue("matching", cursed.envelope.type) in line
        assert await titles(service, "failing") == ["After the end", "Before the end"]
        await as_owner(post_office, "DROP TRIGGER refuse ON things")
        assert "replayed" in await dead(post_office, "replay", "matching", str(cursed.envelope.id))
        await until(lambda: _has(service, "failing", 3))
        await speaker.say(cursed)  # the same event once more, late
    assert await titles(service, "failing") == ["After the end", "Before the end", "Cursed"]
    assert await speaker.dead("matching") == 0
    assert "no dead letters" in await dead(post_office, "list", "matching")
    ledger.note("poison message, replayed", load="1 among 3", in_flight=3, lost=0, doubled=0, heal=None)


async def test_coordinators_see_what_was_set_aside_without_what_it_says_and_decide_what_becomes_of_it(
    post_office: Instance, speaker: Speaker, service: Service
) -> None:
    secret = "marie@maillage.example"
    await as_owner(post_office, REFUSE.replace("refuse()", "refuse_named()").replace("'the", f"'{secret}: the"))
    await as_owner(post_office, REFUSE_THE_CURSED.replace("refuse()", "refuse_named()"))
    cursed, dropped = titled("Cursed", "seen"), titled("Cursed", "seen")
    async with (
        post_office.running(service),
        post_office.client(service, post_office.token(role="coordinator")) as coordinator,
        post_office.client(service, post_office.token()) as member,
    ):
        await speaker.say(cursed, dropped)
        await until(lambda: _holds(speaker, 2), 60)
        answer = await coordinator.get("/dead-letters")
        listed = {one["id"]: one for one in answer.json()["items"]}
        assert listed.keys() == {str(cursed.envelope.id), str(dropped.envelope.id)}
        assert listed[str(cursed.envelope.id)]["attempts"] == len(names.RETRY_DELAYS)
        assert "the shelf is full" in listed[str(cursed.envelope.id)]["error"]
        assert secret not in answer.text
        assert "Cursed" not in answer.text, "what a letter says stays inside"
        for method, path in (("GET", ""), ("POST", "/all/replay"), ("POST", f"/{cursed.envelope.id}/drop")):
            assert (await member.request(method, f"/dead-letters{path}")).status_code == 403
        assert (await coordinator.post("/dead-letters/all/drop")).status_code == 404
        assert (await coordinator.post(f"/dead-letters/{new_id()}/replay")).status_code == 404
        assert (await coordinator.post(f"/dead-letters/{dropped.envelope.id}/drop")).status_code == 204
        await as_owner(post_office, "DROP TRIGGER refuse ON things")
        assert (await coordinator.post(f"/dead-letters/{cursed.envelope.id}/replay")).status_code == 204
        await until(lambda: _has(service, "seen", 1))
        assert (await coordinator.get("/dead-letters")).json() == {"items": [], "more": False}
    assert await titles(service, "seen") == ["Cursed"]


async def _holds(speaker: Speaker, count: int) -> bool:
    return await speaker.dead("matching") == count


async def _has(service: Service, shelf: str, count: int) -> bool:
    return len(await titles(service, shelf)) == count
