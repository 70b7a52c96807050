"""Two linked cooperatives for `tests.bench.federation`, each with processes of its own, as in production."""

import asyncio
import os
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import psutil

from contracts.border import BorderListingPublished
from services import provision_database
from services.chassis import names
from services.chassis.ids import new_id
from services.federation.sealed import Content, content_of
from services.federation.shareable import shared_listing
from tests.faults.cooperative import Coop, Person
from tests.instances import cooperatives
from tests.servers import Servers
from tests.services.federation.pair import listing

SERVICES = ("identity", "federation")
"""A border post, and who tells it who may ask."""
READY_SECONDS = 120.0
AT_ONCE = 5000


@dataclass(frozen=True, kw_only=True)
class Linked:
    """Lille speaks and Namur hears; `lille_link` and `namur_link` are the ids of their link at each."""

    lille: Coop
    namur: Coop
    lille_link: UUID
    namur_link: UUID

    def pids(self) -> dict[str, int]:
        """Of their border posts."""
        return {name: coop.pid or 0 for name, coop in (("Lille", self.lille), ("Namur", self.namur))}

    def memory(self) -> str:
        """What each border post holds now."""
        held = {name: psutil.Process(pid).memory_info().rss / 1e6 for name, pid in self.pids().items()}
        return ", ".join(f"{name} {megabytes:.0f} MB" for name, megabytes in held.items())

    def missing(self) -> int:
        """How many events of Lille have had no effect in Namur yet."""
        said = self.lille.value("federation", "SELECT seq FROM streams WHERE link_id = $1", self.lille_link)
        query = "SELECT applied_to FROM positions WHERE link_id = $1"
        return int(said - (self.namur.value("federation", query, self.namur_link) or 0))

    def speak(self, command: str) -> None:
        """`pause` or `resume` the link, as Namur's coordinator would."""
        self.namur.person(role="coordinator").post(f"federation/links/{self.namur_link}/{command}")

    def write(self, count: int) -> None:
        """Have Lille say `count` listings to Namur: into its log and outbox, as `services.federation.saying` does."""
        asyncio.run(_write(self.lille, self.lille_link, count))


@contextmanager
def linked(servers: Servers, folder: Path) -> Generator[Linked]:
    """Both, running and linked by invitation; ended with the block."""
    with ExitStack() as stack:
        make = stack.enter_context(cooperatives(servers, folder))
        lille, namur = (Coop(make(name), servers, SERVICES) for name in ("lille", "namur"))
        for coop in (lille, namur):
            stack.callback(coop.close)
            coop.start(agent=True)
        for coop in (lille, namur):
            _wait_ready(coop)
        invites, accepts = lille.person(role="coordinator"), namur.person(role="coordinator")
        accepts.post("federation/links", {"code": invites.post("federation/invitations")["code"]})
        asked = _until_link(invites, "to_confirm")
        invites.post(f"federation/links/{asked}/confirm")
        yield Linked(
            lille=lille,
            namur=namur,
            lille_link=_until_link(invites, "active"),
            namur_link=_until_link(accepts, "active"),
        )


def _wait_ready(coop: Coop) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if all(coop.http.get(coop.local.ready_url(service)).is_success for service in SERVICES):
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise TimeoutError(coop.log()[-3000:])


def _until_link(person: Person, status: str) -> UUID:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        for link in person.get("federation/links"):
            if link["status"] == status:
                return UUID(link["link_id"])
        time.sleep(0.2)
    raise TimeoutError(f"no link became {status}")


async def _write(coop: Coop, link_id: UUID, count: int) -> None:
    """In few large transactions: what fills the outbox is not measured."""
    database = names.database(coop.name, "federation")
    url = provision_database.in_database(coop.local.addresses.admin_database_url, database)
    connection: asyncpg.Connection = await asyncpg.connect(url)
    try:
        for start in range(0, count, AT_ONCE):
            async with connection.transaction():
                await _write_some(connection, link_id, min(AT_ONCE, count - start))
    finally:
        await connection.close()


async def _write_some(connection: asyncpg.Connection, link_id: UUID, count: int) -> None:
    now = datetime.now(UTC)
    (place,) = await connection.fetch(_TAKE_NUMBERS, link_id, count, now)
    made = [_content(link_id, place["peer_id"], place["epoch"], place["seq"] - n, now) for n in reversed(range(count))]
    texts = [(one, one.model_dump_json()) for one in made]
    await connection.copy_records_to_table(
        "sent_log",
        columns=["link_id", "epoch", "seq", "at", "content"],
        records=[(link_id, one.epoch, one.seq, now, text) for one, text in texts],
    )
    await connection.copy_records_to_table(
        "border_outbox",
        columns=["id", "link_id", "content"],
        records=[(one.id, link_id, text) for one, text in texts],
    )


_TAKE_NUMBERS = """
UPDATE streams SET seq = seq + $2, last_sent_at = $3 FROM links WHERE links.id = link_id AND link_id = $1
 RETURNING peer_id, streams.epoch, seq
"""
_FORM = shared_listing(listing(text="x" * 500))


def _content(link_id: UUID, peer_id: str, epoch: int, seq: int, now: datetime) -> Content:
    event = BorderListingPublished(listing=_FORM.model_copy(update={"id": UUID(bytes=os.urandom(16))}))
    return content_of(event, event_id=new_id(), audience=peer_id, stream=link_id, epoch=epoch, seq=seq, now=now)
