"""Dead letters for coordinators: `/api/<service>/dead-letters`.

What a letter says stays inside: it may hold addresses, or links that open accounts. Shown is an allow-list of what is
said about it, and of the error its first line without what looks like an address.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel

from services.chassis import letters, logs
from services.chassis.auth import Actor, Coordinator
from services.chassis.database import DatabaseDep
from services.chassis.letters import Letter
from services.chassis.problems import NotFound, Unavailable
from services.chassis.publishing import NotPublished

MOST = 100
"""How many are looked at: the oldest."""
LONGEST_TEXT = 300
PATIENCE_SECONDS = 10.0

router = APIRouter(prefix="/dead-letters", tags=["dead letters"])
LetterId = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-zA-Z-]+$")]

_one_at_a_time = asyncio.Lock()
_log = logs.get(__name__)
_ADDRESSES = re.compile(r"\S*(?:@|://)\S*")


class LetterView(BaseModel):
    """One message that could not be handled. `time`: when it was said; `attempts`: how often its handler failed."""

    id: str
    type: str
    time: datetime | None
    source: str
    subject: str
    queue: str
    attempts: int
    error: str


class LetterList(BaseModel):
    """The oldest `MOST`; `more`: whether there are others."""

    items: list[LetterView]
    more: bool


@router.get("")
async def list_dead_letters(request: Request, _by: Coordinator) -> LetterList:
    """What this service could not handle, the oldest first."""
    async with _reaching_the_broker(), letters.letters(*_where(request), most=MOST + 1) as found:
        return LetterList(items=[_view(letter) for letter in found[:MOST]], more=len(found) > MOST)


@router.post("/{letter_id}/replay", status_code=204)
async def replay_dead_letter(request: Request, letter_id: LetterId, by: Coordinator, db: DatabaseDep) -> None:
    """Send it back to the queue that it came from, as if it had never failed. `all`: every one."""
    await _record(request, db, by, "replay", letter_id)
    async with _reaching_the_broker():
        if not await letters.replay(*_where(request), letter_id, most=MOST):
            raise NotFound


@router.post("/{letter_id}/drop", status_code=204)
async def drop_dead_letter(request: Request, letter_id: LetterId, by: Coordinator, db: DatabaseDep) -> None:
    """Delete it. Its effect will never happen."""
    if letter_id == "all":
        raise NotFound
    await _record(request, db, by, "drop", letter_id)
    async with _reaching_the_broker():
        if not await letters.drop(*_where(request), letter_id, most=MOST):
            raise NotFound


async def _record(request: Request, db: DatabaseDep, by: Actor, act: str, letter_id: str) -> None:
    """Before the act, which is the broker's: a transaction with a number of its own belongs into the trail."""
    async with db.transaction() as session:
        await session.execute(sa.select(sa.func.pg_current_xact_id().cast(sa.Text)))
    _log.info("dead-letter-act", service=request.app.state.service, act=act, letter=letter_id, by=str(by.id))


@asynccontextmanager
async def _reaching_the_broker() -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), _one_at_a_time:
            yield
    except (TimeoutError, NotPublished, *CONNECTION_EXCEPTIONS) as error:
        _log.warning("dead-letters-not-reached", error=f"{type(error).__name__}: {error}")
        raise Unavailable from error


def _where(request: Request) -> tuple[str, str]:
    service = request.app.state.service
    return request.app.state.settings.broker_url(service), service


def _view(letter: Letter) -> LetterView:
    return LetterView(
        id=letter.id,
        type=_shown(letter.attribute("type")),
        time=_instant(letter.attribute("time")),
        source=_shown(letter.attribute("source")),
        subject=_shown(letter.attribute("subject")),
        queue=_shown(letter.queue),
        attempts=letter.attempts,
        error=_shown(letter.error),
    )


def _shown(text: str) -> str:
    return _ADDRESSES.sub("…", (text.splitlines() or [""])[0])[:LONGEST_TEXT]


def _instant(text: str) -> datetime | None:
    """None for what is no instant: a letter may hold anything."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
