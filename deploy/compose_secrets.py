"""`deploy/secrets/` for compose: what `python -m services secrets` makes, and the servers' administrators.

Run inside the image, as root (see deploy/README.md). The folder is closed to everybody but its owner. What the services
read belongs to the user whom their containers run as, and nobody else reads it; of the servers' images we do not know
that user. Each container is handed only its own files. What we do not know, we leave as it is.
"""

import os
import secrets
import sys
from pathlib import Path

from services import secrets_files
from services.chassis import names
from services.federation import certificates

SERVICES_USER = 10001
"""Of the image (deploy/Dockerfile)."""
BY_OWNER, BY_ALL = 0o400, 0o444
_OF_SERVERS = ("postgres_password", "rabbitmq_admin.conf")
_OF_SERVICES = ("admin_broker_url", "admin_database_url", "smtp_password")
_NOBODYS = (certificates.AUTHORITY_KEY,)


def make(folder: Path, instance: str) -> list[str]:
    """Make what is missing in `folder` for `instance` and return the names. What exists is never touched."""
    made = secrets_files.make_missing(folder)
    database_password = _once(folder / "postgres_password", secrets.token_urlsafe(32), made)
    broker = folder / "rabbitmq_admin.conf"
    broker_password = secrets.token_urlsafe(32)
    if not broker.exists():
        _once(broker, f"default_user = admin\ndefault_pass = {broker_password}\n", made)
        _once(folder / "admin_broker_url", f"http://admin:{broker_password}@rabbitmq.{instance}.internal:15672", made)
    _once(
        folder / "admin_database_url",
        f"postgresql://postgres:{database_password}@postgres.{instance}.internal:5432/postgres",
        made,
    )
    _once(folder / "smtp_password", "", made)  # to be filled in where the mail server wants one
    for path in sorted(folder.iterdir()):
        _close(path)
    return made


def _close(path: Path) -> None:
    """Let those read a file who need it; the key of the border's authority is used by a command of its owner alone."""
    if path.name in _NOBODYS:
        path.chmod(BY_OWNER)
    elif path.name in _OF_SERVERS:
        path.chmod(BY_ALL)
    elif path.name in _OF_SERVICES or secrets_files.is_made(path.name):
        os.chown(path, SERVICES_USER, -1)
        path.chmod(BY_OWNER)


def _once(path: Path, text: str, made: list[str]) -> str:
    if not path.exists():
        path.write_text(text, encoding="utf-8")
        made.append(path.name)
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    print(
        "\n".join(f"made {name}" for name in make(Path(sys.argv[1]), names.check_instance(sys.argv[2])))
        or "nothing was missing"
    )
