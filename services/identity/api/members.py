"""The members of the cooperative."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from services.chassis.auth import Coordinator, CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.paging import Limit, Page
from services.chassis.problems import NotAllowed
from services.identity import queries
from services.identity.api.given import SettingsDep
from services.identity.api.models import MemberView, RoleForm
from services.identity.commands import members
from services.identity.domain.members import check_is_staff

router = APIRouter()

SearchText = Annotated[str | None, Query(max_length=120, pattern=r"^[^\x00]*$")]
Cursor = Annotated[str | None, Query(max_length=1000)]


@router.get("/members")
async def list_members(
    *,
    actor: CurrentMember,
    db: DatabaseDep,
    q: SearchText = None,
    status: Literal["active", "left"] = "active",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[MemberView]:
    """Members by name. Addresses are shown to, and searched for, coordinators; so are members who have left."""
    async with db.reading() as session:
        reader = await members.acting(session, actor)
        if status == "left" and not (reader.is_coordinator and actor.is_coordinator):
            raise NotAllowed
        # a script without the scope of coordination sees what members see
        sees_all = reader.is_coordinator and actor.is_coordinator
        text = q.strip() if q else None
        found, following = await queries.members(
            session, text=text, by_email=sees_all, status=status, cursor=cursor, limit=limit
        )
    items = [MemberView.of(one, with_email=sees_all or one.id == reader.id) for one in found]
    return Page(items=items, next=following)


@router.get("/members/{member_id}")
async def read_member(member_id: UUID, actor: CurrentMember, db: DatabaseDep) -> MemberView:
    """One member, also one who has left."""
    async with db.reading() as session:
        reader = await members.acting(session, actor)
        found = await queries.member_by_id(session, member_id)
    sees_address = (reader.is_coordinator and actor.is_coordinator) or found.id == reader.id
    return MemberView.of(found, with_email=sees_address)


@router.patch("/members/{member_id}")
async def change_member(
    *, member_id: UUID, form: RoleForm, actor: CurrentMember, db: DatabaseDep, clock: ClockDep, settings: SettingsDep
) -> MemberView:
    """Give a role: a coordinator's task; only an administrator gives or takes the role of administrator."""
    check_is_staff(form.role, at_a_hub=settings.federation_hub)
    changed = await db.run(members.give_role, member_id, form.role, by=actor, now=clock.now())
    return MemberView.of(changed, with_email=True)


@router.post("/members/{member_id}/sign-out")
async def sign_out(member_id: UUID, actor: Coordinator, db: DatabaseDep) -> MemberView:
    """Close all sessions of somebody, and delete their tokens and the links mailed to them.

    A coordinator's task; of an administrator, an administrator's. A token of five minutes goes on until its end.
    """
    return MemberView.of(await db.run(members.sign_out, member_id, by=actor), with_email=True)


@router.post("/members/{member_id}/leave")
async def leave(member_id: UUID, actor: CurrentMember, db: DatabaseDep, clock: ClockDep) -> MemberView:
    """End a membership: one's own, or as a coordinator somebody's."""
    left = await db.run(members.leave, member_id, by=actor, now=clock.now())
    return MemberView.of(left, with_email=False)
