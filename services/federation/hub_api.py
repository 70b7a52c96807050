"""For our coordinators: who is behind a hub, and with whom of them we share."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.auth import Coordinator
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.problems import NotFound
from services.federation import offers, queries
from services.federation.api import BorderDep
from services.federation.domain import RELATIONS
from services.federation.hub_tables import directory
from services.federation.keys import thumbprint_for_people
from services.federation.mending_tables import blocks
from services.federation.tables import links
from services.federation.views import LinkView

router = APIRouter(tags=["federation"])

Standing = Literal["open", "asked_by_us", "asks_us", "linked", "paused", "next_to_us", "elsewhere", "left", "blocked"]


class MemberView(BaseModel):
    """A cooperative behind a hub, as the hub's directory says and as we have pinned it.

    `standing`: `open` (nobody has asked), `asked_by_us`, `asks_us`, `linked`, `paused`; `next_to_us`: we have a link of
    our own with it; `elsewhere`: we are linked through another hub; `left` the hub; `blocked` by us.
    `doubt`: `another_key` (the hub has since shown another key, which is not believed), `same_name` (another member
    has this name). `thumbprint`: of what is pinned; `claimed_thumbprint`: of what the hub has said since.
    """

    hub_link_id: UUID
    hub_name: str
    member: UUID
    peer_id: str
    name: str
    summary: str
    web: str
    thumbprint: str
    standing: Standing
    link_id: UUID | None
    first_seen_at: datetime
    doubt: Literal["another_key", "same_name"] | None
    claimed_thumbprint: str | None

    @classmethod
    def of(cls, row: sa.RowMapping) -> "MemberView":
        claimed = row["claimed_id"]
        return cls(
            hub_link_id=row["hub_link_id"],
            hub_name=row["hub_name"],
            member=row["member"],
            peer_id=row["instance_id"],
            name=row["name"],
            summary=row["summary"],
            web=row["web"],
            thumbprint=thumbprint_for_people(row["instance_id"]),
            standing=_standing(row),
            link_id=row["link_id"],
            first_seen_at=row["first_seen_at"],
            doubt=row["doubt"],
            claimed_thumbprint=thumbprint_for_people(claimed) if claimed else None,
        )


def _standing(row: sa.RowMapping) -> Standing:  # noqa: PLR0911 - a table of cases
    if row["blocked"]:
        return "blocked"
    if row["link_kind"] == "direct":
        return "next_to_us"
    if row["link_kind"] is not None and row["via"] != row["hub_link_id"]:
        return "elsewhere"
    if row["status"] == "left":
        return "left"
    if row["link_status"] is None:
        return "open" if row["offered_link_id"] is None else "asks_us"
    if row["link_status"] == "awaiting_confirmation":
        return "asked_by_us"
    return "paused" if row["link_status"] == "paused" else "linked"


@router.get("/members")
async def list_members(_actor: Coordinator, db: DatabaseDep) -> list[MemberView]:
    """Everybody in the directories of the hubs that we are linked with, by name."""
    async with db.reading() as session:
        return [MemberView.of(row) for row in await _members(session)]


async def _members(session: AsyncSession) -> list[sa.RowMapping]:
    hubs = links.alias("hubs")
    living = sa.and_(links.c.peer_id == directory.c.instance_id, links.c.kind.in_(RELATIONS), links.c.status != "ended")
    query = (
        sa.select(
            directory,
            hubs.c.peer_name.label("hub_name"),
            links.c.id.label("link_id"),
            links.c.kind.label("link_kind"),
            links.c.status.label("link_status"),
            links.c.via,
            blocks.c.peer_id.is_not(None).label("blocked"),
        )
        .join(hubs, hubs.c.id == directory.c.hub_link_id)
        .outerjoin(links, living)
        .outerjoin(blocks, blocks.c.peer_id == directory.c.instance_id)
        .where(hubs.c.status != "ended")
        .order_by(hubs.c.peer_name, sa.func.lower(directory.c.name), directory.c.member)
    )
    return list((await session.execute(query)).mappings().all())


@router.post("/members/{hub_link_id}/{member}/accept", status_code=201)
async def accept_member(  # noqa: PLR0917 - FastAPI's way to ask for things
    hub_link_id: UUID, member: UUID, actor: Coordinator, db: DatabaseDep, clock: ClockDep, border: BorderDep
) -> LinkView:
    """Share with this cooperative, once it wants to as well. The hub cannot read what goes to it alone."""
    async with db.transaction() as session:
        entry = (hub_link_id, member)
        link_id = await offers.accept(session, entry, border.keys, by=actor.name, now=clock.now())
    async with db.reading() as session:
        row = await queries.one_link(session, link_id)
    if row is None:
        raise NotFound
    return LinkView.of(row, now=clock.now())
