"""`python -m tests.bench`: how long changes take to show, and what two cooperatives weigh.

Prints figures and never judges them. Everything runs on this machine, on servers as `make demo` starts them (synced to
disk), one process for each cooperative.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import memory
from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from tests.bench import latency
from tests.bench.latency import Latencies
from tests.bench.stage import folder_of, servers_of
from tests.faults.cooperative import Coop, link, under_trial
from tests.instances import addresses, cooperatives
from tests.servers import Servers


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that runs. `pids`: the two servers."""

    lille: Coop
    namur: Coop
    servers: Servers
    pids: Sequence[int]


@contextmanager
def running() -> Generator[Stage]:
    """Two linked cooperatives on fresh servers."""
    with ExitStack() as stack:
        postgres, rabbit = LocalPostgres(folder_of(stack, "database")), LocalRabbit(folder_of(stack, "broker"))
        for server in (postgres, rabbit):
            stack.callback(server.stop)
            server.start()
        servers = servers_of(postgres, rabbit)
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maillage-bench-")))
        make = stack.enter_context(cooperatives(servers, place))
        lille, namur = (
            stack.enter_context(
                under_trial(
                    make(name, where=addresses(servers), MAILLAGE_LOG_LEVEL="warning"),
                    servers,
                    agent=True,
                    services=("all",),
                )
            )
            for name in ("lille", "namur")
        )
        link(lille, namur)
        pids = [pid for pid in (postgres.pid, rabbit.pid) if pid is not None]
        yield Stage(lille=lille, namur=namur, servers=servers, pids=pids)


def main() -> None:
    options = _parser().parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} over the last minute", flush=True)
    with running() as stage:
        _print_latencies(latency.measure(stage.lille, stage.namur, count=options.changes, every=options.every))
        if options.memory >= 0:
            time.sleep(options.memory)
            print(f"\nmemory {options.memory:.0f} s later")
            print(memory.report([*stage.pids, *stage.lille.pids, *stage.namur.pids]), flush=True)
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def _print_latencies(found: Latencies) -> None:
    print(f"\n{found.count} offers published in Lille, one every {found.every} s; milliseconds")
    print(f"{'':58}{'median':>8}{'p95':>8}{'longest':>9}")
    for title, values in found.rows():
        print(f"{title:58}{statistics.median(values):8.1f}{_p95(values):8.1f}{max(values):9.1f}", flush=True)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[max(0, round(len(values) * 0.95) - 1)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--changes", type=int, default=200, help="how many offers to publish (default: %(default)s)")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two of them (default: %(default)s)")
    parser.add_argument("--memory", type=float, default=60, help="seconds before weighing; -1: not (%(default)s)")
    return parser


if __name__ == "__main__":
    main()
