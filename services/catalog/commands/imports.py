"""CSV imports: checked first, then run in batches that survive a restart."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Event
from services.catalog import states
from services.catalog.commands.listings import has_left, owner_name, update
from services.catalog.csv_files.columns import COLUMN_OF
from services.catalog.csv_files.problems import OTHER_SIDE, WITHDRAWN_MEANWHILE, AlreadyRun, CellError
from services.catalog.csv_files.reading import Checked
from services.catalog.domain import field_problems
from services.catalog.forms import ListingForm
from services.catalog.tables import circles, import_rows, imports, listings
from services.chassis import outbox
from services.chassis.auth import Actor
from services.chassis.ids import new_id
from services.chassis.problems import NotFound, Text

BATCH = 200
_KEPT = timedelta(days=1)
_INSERT_AT_ONCE = 1000

Row = sa.RowMapping


async def keep_checked(session: AsyncSession, checked: Checked, *, by: Actor, now: datetime) -> Row:
    """Keep the good lines of a file until they are run, at most a day. Nothing is imported."""
    old = sa.and_(imports.c.status == "checked", imports.c.created_at < now - _KEPT)
    await session.execute(sa.delete(imports).where(old))
    values = {
        "id": new_id(),
        "member_id": by.id,
        "member_name": by.name,
        "created_at": now,
        "status": "checked",
        "rows": checked.rows,
        "valid": len(checked.good),
        **dict.fromkeys(("done", "created", "updated", "unchanged"), 0),
        "errors": [error.as_json() for error in checked.errors],
    }
    row = (await session.execute(sa.insert(imports).values(**values).returning(imports))).mappings().one()
    lines = [{"import_id": row["id"], "line": good.line, "ref": good.ref, "form": good.form} for good in checked.good]
    for start in range(0, len(lines), _INSERT_AT_ONCE):
        await session.execute(sa.insert(import_rows), lines[start : start + _INSERT_AT_ONCE])
    return row


async def start(session: AsyncSession, import_id: UUID) -> Row:
    """Let the loop run it. Raises NotFound, AlreadyRun."""
    row = (await session.execute(sa.select(imports).where(imports.c.id == import_id).with_for_update())).mappings()
    found = row.one_or_none()
    if found is None:
        raise NotFound
    if found["status"] != "checked":
        raise AlreadyRun
    return await _set(session, import_id, status="running")


async def run_batch(session: AsyncSession, *, now: datetime) -> bool:
    """Import the next lines of the oldest running import. False when none runs. One batch at a time in all replicas.

    An import ends where it is when its coordinator has left.
    """
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended("imports", 0))))
    oldest = sa.select(imports).where(imports.c.status == "running").order_by(imports.c.created_at).limit(1)
    job = (await session.execute(oldest.with_for_update())).mappings().one_or_none()
    if job is None:
        return False
    if await has_left(session, job["member_id"]):
        await fail(session)
        return True
    waiting = (
        sa.select(import_rows).where(import_rows.c.import_id == job["id"]).order_by(import_rows.c.line).limit(BATCH)
    )
    rows = (await session.execute(waiting)).mappings().all()
    batch = _Batch(job, now)
    existing = await _existing(session, [row["ref"] for row in rows])
    name = await owner_name(session, None, job["member_id"], job["member_name"])
    for row in rows:
        await batch.take(session, row, existing.get(row["ref"]), name)
    await batch.write(session)
    lines = [row["line"] for row in rows]
    done = sa.delete(import_rows).where(import_rows.c.import_id == job["id"], import_rows.c.line.in_(lines))
    await session.execute(done)
    await _set(session, job["id"], **batch.progress(len(rows)), **({} if len(rows) == BATCH else {"status": "done"}))
    return True


async def fail(session: AsyncSession) -> None:
    """Give up the oldest running import, whose batch cannot be written; what was imported stays."""
    oldest = sa.select(imports.c.id).where(imports.c.status == "running").order_by(imports.c.created_at).limit(1)
    import_id = (await session.execute(oldest)).scalar()
    if import_id is not None:
        await session.execute(sa.delete(import_rows).where(import_rows.c.import_id == import_id))
        await _set(session, import_id, status="failed")


async def circle_names(session: AsyncSession) -> dict[UUID, str]:
    """Every active circle."""
    chosen = sa.select(circles.c.id, circles.c.name).where(circles.c.status == "active")
    return {row.id: row.name for row in await session.execute(chosen)}


async def refs_with_circles(session: AsyncSession) -> frozenset[str]:
    """References of listings whose audience already names circles."""
    ref = sa.func.coalesce(listings.c.ref, sa.cast(listings.c.id, sa.Text))
    return frozenset((await session.execute(sa.select(ref).where(listings.c.scope == "circle"))).scalars())


class _Batch:
    """What the lines of one batch come to."""

    def __init__(self, job: Row, now: datetime) -> None:
        self._job = job
        self._now = now
        self._new: list[dict[str, Any]] = []
        self._events: list[Event] = []
        self._errors: list[dict[str, Any]] = []
        self._updated = 0
        self._unchanged = 0

    async def take(self, session: AsyncSession, row: Row, before: Row | None, name: str) -> None:
        """One line: a new listing, a change, no change, or an error that only shows now."""
        if before is None:
            self._new.append(self._made(row, name))
            return
        form = ListingForm.model_validate(_merged(before, row["form"]))
        if (wrong := _reason_against(before, form, self._now)) is not None:
            error = CellError(line=row["line"], column=wrong[0], value=row["ref"], reason=wrong[1])
            self._errors.append(error.as_json())
            return
        values = states.columns_of(form) | {"status": "published"}
        if all(before[column] == value for column, value in values.items()):
            self._unchanged += 1
            return
        changed = await update(session, before, values, now=self._now)
        self._events.append(states.published(changed))
        self._updated += 1

    async def write(self, session: AsyncSession) -> None:
        """Insert what is new and say all that changed."""
        if self._new:
            await session.execute(sa.insert(listings), self._new)
            self._events += [states.published(values) for values in self._new]
        await outbox.add(session, *self._events)

    def progress(self, lines: int) -> dict[str, Any]:
        return {
            "done": imports.c.done + lines,
            "created": imports.c.created + len(self._new),
            "updated": imports.c.updated + self._updated,
            "unchanged": imports.c.unchanged + self._unchanged,
            "errors": self._job["errors"] + self._errors,
        }

    def _made(self, row: Row, name: str) -> dict[str, Any]:
        form = ListingForm.model_validate(row["form"])
        return states.columns_of(form) | {
            "id": new_id(),
            "ref": row["ref"],
            "owner_member_id": self._job["member_id"],
            "owner_name": name,
            "status": "published",
            "version": 1,
            "changed_at": self._now,
        }


def _reason_against(before: Row, form: ListingForm, now: datetime) -> tuple[str, Text] | None:
    """Why a line must not change the listing that it names, with the column."""
    if before["status"] == "withdrawn":
        return "ref", WITHDRAWN_MEANWHILE
    if form.side != before["side"]:
        return "type", OTHER_SIDE
    if wrong := field_problems(form, now=now):
        return COLUMN_OF.get(wrong[0].field, wrong[0].field), wrong[0].text
    return None


def _merged(before: Row, changes: dict[str, Any]) -> dict[str, Any]:
    """The listing as a form, with the file's columns over it. The same scope keeps its chosen circles and peers."""
    state = states.state_of(before).model_dump(mode="json")
    form = {name: state[name] for name in ListingForm.model_fields if name in state}
    form["circle_id"] = state["owner_circle_id"]
    audience = changes.get("audience")
    if audience is not None and audience["scope"] == before["scope"] and not audience.get("circle_ids"):
        changes = changes | {"audience": form["audience"]}
    return form | changes


async def _existing(session: AsyncSession, refs: list[str]) -> dict[str, Row]:
    """Listings by reference: the one that an import gave them, or their id as export writes it."""
    ids = {UUID(ref): ref for ref in refs if _is_id(ref)}
    chosen = sa.select(listings).where(sa.or_(listings.c.ref.in_(refs), listings.c.id.in_(list(ids))))
    rows = (await session.execute(chosen.order_by(listings.c.id).with_for_update())).mappings().all()
    by_id = {ids[row["id"]]: row for row in rows if row["id"] in ids}
    return by_id | {row["ref"]: row for row in rows if row["ref"] in refs}


def _is_id(ref: str) -> bool:
    try:
        return str(UUID(ref)) == ref
    except ValueError:
        return False


async def _set(session: AsyncSession, import_id: UUID, **values: Any) -> Row:
    statement = sa.update(imports).where(imports.c.id == import_id).values(**values).returning(imports)
    return (await session.execute(statement)).mappings().one()
