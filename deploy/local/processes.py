"""Start a server so that it ends with the program that started it, however that program ends."""

import atexit
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.local.folders import Account, own

HOST = "127.0.0.1"
_BELOW_EPHEMERAL = range(20000, 32000)  # the kernel gives ports above these to outgoing connections
_LEAVING = 15.0


class ServerFailed(RuntimeError):
    """A private server did not start; the text says in one line why."""


class PortInUse(ServerFailed):
    """Somebody else listens on a port that was asked for."""

    def __init__(self, port: int, purpose: str) -> None:
        """`purpose` names the server that wanted the port."""
        super().__init__(f"Port {port} of {HOST}, wanted for {purpose}, is in use by another program.")


class FolderInUse(ServerFailed):
    """A server already runs on these data."""

    def __init__(self, folder: Path, pid: int) -> None:
        """`pid` is the server that holds the folder."""
        super().__init__(f"The data in {folder} are in use by process {pid}: stop what started it first.")


def is_free(port: int) -> bool:
    """Whether a server could listen on the port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(wanted: int | None, purpose: str) -> int:
    """The port that was wanted, or a free one where none was.  Raises PortInUse."""
    if wanted is not None:
        if not is_free(wanted):
            raise PortInUse(wanted, purpose)
        return wanted
    candidates = random.sample(_BELOW_EPHEMERAL, 200)
    return next(port for port in candidates if is_free(port))


def refuse_second_server(record: Path) -> None:
    """Raise FolderInUse while the server noted in `record` still runs.

    One whose starter has just died is on its way out, so it gets some seconds.
    """
    deadline = time.monotonic() + _LEAVING
    while (pid := _living(record)) is not None:
        if time.monotonic() > deadline:
            raise FolderInUse(record.parent, pid)
        time.sleep(0.1)


def _living(record: Path) -> int | None:
    try:
        noted = json.loads(record.read_text(encoding="utf-8"))
        process = psutil.Process(noted["pid"])
        if process.create_time() != noted["created"] or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except (OSError, ValueError, KeyError, psutil.Error):
        return None
    return process.pid


@dataclass
class Daemon:
    """A server process in a session of its own, out of reach of the terminal's Ctrl-C, with a guard.

    The guard is a shell that waits on a pipe from this program. When the pipe closes without a word, this program is
    gone (perhaps by SIGKILL), and the guard ends the server.
    """

    command: Sequence[str]
    account: Account
    folder: Path
    """Working directory; `<name>.pid` and `<name>.log` are written into it."""
    name: str
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    stop_signal: signal.Signals = signal.SIGTERM
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _guard: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """What the server wrote to its standard output and error since its last start."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the server and its guard; does not wait for it to be ready.  Raises FolderInUse."""
        record = self.folder / f"{self.name}.pid"
        refuse_second_server(record)
        with self.log.open("wb") as log:
            own(self.log, self.account)
            self._process = self._spawn(self.command, stdin=subprocess.DEVNULL, output=log.fileno())
        guard = 'read -r _ || kill -"$1" "$2"'
        number = str(int(self.stop_signal))
        self._guard = self._spawn(
            ["/bin/sh", "-c", guard, "guard", number, str(self._process.pid)],
            stdin=subprocess.PIPE,
            output=subprocess.DEVNULL,
        )
        atexit.register(self.stop)
        created = psutil.Process(self._process.pid).create_time()
        record.write_text(json.dumps({"pid": self._process.pid, "created": created}), encoding="utf-8")

    def _spawn(self, command: Sequence[str], *, stdin: int, output: int) -> subprocess.Popen[bytes]:
        root = os.geteuid() == 0
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=dict(self.environment),
            stdin=stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,
            user=self.account.uid if root else None,
            group=self.account.gid if root else None,
            extra_groups=[] if root else None,
        )

    def stop(self, patience: float = 20.0) -> None:
        """End the server in an orderly way, by force after `patience` seconds."""
        self._end(self.stop_signal, patience)

    def tell_to_end(self) -> None:
        """Only say so: `wait` tells what becomes of it."""
        if self._process is not None:
            self._process.send_signal(self.stop_signal)

    def wait(self, patience: float) -> int | None:
        """The code with which the server ended by itself; None when it has not within `patience` seconds."""
        process = self._process
        if process is None:
            return None
        try:
            code = process.wait(patience)
        except subprocess.TimeoutExpired:
            return None
        atexit.unregister(self.stop)
        self._process = None
        self._dismiss_guard()
        return code

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        self._end(signal.SIGKILL, 5.0)

    def _end(self, number: signal.Signals, patience: float) -> None:
        atexit.unregister(self.stop)
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            process.send_signal(number)
            _, alive = psutil.wait_procs(family, timeout=patience)
            for left in alive:
                with contextlib.suppress(psutil.NoSuchProcess):
                    left.kill()
        process.wait()
        self._dismiss_guard()

    def _dismiss_guard(self) -> None:
        guard, self._guard = self._guard, None
        if guard is not None:
            with contextlib.suppress(BrokenPipeError):
                guard.communicate(b"dismissed\n")
