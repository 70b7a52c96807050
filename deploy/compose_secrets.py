"""`deploy/secrets/` for compose: what `python -m services secrets` makes, and the servers' administrators.

Run inside the image (see deploy/README.md). The folder is closed to everybody but its owner; the files in it are
readable by the containers' users, each of which is handed only its own.
"""

import secrets
import sys
from pathlib import Path

from services import secrets_files
from services.chassis import names

READABLE = 0o444


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
    for path in folder.iterdir():
        path.chmod(READABLE)
    return made


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
