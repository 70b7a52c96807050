"""Where the private servers keep their files, and whose they are.

A program that was started by root runs its servers as the system user `maillage`, in folders made for it outside the
checkout: the checkout may lie under a private home, and no right of an existing folder is ever changed.
"""

import atexit
import contextlib
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

CHECKOUT = Path(__file__).resolve().parents[2]
_ACCOUNT = "maillage"
_LEAVING = 60.0  # seconds in which the servers of a killed program surely end
_ROOTS_PLACE = Path("/var/lib/maillage")


@dataclass(frozen=True)
class Account:
    """The user that a server runs as."""

    uid: int
    gid: int


def account() -> Account:
    """The calling user, or the system user `maillage` (made on first use) when the caller is root."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(_ACCOUNT)
    except KeyError:
        useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin") or "useradd"
        subprocess.run(
            [useradd, "--system", "--user-group", "--home-dir", "/nonexistent", "--shell", "/bin/false", _ACCOUNT],
            check=True,
            capture_output=True,
        )
        entry = pwd.getpwnam(_ACCOUNT)
    return Account(entry.pw_uid, entry.pw_gid)


def own(path: Path, owner: Account) -> None:
    """Give one path to `owner`; nothing happens unless the caller is root."""
    if os.geteuid() == 0:
        os.chown(path, owner.uid, owner.gid)


def make_private(path: Path, owner: Account) -> Path:
    """Make the folder, readable by its owner alone.  Missing parents are made passable by everybody."""
    for missing in reversed([parent for parent in path.parents if not parent.exists()]):
        missing.mkdir(exist_ok=True)
        missing.chmod(0o755)
    path.mkdir(exist_ok=True)
    path.chmod(0o700)
    own(path, owner)
    return path


def write_private(path: Path, text: str, owner: Account) -> None:
    """Write a file that its owner alone can read, at no moment readable by others."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    own(path, owner)


def place() -> Path:
    """The folder of this checkout's servers: `.demo/` beside the code, or one under /var/lib when root calls."""
    if os.geteuid() != 0:
        return CHECKOUT / ".demo"
    return _ROOTS_PLACE / hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]


Lasting = Literal["postgres", "rabbitmq", "authority"]


def lasting(name: Lasting) -> Path:
    """Path of a folder that keeps its data between two starts; `remove_all` removes it."""
    return place() / name


def has_lasting() -> bool:
    """Whether there is data of an earlier start. Root's outlives a checkout that was deleted without `make clean`."""
    return any(lasting(name).exists() for name in get_args(Lasting))


def remove_lasting() -> None:
    """Remove it. Nothing of it may run."""
    for name in get_args(Lasting):
        remove(lasting(name))


def throwaway(name: str) -> Path:
    """A new, empty folder that goes when this program ends, if `remove` did not remove it before."""
    parent = "/var/tmp" if os.geteuid() == 0 else None  # noqa: S108 (TMPDIR of root may be closed to other users)
    _remove_orphans(Path(parent or tempfile.gettempdir()))
    path = Path(tempfile.mkdtemp(prefix=f"maillage-{name}-{os.getpid()}-", dir=parent))
    own(path, account())
    atexit.register(remove, path)
    return path


def _remove_orphans(parent: Path) -> None:
    """Remove the throw-away folders of programs that were killed; no process of their servers is left either."""
    for path in parent.glob("maillage-*-*-*"):
        pid = path.name.split("-")[2]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            with contextlib.suppress(FileNotFoundError):  # another program may be removing it too
                if time.time() - path.stat().st_mtime > _LEAVING:
                    remove(path)


def programs(name: str) -> Path:
    """Path for a copy of programs that the account must be able to run; shared by all checkouts of this machine."""
    return (_ROOTS_PLACE if os.geteuid() == 0 else CHECKOUT / ".local") / "programs" / name


def remove(path: Path) -> None:
    """Remove a folder of a stopped server, if it is there."""
    shutil.rmtree(path, ignore_errors=True)


def remove_all() -> None:
    """Remove what `lasting` folders of this checkout hold."""
    remove(place())
    remove(CHECKOUT / ".demo")
