"""What `federation` listens to inside its own instance, and what it does about it."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import (
    BookingCancellationAsked,
    BookingCancellationRefused,
    BookingCancelled,
    BookingChangeAnswered,
    BookingChangeAsked,
    BookingChangeRefused,
    BookingChangeWithdrawalAsked,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingExpired,
    BookingMoved,
    BookingRequested,
    BookingStartAtRisk,
    BookingUseAsked,
    BusyChanged,
    ResourceChanged,
)
from contracts.catalog import ListingPublished, ListingWithdrawn
from contracts.identity import CooperativeChanged, MemberChanged
from contracts.matching import IntroductionAnswered, IntroductionAsked, IntroductionWithdrawn
from contracts.notify import ContactDisclosed, IntroductionDisclosed
from services.chassis.messaging import Consumers
from services.federation import bookings, erasing, introductions, own_things

consumers = Consumers("federation")


@consumers.on(CooperativeChanged)
async def present_ourselves_anew(event: CooperativeChanged, session: AsyncSession) -> None:
    """Peers read our name and summary when they link."""
    await own_things.keep_profile(session, event.cooperative)


@consumers.on(MemberChanged)
async def have_peers_forget_who_has_left(event: MemberChanged, session: AsyncSession) -> None:
    """Each peer that knows a pseudonym of theirs; until it has acknowledged, coordinators see that it has not."""
    if event.member.status == "left":
        await erasing.erase(session, event.member.id)


@consumers.on(ListingPublished)
async def share_listing_with_peers(event: ListingPublished, session: AsyncSession) -> None:
    """Those that it is for; withdrawn from those that it no longer is for."""
    await own_things.keep_listing(session, event.listing)


@consumers.on(ListingWithdrawn)
async def withdraw_listing_from_peers(event: ListingWithdrawn, session: AsyncSession) -> None:
    """Every copy goes."""
    await own_things.drop_listing(session, event)


@consumers.on(ResourceChanged)
async def share_resource_with_peers(event: ResourceChanged, session: AsyncSession) -> None:
    """How guests can book it."""
    await own_things.keep_resource(session, event.resource)


@consumers.on(BusyChanged)
async def share_busy_times_with_peers(event: BusyChanged, session: AsyncSession) -> None:
    """Plain intervals, no person."""
    await own_things.keep_busy(session, event)


@consumers.on(BookingRequested)
async def ask_peer_or_tell_guest_to_wait(event: BookingRequested, session: AsyncSession) -> None:
    """Our member's wish goes to the peer; a guest is told that we have to decide."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingCancellationAsked)
async def ask_peer_to_cancel(event: BookingCancellationAsked, session: AsyncSession) -> None:
    """Only the peer's answer ends the booking."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingConfirmed)
async def tell_guest_of_confirmation(event: BookingConfirmed, session: AsyncSession) -> None:
    """With the exact place and the owner's name; again when it is used, and when it is overdue."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingStartAtRisk)
async def warn_guest_of_late_start(event: BookingStartAtRisk, session: AsyncSession) -> None:
    """The one before has not given it back."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingDeclined)
async def tell_guest_of_refusal(event: BookingDeclined, session: AsyncSession) -> None:
    """With the reason, if one was given."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingCancelled)
async def tell_guest_of_cancellation(event: BookingCancelled, session: AsyncSession) -> None:
    """By whichever side."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingExpired)
async def tell_guest_of_expiry(event: BookingExpired, session: AsyncSession) -> None:
    """Nobody here decided in time."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingCompleted)
async def tell_guest_of_completion(event: BookingCompleted, session: AsyncSession) -> None:
    """The period is over."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingChangeAsked)
async def ask_peer_to_move_or_tell_guest_to_wait(event: BookingChangeAsked, session: AsyncSession) -> None:
    """Our member's wish goes to the peer; a guest is told that theirs waits, or what the owner proposes."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingChangeAnswered)
async def tell_peer_what_member_says_to_its_proposal(event: BookingChangeAnswered, session: AsyncSession) -> None:
    """The peer's database decides whether it can still be."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingChangeWithdrawalAsked)
async def ask_peer_to_forget_change(event: BookingChangeWithdrawalAsked, session: AsyncSession) -> None:
    """Only the peer's answer ends the wish."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingChangeRefused)
async def tell_guest_that_booking_stays(event: BookingChangeRefused, session: AsyncSession) -> None:
    """As it was, with the reason where our rules have one."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingMoved)
async def tell_guest_that_booking_has_moved(event: BookingMoved, session: AsyncSession) -> None:
    """In one step."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingCancellationRefused)
async def tell_guest_that_booking_stands(event: BookingCancellationRefused, session: AsyncSession) -> None:
    """Its notice has begun, or it is in use."""
    await bookings.tell_peer(session, event)


@consumers.on(BookingUseAsked)
async def tell_peer_that_member_came_or_left(event: BookingUseAsked, session: AsyncSession) -> None:
    """The peer's clock and rules decide."""
    await bookings.tell_peer(session, event)


@consumers.on(ContactDisclosed)
async def disclose_contact_to_peer(event: ContactDisclosed, session: AsyncSession) -> None:
    """To the one peer whose member takes part."""
    await bookings.disclose(session, event)


@consumers.on(IntroductionAsked)
async def ask_peer_for_introduction(event: IntroductionAsked, session: AsyncSession) -> None:
    """Under a pseudonym, with the message."""
    await introductions.ask(session, event)


@consumers.on(IntroductionAnswered)
async def tell_peer_of_answer(event: IntroductionAnswered, session: AsyncSession) -> None:
    """To the one peer whose member asked."""
    await introductions.answer(session, event)


@consumers.on(IntroductionWithdrawn)
async def tell_peer_that_nobody_asks_any_more(event: IntroductionWithdrawn, session: AsyncSession) -> None:
    """To the one peer that was asked."""
    await introductions.withdraw(session, event)


@consumers.on(IntroductionDisclosed)
async def introduce_to_peer(event: IntroductionDisclosed, session: AsyncSession) -> None:
    """Only after a yes that crossed."""
    await introductions.disclose(session, event)
