from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services import secrets_files


def test_missing_secrets_are_made_for_their_owner_alone_and_existing_ones_left(tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    first = secrets_files.make_missing(directory)
    assert {"db_booking", "db_booking_owner", "broker_booking", "identity_signing_key.pem"} <= set(first)
    assert {"booking_calendar_key", "identity_second_factor_key"} <= set(first)
    contents = {name: (directory / name).read_text() for name in first}
    assert len(set(contents.values())) == len(contents)
    assert {(directory / name).stat().st_mode & 0o777 for name in first} == {0o600}
    assert directory.stat().st_mode & 0o777 == 0o700
    (directory / "broker_booking").unlink()
    assert secrets_files.make_missing(directory) == ["broker_booking"]
    assert (directory / "db_booking").read_text() == contents["db_booking"]


def test_signing_keys_are_ed25519(tmp_path: Path) -> None:
    secrets_files.make_missing(tmp_path)
    for name in ("identity_signing_key.pem", "federation_root_key.pem", "federation_signing_key.pem"):
        assert isinstance(load_pem_private_key((tmp_path / name).read_bytes(), None), Ed25519PrivateKey)
