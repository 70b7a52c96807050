"""`python -m tests.bench.matching`: how good search and matching are, how fast at scale, how fresh, how heavy.

Prints figures and never judges them; `show` prints ten needs with their matches as people read them. One cooperative on
servers as `make demo` starts them.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.demo.api import wait_for
from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from services.chassis.database import Database
from services.matching import meaning
from services.matching.settings import MatchingSettings
from tests.bench import (
    matching_circles,
    matching_http,
    matching_parts,
    matching_quality,
    matching_recall,
    matching_scale,
    matching_show,
    matching_telling,
)
from tests.bench.matching_quality import Labelled
from tests.bench.stage import folder_of, servers_of
from tests.faults.cooperative import Coop
from tests.instances import Instance, addresses, cooperatives

_CIRCLES = 100_000
_OFFERS: Sequence[int] = (10_000, 100_000, 1_000_000)
_OFFERS_OF_RECALL: Sequence[int] = (30_000, 100_000)
"""Up to 20,000 all are compared anyway; a million take a quarter of an hour to make."""


_LARGE = {
    "shared_buffers": "1GB",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track_planning": "on",
}
"""Of PostgreSQL, for a million offers (deploy/README.md) and to be asked what it took. `make demo` gives it 32 MB."""


@contextmanager
def running(*services: str, settings: Mapping[str, str] | None = None) -> Generator[Coop]:
    """One cooperative on fresh servers, with only these services running (none: its databases alone).

    `settings`: of PostgreSQL, in place of those of `make demo`.
    """
    with ExitStack() as stack:
        postgres = LocalPostgres(folder_of(stack, "database"), settings=settings)
        rabbit = LocalRabbit(folder_of(stack, "broker"))
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
            wait_for("matching to be ready", lambda: matching_http.is_ready(coop), seconds=60)
        yield coop


def database(coop: Coop) -> Database:
    """Its database of matching, as the service sees it."""
    own = Instance(name=coop.name, secrets_dir=coop.local.secrets_dir, servers=coop.servers)
    return Database(
        own.settings().database_url("matching"),
        name="maillage bench",
        plan_cache_mode=MatchingSettings.plan_cache_mode,
    )


def main() -> None:
    options = _parser().parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} over the last minute", flush=True)
    sets = matching_quality.sets() if options.labelled is None else {"given": matching_quality.read(*options.labelled)}
    if "quality" in options.parts:
        if matching_quality.labelled() is None:
            print("No quality of the shared set: offers-fr.csv and needs-labelled.csv are not beside this tree.")
        _quality(sets)
    if "parts" in options.parts and (loaded := meaning.load()) is not None:
        matching_parts.print_parts(loaded, sets)
    if "telling" in options.parts and (loaded := meaning.load()) is not None:
        matching_telling.print_telling(loaded, sets)
    if "show" in options.parts and (found := matching_quality.labelled()) is not None:
        with running() as coop:
            asyncio.run(matching_show.show(database(coop), found))
    if "scale" in options.parts:
        with running("identity", "catalog", "matching", settings=_LARGE) as coop:
            asyncio.run(matching_scale.measure(coop, database(coop), options.offers or _OFFERS))
    if "recall" in options.parts:
        with running() as coop:
            asyncio.run(matching_recall.measure(coop, database(coop), options.offers or _OFFERS_OF_RECALL))
    if "circles" in options.parts:
        with running() as coop:
            wrong, held = asyncio.run(matching_circles.disagreements(database(coop), _CIRCLES))
        print(f"{_CIRCLES:,} random circles: {held:,} hold their point, {wrong} are judged otherwise than exactly")
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def _quality(sets: dict[str, Labelled]) -> None:
    """Each set through a database of its own, then all in one table."""
    together: dict[str, tuple[Labelled, matching_quality.Figures]] = {}
    for name, found in sets.items():
        print(f"\n== {name} ==")
        with running() as coop:
            shown = 10 if name == "shared" else 0
            together[name] = found, asyncio.run(matching_quality.measure(database(coop), found, shown=shown))
    matching_quality.print_together(together)


def _sizes(sizes: Sequence[int]) -> str:
    return ", ".join(f"{size:,}" for size in sizes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.matching", description=__doc__)
    choices = ["quality", "circles", "scale", "show", "parts", "telling", "recall"]
    parser.add_argument("parts", nargs="*", default=choices[:3], choices=choices)
    sizes = f"sizes of the index ({_sizes(_OFFERS)}; of recall {_sizes(_OFFERS_OF_RECALL)})"
    parser.add_argument("--offers", type=int, nargs="+", help=sizes)
    help_text = "quality and parts of this set instead of ours: CSV files like offers-fr.csv and needs-labelled.csv"
    parser.add_argument("--labelled", type=Path, nargs=2, metavar=("OFFERS", "NEEDS"), help=help_text)
    return parser


if __name__ == "__main__":
    main()
