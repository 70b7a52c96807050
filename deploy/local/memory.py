"""How much memory process trees really take: proportional set size, shared pages counted once."""

import contextlib

import psutil

MEGABYTE = 1_000_000


def report(roots: list[int]) -> str:
    """A table of the PSS, in MB of 10^6 bytes, of every process below `roots` (themselves included), and the sum."""
    rows: dict[int, tuple[float, str]] = {}
    for root in roots:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    rows[process.pid] = (process.memory_full_info().pss / MEGABYTE, _title(process))
    groups: dict[str, list[float]] = {}
    for size, title in rows.values():
        groups.setdefault(title, []).append(size)
    lines = [f"{sum(sizes):8.1f} MB  {len(sizes):3} × {title}" for title, sizes in sorted(groups.items())]
    return "\n".join([*lines, f"{sum(size for size, _ in rows.values()):8.1f} MB  in all ({len(rows)} processes, PSS)"])


def _title(process: psutil.Process) -> str:
    command = process.cmdline()
    if "services" in command:
        return f"services {command[-1]}"
    return process.name()
