"""`python -m tests.bench.matching`: how good search and matching are, how fast at scale, how fresh, how heavy.

Prints figures and never judges them; `show` prints ten needs with their matches as people read them. One cooperative on
servers as `make demo` starts them.
"""

import argparse
import asyncio
import contextlib
import os
import tempfile
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from deploy.demo.api import wait_for
from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from services.chassis.database import Database
from services.matching import meaning
from tests.bench import (
    matching_circles,
    matching_parts,
    matching_quality,
    matching_recall,
    matching_scale,
    matching_show,
)
from tests.bench.stage import folder_of, servers_of
from tests.faults.cooperative import Coop
from tests.instances import Instance, addresses, cooperatives

_CIRCLES = 100_000


@contextmanager
def running(*services: str) -> Generator[Coop]:
    """One cooperative on fresh servers, with only these services running (none: its databases alone)."""
    with ExitStack() as stack:
        postgres, rabbit = LocalPostgres(folder_of(stack, "database")), LocalRabbit(folder_of(stack, "broker"))
        for server in (postgres, rabbit):
            stack.callback(server.stop)
            server.start()
        servers = servers_of(postgres, rabbit)
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maillage-bench-")))
        make = stack.enter_context(cooperatives(servers, place))
        coop = Coop(make("lille", where=addresses(servers), MAILLAGE_LOG_LEVEL="warning"), servers, services)
        stack.callback(coop.close)
        if services:
            coop.start()
            wait_for("matching to be ready", lambda: _is_ready(coop), seconds=60)
        yield coop


def _is_ready(coop: Coop) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return coop.http.get(coop.local.ready_url("matching")).is_success
    return False


def database(coop: Coop) -> Database:
    """Its database of matching, as the service sees it."""
    own = Instance(name=coop.name, secrets_dir=coop.local.secrets_dir, servers=coop.servers)
    return Database(own.settings().database_url("matching"), name="maillage bench")


def main() -> None:
    options = _parser().parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} over the last minute", flush=True)
    if "quality" in options.parts:
        if matching_quality.labelled() is None:
            print("No quality of the shared set: offers-fr.csv and needs-labelled.csv are not beside this tree.")
        for name, found in matching_quality.sets().items():
            print(f"\n== {name} ==")
            with running() as coop:
                asyncio.run(matching_quality.measure(database(coop), found, shown=10 if name == "shared" else 0))
    if "parts" in options.parts and (loaded := meaning.load()) is not None:
        matching_parts.print_parts(loaded, matching_quality.sets())
    if "show" in options.parts and (found := matching_quality.labelled()) is not None:
        with running() as coop:
            asyncio.run(matching_show.show(database(coop), found))
    if "scale" in options.parts:
        with running("identity", "catalog", "matching") as coop:
            asyncio.run(matching_scale.measure(coop, database(coop), options.offers))
    if "recall" in options.parts:
        with running() as coop:
            asyncio.run(matching_recall.measure(coop, database(coop), options.offers[:2]))
    if "circles" in options.parts:
        with running() as coop:
            wrong, held = asyncio.run(matching_circles.disagreements(database(coop), _CIRCLES))
        print(f"{_CIRCLES:,} random circles: {held:,} hold their point, {wrong} are judged otherwise than exactly")
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.matching", description=__doc__)
    choices = ["quality", "circles", "scale", "show", "parts", "recall"]
    parser.add_argument("parts", nargs="*", default=choices[:3], choices=choices)
    sizes: Sequence[int] = (10_000, 100_000, 1_000_000)
    parser.add_argument("--offers", type=int, nargs="+", default=sizes, help="sizes of the index (%(default)s)")
    return parser


if __name__ == "__main__":
    main()
