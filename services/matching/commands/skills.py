"""Keeping the skills of a file: in batches of one transaction, so that a bad line leaves everything as it was."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.ids import new_id
from services.matching.skill_files import SkillFile
from services.matching.tables import skills

_BATCH = 500


async def keep(session: AsyncSession, file: SkillFile, tell: Callable[[int], None]) -> tuple[int, int]:
    """Let the skills of this sort and language be those of `file`. Returns how many there are, and how many went.

    `tell`: is called with the number done, now and then. Raises BadFile.
    """
    import_id, done, batch = new_id(), 0, dict[str, dict[str, Any]]()
    for skill in file.skills():
        batch[skill.code] = _row(file, import_id, **vars(skill))
        if len(batch) == _BATCH:
            done += await _write(session, batch)
            tell(done)
    done += await _write(session, batch)
    tell(done)
    same = (skills.c.source == file.layout.source, skills.c.language == file.language)
    gone = sa.delete(skills).where(*same, skills.c.import_id != import_id).returning(skills.c.code)
    return done, len((await session.execute(gone)).all())


def _row(file: SkillFile, import_id: UUID, **skill: Any) -> dict[str, Any]:
    names = list(skill.pop("names"))
    where = {"scheme": file.layout.scheme, "language": file.language, "source": file.layout.source}
    return skill | where | {"names": names, "import_id": import_id}


async def _write(session: AsyncSession, batch: dict[str, dict[str, Any]]) -> int:
    rows = list(batch.values())
    if rows:
        statement = insert(skills).values(rows)
        changed = {name: statement.excluded[name] for name in rows[0]}
        keys = ["scheme", "code", "language"]
        await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))
    batch.clear()
    return len(rows)
