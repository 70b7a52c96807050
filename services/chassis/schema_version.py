"""Which migration a database has and which one the code expects. Apart from Alembic, which only migrations load."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

_SERVICES = Path(__file__).resolve().parent.parent


def newest(service: str) -> str | None:
    """The version that the code of `service` expects: scripts are called `<revision>_<what>.py`."""
    scripts = sorted(path.name for path in (_SERVICES / service / "migrations" / "versions").glob("[0-9]*.py"))
    return scripts[-1].split("_")[0] if scripts else None


async def current(session: AsyncSession) -> str | None:
    """The version that the database has; None when it was never migrated."""
    if (await session.execute(sa.text("SELECT to_regclass('alembic_version')"))).scalar() is None:
        return None
    return (await session.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar()
