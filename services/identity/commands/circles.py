"""What changes circles."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Event
from services.chassis import outbox
from services.chassis.ids import new_id
from services.chassis.problems import NotFound
from services.identity.domain.circles import Circle, name_is_taken
from services.identity.domain.members import Member
from services.identity.tables import circle_member


async def make(session: AsyncSession, *, name: str, purpose: str, by: Member) -> Circle:
    """A new circle with `by` as its first member. Raises InvalidFields when the name is taken."""
    made = Circle(id=new_id(), name=name, name_key=name.casefold(), purpose=purpose, members=[by])
    session.add(made)
    await _flush(session)
    await outbox.add(session, *made.state())
    return made


async def describe(
    session: AsyncSession, circle_id: UUID, *, by: Member, name: str | None, purpose: str | None
) -> Circle:
    """Change name or purpose. Raises NotFound, NotAllowed, CircleIsClosed, InvalidFields when the name is taken."""
    found = await _lock(session, circle_id)
    events = found.describe(by=by, name=name, purpose=purpose)
    await _flush(session)
    await outbox.add(session, *events)
    return found


async def admit(session: AsyncSession, circle_id: UUID, member_id: UUID, *, by: Member) -> Circle:
    """Take a member in. Raises NotFound, NotAllowed, HasLeft, CircleIsClosed, CircleIsFull."""
    # The member first, as when somebody leaves the cooperative: then nobody is admitted who is just leaving.
    admitted = await session.get(Member, member_id, with_for_update={"read": True})
    if admitted is None:
        raise NotFound
    found = await _lock(session, circle_id)
    await outbox.add(session, *found.admit(admitted, by=by))
    return found


async def remove(session: AsyncSession, circle_id: UUID, member_id: UUID, *, by: Member) -> Circle:
    """Let a member go. Raises NotFound, NotAllowed, CircleIsClosed."""
    removed = await session.get(Member, member_id)
    if removed is None:
        raise NotFound
    found = await _lock(session, circle_id)
    await outbox.add(session, *found.remove(removed, by=by))
    return found


async def close(session: AsyncSession, circle_id: UUID, *, by: Member) -> Circle:
    """End a circle. Raises NotFound, NotAllowed, CircleIsClosed."""
    found = await _lock(session, circle_id)
    await outbox.add(session, *found.close(by=by))
    return found


async def leave_all(session: AsyncSession, member: Member) -> list[Event]:
    """Take a member who leaves the cooperative out of every circle. Returns what is to be said."""
    theirs = sa.select(circle_member.c.circle_id).where(circle_member.c.member_id == member.id)
    ids = (await session.execute(theirs.order_by(circle_member.c.circle_id))).scalars().all()
    return [event for circle_id in ids for event in (await _lock(session, circle_id)).forget(member)]


async def _lock(session: AsyncSession, circle_id: UUID) -> Circle:
    found = await session.get(Circle, circle_id, with_for_update=True)
    if found is None:
        raise NotFound
    return found


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        if "circle_name_is_one" in str(error.orig):
            raise name_is_taken() from error
        raise
