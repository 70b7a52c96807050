"""`python -m tests.hammer`: rule 1 under fire, here and across two cooperatives; prints a report.

Ends with 1 where an instant has more than there is, something was refused although it was free, an acceptance is not
there afterwards, or two cooperatives disagree about a booking once they are connected again.
"""

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from services import provision
from tests.bench.stage import folder_of, servers_of
from tests.hammer import across
from tests.hammer.crowd import gathered
from tests.hammer.here import Report
from tests.instances import Instance, plan
from tests.servers import Servers

RESOURCES = (("an exclusive resource, cleaned for 30 minutes", 1, 30), ("seven of a kind, random quantities", 7, 0))


async def here(servers: Servers, options: argparse.Namespace, *, capacity: int, buffer_minutes: int) -> Report:
    """One resource of one cooperative."""
    with tempfile.TemporaryDirectory(prefix="maillage-hammer-") as folder:
        name = f"hammer-{secrets.token_hex(4)}"
        subscriptions = {"booking": provision.declared_subscriptions()["booking"]}
        wanted = plan(servers, name, Path(folder) / "secrets", subscriptions=subscriptions)
        await provision.provision(wanted)
        instance = Instance(name=name, secrets_dir=wanted.secrets_dir, servers=servers)
        async with gathered(instance, members=options.clients, replicas=options.replicas) as crowd:
            report = await crowd.hammer(
                options.rounds, capacity=capacity, buffer_minutes=buffer_minutes, seed=options.seed
            )
        await provision.remove(wanted)
        return report


@contextmanager
def running() -> Generator[Servers]:
    """Servers for this run alone."""
    with ExitStack() as stack:
        postgres, rabbit = LocalPostgres(folder_of(stack, "database")), LocalRabbit(folder_of(stack, "broker"))
        for server in (postgres, rabbit):
            stack.callback(server.stop)
            server.start()
        yield servers_of(postgres, rabbit)


def main() -> int:
    options = _parser().parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} over the last minute", flush=True)
    sound = True
    with running() as servers:
        for title, capacity, buffer in RESOURCES if options.rounds else ():
            began = time.monotonic()
            report = asyncio.run(here(servers, options, capacity=capacity, buffer_minutes=buffer))
            print(f"\n{title}: {options.clients} clients, {options.replicas} replicas", flush=True)
            sound &= _printed(report.lines(), sound=report.sound, since=began)
        if options.cuts:
            began = time.monotonic()
            print(f"\ntwo cooperatives, the link cut {options.cuts} times", flush=True)
            told = across.play(servers, cuts=options.cuts, people=options.people, seed=options.seed)
            sound &= _printed(told.lines(), sound=told.sound, since=began)
    return 0 if sound else 1


def _printed(lines: list[str], *, sound: bool, since: float) -> bool:
    for line in lines:
        print(line)
    print(f"{'sound' if sound else 'NOT SOUND'}, {time.monotonic() - since:.0f} s", flush=True)
    return sound


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.hammer", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="on each resource; 0: not (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=64, help="at once (default: %(default)s)")
    parser.add_argument("--replicas", type=int, default=2, help="of booking (default: %(default)s)")
    parser.add_argument("--cuts", type=int, default=12, help="of the link; 0: not (default: %(default)s)")
    parser.add_argument("--people", type=int, default=4, help="in each of the two cooperatives (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of all that is random (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
