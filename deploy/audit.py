"""`make audit`: what can be known of the pinned dependencies, and plainly what could not.

Three questions, each with a sentence of its own:

1. Is every requirement of every lock pinned to one version, with the hashes of its files? Read from the files; a lock
   that is not, fails.
2. Which have newer releases? pip asks the registry in use; told, fails nothing.
3. Which have known weaknesses? pip-audit asks PyPI itself, which tells the weaknesses of a version beside its files.
   Behind a mirror without that page, or offline, nothing can be looked up; that is said, and fails with `--strict`.
"""

import json
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.txt", "requirements-demo.txt", "requirements-test.txt")
KNOWN_TO_BE_WEAK = "jinja2==2.10"
TOOL = "pip-audit>=2.9,<3"
_HOME = ROOT / ".local" / "audit"
_SECONDS = 240
_REQUIREMENT = re.compile(r"^[A-Za-z0-9]", re.MULTILINE)
_LOCKED = re.compile(r"[\w.\[\]-]+==[^\s;]+( ;[^\\]*)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+")


def main(arguments: list[str]) -> int:
    """0: nothing known, or nothing could be looked up; 1: weaknesses, or no lock; 2: not looked up, with `--strict`."""
    loose = {lock: unlocked((ROOT / lock).read_text(encoding="utf-8")) for lock in LOCKS}
    for lock, names in loose.items():
        print(f"{lock}: {'NOT LOCKED: ' + ', '.join(names) if names else 'every requirement is pinned, with hashes'}")
    print(_newer())
    weak = _weaknesses(strict="--strict" in arguments)
    return 1 if any(loose.values()) else weak


def unlocked(lock: str) -> list[str]:
    """The first words of requirements in the text of a lock file that are not pinned to one version with hashes."""
    starts = [found.start() for found in _REQUIREMENT.finditer(lock)]
    return [lock[at:].split(maxsplit=1)[0] for at in starts if _LOCKED.match(lock, at) is None]


def _newer() -> str:
    """What pip hears of newer releases than those that are installed."""
    said = _run([str(ROOT / ".venv" / "bin" / "pip"), "list", "--outdated", "--format", "json"])
    try:
        found = [f"{one['name']} {one['version']} → {one['latest_version']}" for one in json.loads(said or "")]
    except (ValueError, KeyError):
        return "newer releases: NOT KNOWN, the registry in use did not answer in time"
    return f"newer releases: {', '.join(found) or 'none'}"


def _weaknesses(*, strict: bool) -> int:
    """The exit status that known weaknesses come to."""
    tool = _tool()
    found = {lock: _audited(tool, ROOT / lock) for lock in LOCKS} if tool and _is_told(tool) else {}
    looked_up = {one["name"]: one for report in found.values() for one in report if "vulns" in one}
    everything = {one["name"] for report in found.values() for one in report}
    weak = {name: one for name, one in sorted(looked_up.items()) if one["vulns"]}
    for name, one in weak.items():
        for weakness in one["vulns"]:
            fixed = ", ".join(weakness["fix_versions"]) or "none yet"
            print(f"{name} {one['version']}: {weakness['id']}, fixed in {fixed}")
    if weak:
        return 1
    if not looked_up:
        print(
            "NOT AUDITED for known weaknesses: the registry in use here does not tell those of versions, or does not"
            " answer. Run `make audit ARGS=--strict` where the public index can be reached, before a release."
        )
    elif missing := everything - looked_up.keys():
        print(f"{len(looked_up)} audited, nothing known; NOT AUDITED: {', '.join(sorted(missing))}")
    else:
        print(f"{len(looked_up)} audited, nothing known")
        return 0
    return 2 if strict else 0


def _tool() -> Path | None:
    """pip-audit in an environment of its own, so that it adds nothing to the locks; None when it cannot be had."""
    program = _HOME / "bin" / "pip-audit"
    if not program.exists():
        venv.create(_HOME, with_pip=True)
        install = [str(_HOME / "bin" / "pip"), "install", "--quiet", TOOL]
        if _run(install) is None or not program.exists():
            return None
    return program


def _is_told(tool: Path) -> bool:
    """Whether the registry tells what it must know: a version with old and famous weaknesses."""
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "requirements.txt"
        lock.write_text(f"{KNOWN_TO_BE_WEAK}\n", encoding="utf-8")
        return any(one.get("vulns") for one in _audited(tool, lock))


def _audited(tool: Path, lock: Path) -> list[dict[str, Any]]:
    """What is known of each dependency of a lock file; nothing when it could not be asked."""
    command = [str(tool), "-r", str(lock), "--no-deps", "--disable-pip", "--format", "json", "--timeout", "10"]
    said = _run(command)
    try:
        return list(json.loads(said or "")["dependencies"])
    except (ValueError, KeyError):
        return []


def _run(command: list[str]) -> str | None:
    """What it printed; None when it took too long or could not be started. Its exit status is not asked."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
