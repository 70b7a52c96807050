"""Each secret of a compose installation is readable by whom it is for, and by nobody else."""

import os
import re
import stat
from pathlib import Path

import pytest
import yaml

from deploy import compose_secrets
from deploy.local.folders import CHECKOUT
from services.federation import certificates

OVERLAYS = ("compose.yaml", "compose.border.yaml", "compose.certificates.yaml")


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Whose the files became; the test need not be root."""
    given: dict[str, int] = {}

    def chown(path: Path, user: int, group: int) -> None:
        assert group == -1
        given[path.name] = user

    monkeypatch.setattr(os, "chown", chown)
    return given


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def named_in_compose() -> dict[str, str]:
    """The secret files that compose hands to containers, by container: "services" are those of our own image."""
    found: dict[str, str] = {}
    for overlay in OVERLAYS:
        for name, service in yaml.safe_load((CHECKOUT / "deploy" / overlay).read_text())["services"].items():
            for secret in service.get("secrets", []):
                found[secret] = name if name in {"postgres", "rabbitmq"} else "services"
    return found


def test_what_services_read_is_their_users_alone(tmp_path: Path, owners: dict[str, int]) -> None:
    folder = tmp_path / "secrets"
    made = compose_secrets.make(folder, "opteos")
    assert mode(folder) == 0o700
    ours = {name for name, whose in named_in_compose().items() if whose == "services"}
    assert ours <= set(made)
    assert {name for name in made if mode(folder / name) == 0o400} == set(owners)
    assert ours == set(owners)
    assert set(owners.values()) == {10001}
    assert f"USER {compose_secrets.SERVICES_USER}" in (CHECKOUT / "deploy" / "Dockerfile").read_text()
    assert {name for name in made if mode(folder / name) == 0o444} == {"postgres_password", "rabbitmq_admin.conf"}


def test_the_authority_of_the_border_keeps_its_key_to_itself(tmp_path: Path, owners: dict[str, int]) -> None:
    compose_secrets.make(tmp_path, "opteos")
    key = tmp_path / certificates.AUTHORITY_KEY
    key.write_text("a key")
    key.chmod(0o644)
    public = tmp_path / certificates.AUTHORITY
    public.write_text("a certificate")
    public.chmod(0o444)
    (tmp_path / "federation_signing_key.2.pem").write_text("another key")
    assert compose_secrets.make(tmp_path, "opteos") == []
    assert (mode(key), key.name in owners) == (0o400, False)
    assert (mode(public), public.name in owners) == (0o444, False)
    assert owners["federation_signing_key.2.pem"] == 10001
    assert not re.search(certificates.AUTHORITY_KEY, "".join(named_in_compose()))
