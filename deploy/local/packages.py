"""System packages that PyPI does not have: the RabbitMQ server and Chromium.  Standard library only."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

LOCK_PATIENCE = 300.0
"""Seconds to wait for another apt to finish."""

_POLICY = Path("/usr/sbin/policy-rc.d")
_LOCKED = ("Could not get lock", "Unable to lock", "Unable to acquire")


class PackageMissing(RuntimeError):
    """The package is absent and cannot be installed from here; the text says what a person has to install."""


@dataclass(frozen=True)
class Package:
    """A package of Debian and its relatives, and the files of which one shows that it is there."""

    name: str
    programs: tuple[str, ...]

    def find(self) -> Path | None:
        """Path of the first of `programs` that exists, looked up by name on PATH or as an absolute path."""
        found = (shutil.which(program) for program in self.programs)
        return next((Path(path) for path in found if path), None)


RABBITMQ = Package("rabbitmq-server", ("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server"))
CHROMIUM = Package("chromium", ("chromium", "chromium-browser", "google-chrome"))
WRK = Package("wrk", ("wrk",))
FAKETIME = Package("faketime", ("faketime",))
VENV = Package("python3-venv", ())


def ensure(package: Package) -> Path:
    """Path of the package's program, after installing the package where it is missing.

    Raises PackageMissing, in one sentence, where there is no apt, no right to use it, or no such package.
    """
    if found := package.find():
        return found
    install(package.name)
    if found := package.find():
        return found
    raise PackageMissing(f"The package {package.name} was installed, but none of {package.programs} is there.")


def install(name: str) -> None:
    """Install one package without starting any daemon that it brings.  Raises PackageMissing."""
    as_root = _as_root(name)
    print(f"installing the system package {name}", file=sys.stderr, flush=True)
    began = time.monotonic()
    if _apt(as_root, "install", "--download-only", name).returncode != 0:
        _apt(as_root, "update")
        _succeed(name, _apt(as_root, "install", "--download-only", name))
    print(f"downloads: {time.monotonic() - began:.0f} s ({name})", file=sys.stderr, flush=True)
    with _daemons_stay_down(as_root):
        _succeed(name, _apt(as_root, "install", "--no-download", name))
        if Path("/run/systemd/system").exists():
            subprocess.run([*as_root, "systemctl", "disable", "--quiet", name], check=False, capture_output=True)


def _as_root(name: str) -> list[str]:
    """The prefix that runs a command as root: nothing, or sudo, which may ask for a password only at a terminal."""
    if shutil.which("apt-get") is None:
        raise PackageMissing(f"Please install {name} with this system's package manager (there is no apt-get here).")
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        raise PackageMissing(f"Please install {name} as root: apt-get install {name} (there is no sudo here).")
    prefix = [sudo] if sys.stdin.isatty() else [sudo, "-n"]
    if subprocess.run([*prefix, "true"], check=False).returncode != 0:
        raise PackageMissing(f"Please install {name} as root: sudo apt-get install {name} (sudo refused).")
    return prefix


def _apt(as_root: Sequence[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        *as_root,
        *("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"),
        *("apt-get", "-q", "-y", "-o", f"DPkg::Lock::Timeout={LOCK_PATIENCE:.0f}", "--no-install-recommends"),
        *arguments,
    ]
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        done = subprocess.run(
            command, check=False, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        # The lock of the package lists and of the archive folder is not covered by DPkg::Lock::Timeout.
        if done.returncode == 0 or time.monotonic() > deadline or not any(line in done.stdout for line in _LOCKED):
            return done
        time.sleep(2)


def _succeed(name: str, done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode == 0:
        return
    errors = [line for line in done.stdout.splitlines() if line.startswith("E:")]
    reason = errors[0].removeprefix("E: ") if errors else f"apt-get ended with {done.returncode}"
    raise PackageMissing(f"Please install {name}: apt-get could not ({reason.rstrip('.')}).")


@contextlib.contextmanager
def _daemons_stay_down(as_root: Sequence[str]) -> Generator[None]:
    """Forbid package scripts to start services, as Debian's policy-rc.d foresees; leave an existing policy alone."""
    if _POLICY.exists():
        yield
        return
    script = f"printf '#!/bin/sh\\nexit 101\\n' >{_POLICY} && chmod 755 {_POLICY}"
    subprocess.run([*as_root, "sh", "-c", script], check=True)
    try:
        yield
    finally:
        subprocess.run([*as_root, "rm", "-f", str(_POLICY)], check=True)
