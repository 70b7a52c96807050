"""`python -m tests.contracts.record`: keep a real message of every event type in `contracts/examples/`.

Runs two linked cooperatives, lets their people live every journey once, and writes the first message of each type.
Single-use secrets in links are replaced. An example that is there stays as it was recorded: what is said of its type
today, where that has more in it, is kept beside it in `today/`. Types that a run did not see keep what they have.
"""

import asyncio
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import aio_pika
import asyncpg

from contracts.registry import EVENTS
from deploy.local.instance import LocalInstance
from services.chassis import names
from tests import servers
from tests.contracts.test_examples import ways
from tests.journeys import conftest as journeys
from tests.journeys import test_main_job, test_matches, test_moving, test_sessions, test_use
from tests.journeys.conftest import Region

EXAMPLES = Path(__file__).resolve().parents[2] / "contracts" / "examples"
TODAY = EXAMPLES / "today"
_SECRET = re.compile(r"(/account/\w+/)[\w.~-]+")


async def _listen(instance: LocalInstance, queue: str) -> None:
    """Bind a queue to everything that is said inside `instance`."""
    channel = await _channel(instance)
    declared = await channel.declare_queue(queue, durable=True, arguments={"x-queue-type": "quorum"})
    await declared.bind(names.EVENTS, "#")
    await channel.close()


async def _channel(instance: LocalInstance) -> aio_pika.abc.AbstractChannel:
    where = instance.addresses
    url = f"amqp://{where.broker_admin_user}:{where.broker_admin_password}@{where.amqp_host}:{where.amqp_port}/{instance.name}"
    return await (await aio_pika.connect(url)).channel()


async def _heard(instance: LocalInstance, queue: str) -> dict[str, Any]:
    """The first message of each type that was said inside."""
    found: dict[str, Any] = {}
    channel = await _channel(instance)
    declared = await channel.declare_queue(queue, passive=True)
    while (message := await declared.get(fail=False, no_ack=True)) is not None:
        found.setdefault(str(message.headers["cloudEvents:type"]), json.loads(message.body))
    await channel.close()
    return found


async def _crossed(instance: LocalInstance) -> dict[str, Any]:
    """The first event of each type in the log of what was sent to the peer."""
    url = instance.addresses.admin_database_url.rsplit("/", 1)[0] + f"/{names.database(instance.name, 'federation')}"
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT content FROM sent_log ORDER BY seq")
    await connection.close()
    contents = [json.loads(row["content"]) for row in rows]
    return {one["type"]: one["data"] for one in reversed(contents)}


def _live(region: Region) -> None:
    """Every journey once, and what only accounts do."""
    for stories in (test_main_job, test_matches, test_moving, test_sessions, test_use):
        for name, journey in vars(stories).items():
            if name.startswith("test_"):
                journey(region)
    karim = region.lille.members["karim"]
    karim.post("identity/password-resets", {"email": karim.email})
    karim.post("identity/me/email", {"email": "karim.benali@opteos.example", "password": journeys.PASSWORD})
    token = {"name": "Agenda", "scopes": ["booking:read"], "password": journeys.PASSWORD}
    karim.post("identity/me/tokens", token)
    circle = karim.post("identity/circles", {"name": "Cercle bois", "purpose": "Partager un atelier"})
    karim.call("PUT", f"identity/circles/{circle['id']}/members/{karim.id}")


def _write(event_type: str, data: dict[str, Any]) -> None:
    """Keep `data` as the example of its type, or beside the one that is there."""
    EVENTS[event_type].model_validate(data)
    first = EXAMPLES / f"{event_type}.json"
    path = TODAY / first.name if first.exists() else first
    if first.exists() and ways(data) <= ways(json.loads(first.read_text(encoding="utf-8"))):
        return
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True)
    path.write_text(_SECRET.sub(r"\1SECRET", text) + "\n", encoding="utf-8")


def main() -> None:
    """Record, then write."""
    with (
        servers.running() as where,
        tempfile.TemporaryDirectory() as folder,
        journeys.two_linked(where, Path(folder), heard=lambda one: asyncio.run(_listen(one, "recorder"))) as region,
    ):
        _live(region)
        found: dict[str, Any] = {}
        for instance in region.instances.values():
            found |= asyncio.run(_crossed(instance)) | asyncio.run(_heard(instance, "recorder")) | found
    for event_type, data in found.items():
        _write(event_type, data)
    missing = sorted(kind for kind in EVENTS if not (EXAMPLES / f"{kind}.json").exists())
    print(f"{len(found)} recorded; without any example: {', '.join(missing) or 'none'}")


if __name__ == "__main__":
    main()
