"""How much memory process trees really take: proportional set size, shared pages counted once."""

import contextlib
import os
import subprocess

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
                    rows[process.pid] = (_pss(process) / MEGABYTE, _title(process))
    groups: dict[str, list[float]] = {}
    for size, title in rows.values():
        groups.setdefault(title, []).append(size)
    lines = [f"{sum(sizes):8.1f} MB  {len(sizes):3} × {title}" for title, sizes in sorted(groups.items())]
    return "\n".join([*lines, f"{sum(size for size, _ in rows.values()):8.1f} MB  in all ({len(rows)} processes, PSS)"])


def _pss(process: psutil.Process) -> int:
    """Bytes.  In a container even root may be refused the maps of another user's process: that user may read them."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.AccessDenied:
        if os.geteuid() != 0:
            raise
    answer = subprocess.run(
        ["/usr/bin/grep", "^Pss:", f"/proc/{process.pid}/smaps_rollup"],
        check=False,
        capture_output=True,
        text=True,
        user=process.uids().real,
        group=process.gids().real,
        extra_groups=[],
    )
    if answer.returncode != 0:
        raise psutil.NoSuchProcess(process.pid)
    return int(answer.stdout.split()[1]) * 1024


def _title(process: psutil.Process) -> str:
    command = process.cmdline()
    if "services" in command:
        return f"services {command[-1]}"
    return process.name()
