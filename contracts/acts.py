"""What every service says of the acts of coordinators and administrators: who, what, when, about what."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.envelope import Event


class ActRecorded(Event):
    """Somebody with a role changed something. Each service says its own type of it.

    `what`: method and route, e.g. "POST /bookings/{booking_id}/approve". `about`: the first id of the path. `said`: the
    facts that came of it, as "type subject". `notes`: codes that the command added. Several messages of one act share
    `act_id`.
    """

    act_id: UUID
    at: datetime
    actor_id: UUID
    role: Literal["coordinator", "administrator"]
    what: str = Field(max_length=200)
    about: str | None
    said: list[str]
    notes: dict[str, str]
    correlation_id: str | None

    @property
    def subject(self) -> str:
        return str(self.act_id)
