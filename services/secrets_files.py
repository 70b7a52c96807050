"""`python -m services secrets`: make the secret files that are missing. What exists is never touched."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.chassis import names
from services.chassis.settings import load

BROKER_AGENT = names.BROKER_AGENT.replace("-", "_")
"""In names of files and roles."""

_KEYS = ("identity_signing_key.pem", "federation_root_key.pem", "federation_signing_key.pem")


def password_files() -> list[str]:
    """Names of the files that hold one random password (or key) each."""
    found = [f"db_{BROKER_AGENT}", f"broker_{BROKER_AGENT}", "booking_calendar_key", "identity_second_factor_key"]
    for service in names.SERVICES:
        found += [f"db_{service}", f"db_{service}_owner", f"broker_{service}"]
    return found


def is_made(name: str) -> bool:
    """Whether a file called so is one of ours: what `make_missing` makes, or a later signing key."""
    later = name.startswith("federation_signing_key.") and name.endswith(".pem")
    return later or name in {*password_files(), *_KEYS}


def make_missing(directory: Path) -> list[str]:
    """Create the missing files of an instance in `directory`, readable by their owner alone. Returns their names."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted: dict[str, Callable[[], str]] = dict.fromkeys(password_files(), _password)
    wanted |= dict.fromkeys(_KEYS, _signing_key)
    return [name for name, make in wanted.items() if _create(directory / name, make)]


def _password() -> str:
    return secrets.token_urlsafe(32)


def _signing_key() -> str:
    """A new Ed25519 private key: PEM, PKCS #8."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _create(path: Path, make: Callable[[], str]) -> bool:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(make())
    return True


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MAILLAGE_", extra="ignore")

    secrets_dir: Path


def make_next_signing_key(directory: Path) -> str:
    """One more key that signs what is said to peers: federation announces it, and later signs with it."""
    numbers = [int(path.name.split(".")[1]) for path in directory.glob("federation_signing_key.*.pem")]
    name = f"federation_signing_key.{max(numbers, default=1) + 1}.pem"
    _create(directory / name, _signing_key)
    return name


def main(arguments: list[str]) -> None:
    """Command line: make what is missing in MAILLAGE_SECRETS_DIR and say what was made.

    `--next-signing-key`: one more key for federation, which takes it up when it is started again.
    """
    directory = load(_Settings).secrets_dir
    made = [make_next_signing_key(directory)] if arguments == ["--next-signing-key"] else make_missing(directory)
    print("\n".join(f"made {name}" for name in made) or "nothing was missing")  # noqa: T201 - a command's answer
