"""The trail of what coordinators and administrators do: an event in the transaction of the act itself.

A request that changes something and comes from such a person begins an act (`auth`); every transaction that writes
something while it lasts says `<service>.act_recorded.v1` through the outbox (`database`). So no route can forget it,
what was rolled back is not in the trail, and what was committed cannot be missing from it. identity keeps the trail.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.acts import ActRecorded
from contracts.registry import EVENTS
from services.chassis import outbox, tracing
from services.chassis.ids import new_id

ONES_OWN = frozenset({"me", "my", "inbox", "preferences", "saved-searches"})
"""What routes begin with that are about the account of whoever asks: no act of a role."""
_MOST_SAID = 20


@dataclass(frozen=True, kw_only=True)
class Act:
    """A request in which somebody may use a role. `notes`: what a command adds for the trail."""

    id: UUID
    service: str
    actor_id: UUID
    role: str
    what: str
    about: str | None
    at: datetime
    notes: dict[str, str] = field(default_factory=dict[str, str])


_current: ContextVar[Act | None] = ContextVar("act", default=None)


def begin(request: Request, *, actor_id: UUID, role: str) -> None:
    """From now on, and until the request ends, transactions that write are part of this act."""
    service = str(request.app.state.service)
    path = str(request.scope["route"].path).removeprefix(f"/api/{service}")
    if path.split("/")[1] in ONES_OWN:
        return
    about = next((str(value) for value in request.path_params.values()), None)
    what = f"{request.method} {path}"
    at = datetime.now(UTC)
    _current.set(Act(id=new_id(), service=service, actor_id=actor_id, role=role, what=what, about=about, at=at))


def end() -> None:
    """The request is over."""
    _current.set(None)


def note(**notes: str) -> None:
    """Add to the trail what the path does not say ("role": "coordinator"): codes, never what people wrote."""
    act = _current.get()
    if act is not None:
        act.notes.update(notes)


async def record(session: AsyncSession) -> None:
    """Say the act that goes on, if there is one and this transaction has written something. Called before the commit.

    An act of several transactions is said by each, under one id.
    """
    act = _current.get()
    if act is None or (await session.execute(_HAS_WRITTEN)).scalar() is None:
        return
    said = [f"{event_type} {subject}" for event_type, subject in outbox.said(session)][:_MOST_SAID]
    kind = EVENTS[f"{act.service}.act_recorded.v1"]
    if not issubclass(kind, ActRecorded):
        raise TypeError(f"{kind.__name__} is no act")
    await outbox.add(
        session,
        kind.model_validate(
            {
                "act_id": act.id,
                "at": act.at,
                "actor_id": act.actor_id,
                "role": act.role,
                "what": act.what,
                "about": act.about,
                "said": said,
                "notes": act.notes,
                "correlation_id": tracing.correlation_id(),
            }
        ),
    )


_HAS_WRITTEN = sa.select(sa.func.pg_current_xact_id_if_assigned().cast(sa.Text))
