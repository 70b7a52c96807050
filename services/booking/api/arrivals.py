"""Arriving and leaving."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking import queries
from services.booking.api.edge import At, view_of
from services.booking.commands import arrivals
from services.booking.views import BookingView
from services.chassis.auth import CurrentMember
from services.chassis.problems import Problem

router = APIRouter(tags=["bookings"])


def _typed(code: object) -> object:
    """A code as people type it: with spaces, or not at all."""
    return "".join(code.split()) or None if isinstance(code, str) else code


class CheckInForm(BaseModel):
    """The six digits shown at the machine; left out by those who say themselves that the borrower has come."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[Annotated[str, Field(max_length=12)] | None, BeforeValidator(_typed)] = None


@router.post("/bookings/{booking_id}/check-in")
async def check_in(booking_id: UUID, form: CheckInForm, actor: CurrentMember, at: At) -> BookingView:
    """Say that the borrower has come: as borrower, owner or coordinator; or as anybody here with the code."""

    async def work(session: AsyncSession) -> BookingView | Problem:
        person = await queries.person_of(session, actor)
        booking, problem = await arrivals.check_in(session, booking_id, code=form.code, by=person)
        return problem or await view_of(session, booking, person, at.clock.now())

    answer = await at.db.run(work)
    if isinstance(answer, Problem):  # raised after the wrong try was counted for good
        raise answer
    return answer


@router.post("/bookings/{booking_id}/check-out")
async def check_out(booking_id: UUID, actor: CurrentMember, at: At) -> BookingView:
    """Say that it is given back, early or late."""

    async def work(session: AsyncSession) -> BookingView:
        person = await queries.person_of(session, actor)
        booking = await arrivals.check_out(session, booking_id, by=person)
        return await view_of(session, booking, person, at.clock.now())

    return await at.db.run(work)
