"""What identity listens to: the acts of coordinators and administrators in all services, its own included."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.acts import ActRecorded
from contracts.booking import BookingActRecorded
from contracts.catalog import CatalogActRecorded
from contracts.federation import FederationActRecorded
from contracts.identity import IdentityActRecorded
from contracts.matching import MatchingActRecorded
from contracts.notify import NotifyActRecorded
from services.chassis.messaging import Consumers
from services.identity.commands import acts

consumers = Consumers("identity")


@consumers.on(IdentityActRecorded)
@consumers.on(CatalogActRecorded)
@consumers.on(BookingActRecorded)
@consumers.on(FederationActRecorded)
@consumers.on(MatchingActRecorded)
@consumers.on(NotifyActRecorded)
async def keep_act(event: ActRecorded, session: AsyncSession) -> None:
    """Add it to the trail."""
    await acts.keep(session, event)
