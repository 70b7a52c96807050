"""The loop that reads members' calendars elsewhere. Any number of replicas may run it: a calendar is one replica's."""

import asyncio
import json
import os
import random
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.booking.commands.external import Reading, keep_reading, take_due
from services.booking.domain.external import Busy
from services.booking.domain.reading import WHOLE_AFTER, next_reading
from services.booking.domain.spans import Span
from services.booking.sealing import CannotOpen, Sealer
from services.booking.settings import BookingSettings
from services.chassis import logs
from services.chassis.database import Database
from services.chassis.outgoing import AddressRefused, Answer, Limits, TooLarge, Unreachable, call, web_address

LARGEST = 2 * 1024 * 1024
LIMITS = Limits(idle_seconds=10, answer_seconds=15, largest=LARGEST)
LOOK_SECONDS = 5.0
AT_ONCE = 4
CPU_SECONDS = 30
WORKER_SECONDS = 90
"""The worker limits its own processor time; this is for a machine that has none to spare."""
_ROOT = Path(__file__).resolve().parents[2]
_LONGEST_VALIDATOR = 200
_NOT_MODIFIED = 304
_CODES: tuple[tuple[type[Exception], str], ...] = (
    (CannotOpen, "forgotten"),
    (AddressRefused, "not_public"),
    (TooLarge, "too_large"),
    (Unreachable, "unreachable"),
)
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "PYTHONTZPATH")
"""What the worker gets to see of ours."""

_log = logs.get(__name__)


class CalendarReader:
    """Looks for calendars that are due and reads them. Survives outages; an address is never logged."""

    def __init__(self, db: Database, settings: BookingSettings, sealer: Sealer) -> None:
        self._db = db
        self._settings = settings
        self._sealer = sealer
        self._one_worker = asyncio.Semaphore(1)

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                while await self.read_due() == AT_ONCE:
                    pass
            except (DBAPIError, SQLAlchemyError, OSError) as error:
                _log.warning("calendars-not-read", error=logs.line_of(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def read_due(self) -> int:
        """Read what is due, a few at once; how many."""
        due = await self._db.run(take_due, most=AT_ONCE)
        await asyncio.gather(*(self._read(row) for row in due))
        return len(due)

    async def _read(self, row: sa.Row[Any]) -> None:
        now = datetime.now(UTC)
        try:
            reading = await self._reading(row, now)
        except Exception as error:  # noqa: BLE001 - one strange calendar must not keep others from being read
            _log.warning("calendar-reading-failed", member_id=str(row.member_id), error=type(error).__name__)
            reading = Reading(error="unreadable")
        failures = row.failures + 1 if reading.error else 0
        minutes = self._settings.booking_calendar_minutes
        wait = next_reading(failures, minutes=minutes, jitter=random.random())  # noqa: S311 - spreads, no secret
        await self._db.run(keep_reading, row.member_id, row.version, reading, wait=wait, now=now)
        _log.info("calendar-read", member_id=str(row.member_id), error=reading.error)

    async def _reading(self, row: sa.Row[Any], now: datetime) -> Reading:
        answer = await self._answer(row, now)
        if isinstance(answer, str):
            return Reading(error=answer)
        if answer.status == _NOT_MODIFIED:
            return Reading()
        async with self._one_worker:
            found = await busy_apart(answer.body, zone=row.time_zone, now=now, own=self._settings.instance)
        if isinstance(found, str):
            return Reading(error=found)
        return Reading(busy=found, etag=_short(answer, "etag"), modified=_short(answer, "last-modified"))

    async def _answer(self, row: sa.Row[Any], now: datetime) -> Answer | str:
        """What the calendar's server answers; else the code of what went wrong, of which the member is told."""
        try:
            answer = await self._fetch(self._sealer.open(row.member_id, row.address), _conditions(row, now))
        except (CannotOpen, AddressRefused, Unreachable) as error:
            return next(code for kind, code in _CODES if isinstance(error, kind))
        return _refusal(answer.status) or answer

    async def _fetch(self, address: str, headers: dict[str, str]) -> Answer:
        private = self._settings.booking_calendar_allow_private
        parts = web_address(address, allow_plain=private)
        wanted = {"accept": "text/calendar, */*;q=0.1", "user-agent": "Maillage", **headers}
        return await call("GET", parts, allow_private=private, limits=LIMITS, headers=wanted)


async def busy_apart(content: bytes, *, zone: str, now: datetime, own: str) -> Busy | str:
    """`busy_times` in a process of its own, which is ended when it takes too much; else the code of what went wrong."""
    asked = {"zone": zone, "now": now.isoformat(), "own": own, "seconds": CPU_SECONDS}
    head = json.dumps(asked).encode() + b"\n"
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.booking.calendar_worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=_ROOT,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
    )
    try:
        async with asyncio.timeout(WORKER_SECONDS):
            said, _ = await worker.communicate(head + content)
    except TimeoutError:
        return "too_heavy"
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
    if worker.returncode != 0:
        return "too_heavy"
    answer: dict[str, Any] = json.loads(said)
    if "error" in answer:
        return str(answer["error"])
    spans = [Span(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in answer["spans"]]
    return Busy(spans=spans, count=answer["count"], cut=answer["cut"])


def _conditions(row: sa.Row[Any], now: datetime) -> dict[str, str]:
    """Ask for the calendar only if it has changed, unless it is time to read it whole."""
    if row.whole_at is None or now - row.whole_at > WHOLE_AFTER:
        return {}
    asked = {"if-none-match": row.etag, "if-modified-since": row.modified}
    return {name: value for name, value in asked.items() if value is not None}


def _refusal(status: int) -> str | None:
    """None for a calendar, and for one that has not changed."""
    if status == _NOT_MODIFIED:
        return None
    return {2: None, 3: "moved", 4: "refused"}.get(status // 100, "unreachable")


def _short(answer: Answer, name: str) -> str | None:
    """A validator as the server gave it, unless it is no honest one."""
    value = answer.headers.get(name)
    return value if value and len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable() else None
