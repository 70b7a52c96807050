"""`python -m tests.bench.booking`: what the booking engine does, beside what PostgreSQL alone can.

Two replicas of booking, load from `wrk` with tokens and under all rules; only rows that are there afterwards count.
`pgbench` inserts into the same table, with its constraint and trigger, in the same run. Prints figures and never
judges them. PostgreSQL syncs every commit to disk, as by default.
"""

import argparse
import os

from tests.bench.booking import accepting, looking, repeating
from tests.bench.booking.stage import running


def main() -> None:
    options = _parser().parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} over the last minute", flush=True)
    with running() as stage:
        accepting.report(stage, seconds=options.seconds, rounds=options.rounds)
        repeating.report(stage, series=options.series)
        looking.report(stage, sizes=options.bookings, seconds=options.seconds)
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.booking", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="of each load (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=20, help="of the contended trial (default: %(default)s)")
    parser.add_argument("--series", type=int, default=20, help="of 104 dates each (default: %(default)s)")
    parser.add_argument(
        "--bookings",
        type=int,
        nargs="*",
        default=[10_000, 100_000, 1_000_000],
        help="in the table while availability is read (default: 10^4, 10^5, 10^6)",
    )
    return parser


if __name__ == "__main__":
    main()
