"""What changes the cooperative's profile."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import outbox
from services.identity.domain.cooperative import Cooperative, NoCooperativeYet, Profile


async def the_cooperative(session: AsyncSession, *, lock: bool = False) -> Cooperative:
    """Raises NoCooperativeYet."""
    found = await session.get(Cooperative, True, with_for_update=lock)  # True is the key
    if found is None:
        raise NoCooperativeYet
    return found


async def found(session: AsyncSession, profile: Profile, *, web: str) -> bool:
    """Write the profile of a new instance. Returns False, and changes nothing, when there is one."""
    if await session.get(Cooperative, True) is not None:
        return False
    made = Cooperative(**vars(profile), web=web)
    session.add(made)
    await outbox.add(session, *made.state())
    return True


async def describe(session: AsyncSession, profile: Profile, *, web: str) -> Cooperative:
    """Take another profile. Raises NoCooperativeYet."""
    changed = await the_cooperative(session, lock=True)
    await outbox.add(session, *changed.describe(profile, web=web))
    return changed


async def follow_address(session: AsyncSession, web: str) -> None:
    """Say the profile again when the pages have moved to another address since."""
    present = await session.get(Cooperative, True)
    if present is not None and present.web != web:
        await describe(session, present.profile(), web=web)


async def cooperative_name(session: AsyncSession) -> str:
    """Empty before the instance is set up."""
    present = await session.get(Cooperative, True)
    return present.name if present is not None else ""
