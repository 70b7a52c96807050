"""What catalog listens to."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from contracts.federation import LinkChanged, ListingGone, ListingReceived
from contracts.identity import CircleChanged, MemberChanged
from contracts.matching import NeedWidened
from services.catalog.commands import copies, people, widening
from services.chassis.messaging import Consumers

consumers = Consumers("catalog")


@consumers.on(MemberChanged)
async def keep_member_and_settle_listings(event: MemberChanged, session: AsyncSession) -> None:
    """Names show on listings; those of a member who left go."""
    await people.keep_member(session, event.member)


@consumers.on(CircleChanged)
async def keep_circle(event: CircleChanged, session: AsyncSession) -> None:
    """Circles are part of audiences."""
    await people.keep_circle(session, event.circle)


@consumers.on(ListingReceived)
async def keep_copy_of_listing(event: ListingReceived, session: AsyncSession, envelope: Envelope) -> None:
    """A peer shares something."""
    await copies.keep(session, event, said_at=envelope.time)


@consumers.on(ListingGone)
async def bury_copy_of_listing(event: ListingGone, session: AsyncSession, envelope: Envelope) -> None:
    """A peer took something back."""
    await copies.bury(session, event, said_at=envelope.time)


@consumers.on(LinkChanged)
async def delete_copies_when_link_ends(event: LinkChanged, session: AsyncSession, envelope: Envelope) -> None:
    """Nothing of a peer outlives its link."""
    if event.link.status == "ended" and event.link.peer_id:
        await copies.end_link(session, event.link, said_at=envelope.time)


@consumers.on(NeedWidened)
async def let_more_people_see_need(event: NeedWidened, session: AsyncSession) -> None:
    """Its author said yes to being asked."""
    await widening.widen(session, event)
