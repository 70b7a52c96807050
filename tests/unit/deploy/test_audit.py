"""The audit says what it found, and never that all is well when it could not look."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy import audit

WEAK = {"id": "PYSEC-1", "fix_versions": ["2.11"]}


def answers(known: dict[str, list[Any]], *, registry_tells: bool = True) -> Any:
    """A pip-audit that knows `known` weaknesses by name, and skips what the registry does not tell of."""

    def run(command: list[str]) -> str:
        lock = Path(command[command.index("-r") + 1])
        canary = lock.parent != audit.ROOT
        names = ["jinja2"] if canary else ["jinja2", "httpx"]
        skipped = [{"name": name, "skip_reason": "not found"} for name in names]
        told = {"jinja2": [WEAK]} if canary else known
        looked_up = [{"name": name, "version": "1", "vulns": told.get(name, [])} for name in names]
        return json.dumps({"dependencies": looked_up if registry_tells else skipped})

    return run


def _nothing(_command: list[str]) -> None:
    """No answer in time."""


@pytest.fixture(autouse=True)
def _no_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_tool", lambda: Path("pip-audit"))
    monkeypatch.setattr(audit, "_newer", lambda: "newer releases: none")


def test_nothing_known_is_said_and_passes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(audit, "_run", answers({}))
    assert audit.main(["--strict"]) == 0
    assert capsys.readouterr().out.endswith("2 audited, nothing known\n")


def test_a_weakness_fails_and_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(audit, "_run", answers({"httpx": [WEAK]}))
    assert audit.main([]) == 1
    assert "httpx 1: PYSEC-1, fixed in 2.11" in capsys.readouterr().out


@pytest.mark.parametrize("silent", ["registry", "tool", "offline"])
def test_what_was_not_looked_up_is_said_and_fails_only_when_it_must(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], silent: str
) -> None:
    monkeypatch.setattr(audit, "_run", answers({}, registry_tells=False) if silent == "registry" else _nothing)
    if silent == "tool":
        monkeypatch.setattr(audit, "_tool", lambda: None)
    assert (audit.main([]), audit.main(["--strict"])) == (0, 2)
    assert "NOT AUDITED" in capsys.readouterr().out


def test_every_lock_of_the_project_is_pinned_with_hashes() -> None:
    for lock in audit.LOCKS:
        text = (audit.ROOT / lock).read_text(encoding="utf-8")
        assert text.count("==") > 50
        assert audit.unlocked(text) == []


@pytest.mark.parametrize(
    "loose",
    [
        "httpx>=0.28\n",
        "httpx==0.28.1\n",
        "httpx==0.28.1 \\\n    --hash=md5:abc\n",
        "httpx @ https://example.org/httpx.whl\n",
        "httpx==0.28.1 ; python_version > '3' \\\n    # via maillage\n",
    ],
)
def test_a_requirement_without_version_or_hash_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, loose: str
) -> None:
    kept = (audit.ROOT / audit.LOCKS[0]).read_text(encoding="utf-8")
    assert len(audit.unlocked(kept + loose)) == len(audit.unlocked(loose + kept)) == 1
    for lock in audit.LOCKS:
        (tmp_path / lock).write_text(kept + loose, encoding="utf-8")
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    monkeypatch.setattr(audit, "_run", _nothing)
    assert audit.main([]) == 1
    assert "NOT LOCKED: httpx" in capsys.readouterr().out
