"""The offers for a need."""

from uuid import UUID

from fastapi import APIRouter, Request

from services.chassis.auth import CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.matching import asking
from services.matching.queries import matches
from services.matching.settings import MatchingSettings
from services.matching.views import MatchesView

router = APIRouter()


@router.get("/needs/{need_id}/matches")
async def read_matches(
    need_id: UUID, request: Request, actor: CurrentMember, db: DatabaseDep, clock: ClockDep
) -> MatchesView:
    """Offers for one of our needs, with reasons, and near misses with what is missing. Its owner or a coordinator."""
    settings: MatchingSettings = request.app.state.settings
    version = await asking.version() if settings.meaning else ""
    async with db.reading() as session:
        return await matches.matches_for_reader(
            session, need_id, actor=actor, now=clock.now(), farthest_km=settings.farthest_km, version=version
        )
