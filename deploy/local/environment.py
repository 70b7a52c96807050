"""Make the project's virtual environment from a lock file.  Standard library only: it runs before anything is there.

    python3 -m deploy.local.environment requirements-demo.txt

Downloads and installation are two steps, so that the time of each can be told.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.local import packages
from deploy.local.folders import CHECKOUT

VENV = CHECKOUT / ".venv"
_CONTAINED_IN = {"requirements-demo.txt": ("requirements-test.txt",)}


def main(lock_name: str) -> None:
    """Bring `.venv` to the state of the lock file; ends at once where it already is."""
    if any(_stamp(name).exists() for name in (lock_name, *_CONTAINED_IN.get(lock_name, ()))):
        return
    if not _works(VENV):
        _create()
    _install(CHECKOUT / lock_name)
    _stamp(lock_name).touch()


def _stamp(lock_name: str) -> Path:
    """A file that is there when the environment holds what this lock, as it is now, names for this Python."""
    state = hashlib.sha256((CHECKOUT / lock_name).read_bytes() + sys.version.encode()).hexdigest()
    return VENV / f"{lock_name}.{state[:16]}.installed"


def _works(venv: Path) -> bool:
    """Whether the environment has a pip and a Python of the version that runs this."""
    python = venv / "bin" / "python"
    question = "import pip, sys; print(sys.version)"
    if not python.exists():
        return False
    answer = subprocess.run([python, "-c", question], check=False, capture_output=True, text=True)
    return answer.stdout.strip() == sys.version.strip()


def _create() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    if importlib.util.find_spec("ensurepip") is None:  # Debian ships it apart from Python
        packages.install(f"python3.{sys.version_info.minor}-venv")
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)


def _install(lock: Path) -> None:
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    with tempfile.TemporaryDirectory(prefix="maillage-wheels-") as wheels:
        began = time.monotonic()
        # The lock names every library with its hash, so there is nothing to resolve.
        chosen = ["--require-hashes", "--no-deps", "-r", str(lock)]
        subprocess.run([*pip, "download", "--dest", wheels, *chosen], check=True)
        print(f"downloads: {time.monotonic() - began:.0f} s ({lock.name})", file=sys.stderr, flush=True)
        began = time.monotonic()
        subprocess.run([*pip, "install", "--no-index", "--find-links", wheels, *chosen], check=True)
        print(f"installed {lock.name} in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except packages.PackageMissing as missing:
        sys.exit(str(missing))
    except subprocess.CalledProcessError as failed:
        sys.exit(f"The virtual environment could not be made: {' '.join(map(str, failed.cmd))} failed.")
