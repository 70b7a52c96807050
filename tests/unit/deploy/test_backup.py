"""The backup takes from compose's `.env` the name of the cooperative, and runs nothing of what stands in it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local.folders import CHECKOUT

HOLD = "#!/bin/sh\necho held\nexec cat\n"


def backup(folder: Path, settings: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run backup.sh beside a `.env` with these settings; each dump then tells how it was called."""
    deploy = folder / "deploy"
    deploy.mkdir()
    shutil.copy(CHECKOUT / "deploy" / "backup.sh", deploy)
    (deploy / ".env").write_text(settings, encoding="utf-8")
    hold = folder / "services"
    hold.write_text(HOLD, encoding="utf-8")
    hold.chmod(0o700)
    instead = {"MAILLAGE_SERVICES": str(hold), "MAILLAGE_POSTGRES": "echo"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILLAGE_")}
    return subprocess.run(
        [str(deploy / "backup.sh"), str(folder / "backup")],
        env=kept | instead | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def dumped(folder: Path) -> str:
    return (folder / "backup" / "booking.dump").read_text(encoding="utf-8").split()[-1]


@pytest.mark.parametrize(
    "line",
    [
        "MAILLAGE_INSTANCE=ma-cooperative",
        "MAILLAGE_INSTANCE='ma-cooperative'",
        'export MAILLAGE_INSTANCE="ma-cooperative"',
        "MAILLAGE_INSTANCE=ma-cooperative # as peers know us",
        "MAILLAGE_INSTANCE=before\nMAILLAGE_INSTANCE=ma-cooperative",
        "# MAILLAGE_INSTANCE=another\nMAILLAGE_INSTANCE=ma-cooperative\nOTHER_MAILLAGE_INSTANCE=another",
    ],
)
def test_the_name_is_read_as_compose_reads_it(tmp_path: Path, line: str) -> None:
    done = backup(tmp_path, f"MAILLAGE_LOCALE=fr\n{line}\nMAILLAGE_PUBLISH=127.0.0.1:8000\n")
    assert done.returncode == 0, done.stderr
    assert dumped(tmp_path) == "ma_cooperative_booking"


def test_nothing_in_the_file_is_run(tmp_path: Path) -> None:
    values = [
        "MAILLAGE_NOTICE=Fermé le lundi, c'est prévu",
        "MAILLAGE_SMTP_FROM=Maillage <maillage@ma-cooperative.example>",
        f"MAILLAGE_SMTP_USER=$(touch {tmp_path}/run)",
        f"PATH={tmp_path}",
        "MAILLAGE_INSTANCE=ma-cooperative",
    ]
    done = backup(tmp_path, "\n".join(values))
    assert done.returncode == 0, done.stderr
    assert dumped(tmp_path) == "ma_cooperative_booking"
    assert not (tmp_path / "run").exists()


def test_the_environment_goes_first(tmp_path: Path) -> None:
    done = backup(tmp_path, "MAILLAGE_INSTANCE=another\n", {"MAILLAGE_INSTANCE": "ma-cooperative"})
    assert done.returncode == 0, done.stderr
    assert dumped(tmp_path) == "ma_cooperative_booking"


def test_without_a_name_nothing_is_begun(tmp_path: Path) -> None:
    done = backup(tmp_path, "MAILLAGE_LOCALE=fr\n")
    assert done.returncode == 1
    assert "MAILLAGE_INSTANCE" in done.stderr
    assert not list(tmp_path.glob("backup*"))


def test_no_script_runs_the_file() -> None:
    for name in ("backup.sh", "restore.sh"):
        assert ". ./.env" not in (CHECKOUT / "deploy" / name).read_text(encoding="utf-8")
