"""A cooperative that meets: what the tests of sessions begin with."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from contracts.booking import SeatChanged
from contracts.identity import CircleState, MemberState
from services.booking.commands import copies
from services.booking.domain.session_templates import BEGINNINGS
from services.booking.loops import Sweeper
from services.chassis.ids import new_id
from tests.services.booking.workshop import Workshop, at


@dataclass
class Meetings:
    """The workshop's people, and as many more as a test wants."""

    workshop: Workshop

    async def people(self, *names: str) -> list[httpx.AsyncClient]:
        return [self.workshop.client(await self.join(name), name=name) for name in names]

    async def join(self, name: str) -> UUID:
        member_id = new_id()
        await self.tell_member(member_id, name)
        return member_id

    async def tell_member(self, member_id: UUID, name: str) -> None:
        state = MemberState(id=member_id, name=name, role="member", status="active", locale="fr", version=1)
        async with self.workshop.db.transaction() as session:
            await copies.keep_member(session, state, now=datetime.now(UTC))

    async def circle(self, *member_ids: UUID, name: str = "Cercle bois") -> UUID:
        circle = CircleState(
            id=new_id(), name=name, purpose="", member_ids=list(member_ids), status="active", version=1
        )
        async with self.workshop.db.transaction() as session:
            await copies.keep_circle(session, circle)
        return circle.id

    async def sweep(self) -> None:
        await Sweeper(self.workshop.db, seconds=1).sweep()

    async def seats_said(self) -> list[tuple[UUID, str]]:
        events: list[SeatChanged] = await self.workshop.said(SeatChanged)
        return [(event.seat.member_id, event.seat.state) for event in events]


def form(**changes: Any) -> dict[str, Any]:
    """A session for one client, in three days, unless told otherwise."""
    return {
        "title": "Codéveloppement du jeudi",
        "start": at(14).isoformat(),
        "end": at(16).isoformat(),
        "time_zone": "Europe/Paris",
        "template": "co_development",
        "place_label": "12 rue des Arts, Lille",
        "video_url": "https://video.example/salle",
        "roles": [{"code": "client", "label": "Client·e", "minimum": 1, "maximum": 1}],
    } | changes


def whole(**changes: Any) -> dict[str, Any]:
    """A session with all that the template gives."""
    begin = BEGINNINGS["co_development"]
    return form(
        roles=[vars(role) for role in begin.roles_in("fr")],
        steps=[vars(step) for step in begin.steps_in("fr")],
        confidentiality=begin.confidentiality.fr,
        rotating_role=begin.rotating_role,
        organiser_role=begin.organiser_role,
        **changes,
    )


async def planned(client: httpx.AsyncClient, **changes: Any) -> str:
    answer = await client.post("/sessions", json=form(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def sign_up(client: httpx.AsyncClient, session_id: str, role: str = "client", **more: Any) -> dict[str, Any]:
    """What the person has then."""
    answer = await client.post(f"/sessions/{session_id}/sign-up", json={"role": role, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["mine"]


async def mine(client: httpx.AsyncClient, session_id: str) -> dict[str, Any] | None:
    answer = await client.get(f"/sessions/{session_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()["mine"]


def states(view: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["name"], one["state"]) for one in view["participants"]]


def hours(number: float) -> timedelta:
    return timedelta(hours=number)
