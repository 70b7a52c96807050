"""What matching listens to: each event is one short transaction on the index; comparing comes after, in a loop."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import (
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingExpired,
    BookingRequested,
    BusyChanged,
    ResourceChanged,
)
from contracts.catalog import ListingPublished, ListingWithdrawn
from contracts.envelope import Envelope
from contracts.federation import (
    BusyReceived,
    IntroductionAnswerReceived,
    IntroductionRequestReceived,
    IntroductionWithdrawalReceived,
    LinkChanged,
    ListingGone,
    ListingReceived,
    PersonForgotten,
    ResourceReceived,
)
from contracts.identity import CircleChanged, MemberChanged
from services.chassis.clock import Clock
from services.chassis.messaging import Consumers
from services.matching.commands import following_up, index, leaving, meeting, searches, uses
from services.matching.tables import OURS

consumers = Consumers("matching")
_clock = Clock()


@consumers.on(ListingPublished)
async def index_listing(event: ListingPublished, session: AsyncSession, envelope: Envelope) -> None:
    """It can be found, and waits to be compared."""
    await index.keep_own(session, event.listing, said_at=envelope.time)


@consumers.on(ListingWithdrawn)
async def forget_listing(event: ListingWithdrawn, session: AsyncSession, envelope: Envelope) -> None:
    """It can no longer be found."""
    await index.bury_own(session, event, said_at=envelope.time)


@consumers.on(ListingReceived)
async def index_copy(event: ListingReceived, session: AsyncSession, envelope: Envelope) -> None:
    """A peer's listing can be found like ours."""
    await index.keep_copy(session, event, said_at=envelope.time)


@consumers.on(ListingGone)
async def forget_copy(event: ListingGone, session: AsyncSession, envelope: Envelope) -> None:
    """A peer's listing can no longer be found."""
    await index.bury_copy(session, event, said_at=envelope.time)


@consumers.on(LinkChanged)
async def forget_everything_of_ended_link(event: LinkChanged, session: AsyncSession, envelope: Envelope) -> None:
    """Nothing of a peer outlives its link."""
    if event.link.status == "ended" and event.link.peer_id:
        await index.end_link(session, event.link, said_at=envelope.time)
        await meeting.end_link(session, event.link.peer_id)


@consumers.on(ResourceChanged)
async def keep_resource(event: ResourceChanged, session: AsyncSession, envelope: Envelope) -> None:
    """How one of our offers can be booked."""
    await index.keep_resource(session, event.resource, origin=OURS, epoch=0, said_at=envelope.time)


@consumers.on(ResourceReceived)
async def keep_resource_of_peer(event: ResourceReceived, session: AsyncSession, envelope: Envelope) -> None:
    """How a peer's offer can be booked."""
    await index.keep_resource(session, event.resource, origin=event.origin, epoch=event.epoch, said_at=envelope.time)


@consumers.on(BusyChanged)
async def keep_busy_times(event: BusyChanged, session: AsyncSession, envelope: Envelope) -> None:
    """When one of our offers is taken."""
    key = (OURS, event.offer_id)
    await index.keep_busy(session, key, event.busy, version=event.version, epoch=0, said_at=envelope.time)


@consumers.on(BusyReceived)
async def keep_busy_times_of_peer(event: BusyReceived, session: AsyncSession, envelope: Envelope) -> None:
    """When a peer's offer is taken."""
    key, said = (event.origin, event.busy.offer_id), event.busy
    await index.keep_busy(session, key, said.busy, version=said.version, epoch=event.epoch, said_at=envelope.time)


@consumers.on(CircleChanged)
async def keep_circle(event: CircleChanged, session: AsyncSession) -> None:
    """Circles are part of audiences."""
    await index.keep_circle(session, event.circle)


@consumers.on(BookingRequested)
async def count_who_was_asked(event: BookingRequested, session: AsyncSession, envelope: Envelope) -> None:
    """Who is asked often rests."""
    await uses.keep(session, event.booking, asked=True, said_at=envelope.time)


@consumers.on(BookingConfirmed)
async def count_use(event: BookingConfirmed, session: AsyncSession, envelope: Envelope) -> None:
    """Uses between cooperatives balance."""
    await uses.keep(session, event.booking, asked=False, said_at=envelope.time)


@consumers.on(BookingCompleted)
async def count_use_that_is_over(event: BookingCompleted, session: AsyncSession, envelope: Envelope) -> None:
    """It counts, unless nobody came."""
    await uses.keep(session, event.booking, asked=False, said_at=envelope.time)


@consumers.on(BookingCancelled)
async def count_no_use_when_cancelled(event: BookingCancelled, session: AsyncSession, envelope: Envelope) -> None:
    """It was no use after all; who was asked was asked."""
    await uses.keep(session, event.booking, asked=False, said_at=envelope.time)


@consumers.on(BookingDeclined)
async def count_no_use_when_declined(event: BookingDeclined, session: AsyncSession, envelope: Envelope) -> None:
    """The same after a no."""
    await uses.keep(session, event.booking, asked=False, said_at=envelope.time)


@consumers.on(BookingExpired)
async def count_no_use_when_expired(event: BookingExpired, session: AsyncSession, envelope: Envelope) -> None:
    """The same when nobody decided."""
    await uses.keep(session, event.booking, asked=False, said_at=envelope.time)


@consumers.on(MemberChanged)
async def forget_who_has_left(event: MemberChanged, session: AsyncSession) -> None:
    """Saved searches, and what they have found, go with the member."""
    if event.member.status == "left":
        await leaving.note(session, event.member.id, now=_clock.now())
        await searches.forget_member(session, event.member.id)
        await meeting.forget_member(session, event.member.id, now=_clock.now())
        await following_up.forget_member(session, event.member.id)


@consumers.on(IntroductionRequestReceived)
async def ask_our_member_for_peer(event: IntroductionRequestReceived, session: AsyncSession) -> None:
    """A peer's person would like to reach whoever answers for a thing of ours."""
    await meeting.request_received(session, event, now=_clock.now())


@consumers.on(IntroductionAnswerReceived)
async def keep_answer_of_peer(event: IntroductionAnswerReceived, session: AsyncSession) -> None:
    """Yes or no to our member."""
    await meeting.answer_received(session, event, now=_clock.now())


@consumers.on(IntroductionWithdrawalReceived)
async def forget_question_of_peer(event: IntroductionWithdrawalReceived, session: AsyncSession) -> None:
    """Its person no longer asks."""
    await meeting.withdrawal_received(session, event, now=_clock.now())


@consumers.on(PersonForgotten)
async def forget_person_of_peer(event: PersonForgotten, session: AsyncSession) -> None:
    """Somebody has left there."""
    await meeting.forget_person(session, event)
