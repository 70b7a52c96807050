"""What `federation` listens to inside its own instance, and what it does about it."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import (
    BookingCancellationAsked,
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
from contracts.identity import CooperativeChanged
from contracts.notify import ContactDisclosed
from services.chassis.messaging import Consumers
from services.federation import bookings, own_things

consumers = Consumers("federation")


@consumers.on(CooperativeChanged)
async def present_ourselves_anew(event: CooperativeChanged, session: AsyncSession) -> None:
    await own_things.keep_profile(session, event.cooperative)


@consumers.on(ListingPublished)
async def share_listing_with_peers(event: ListingPublished, session: AsyncSession) -> None:
    await own_things.keep_listing(session, event.listing)


@consumers.on(ListingWithdrawn)
async def withdraw_listing_from_peers(event: ListingWithdrawn, session: AsyncSession) -> None:
    await own_things.drop_listing(session, event)


@consumers.on(ResourceChanged)
async def share_resource_with_peers(event: ResourceChanged, session: AsyncSession) -> None:
    await own_things.keep_resource(session, event.resource)


@consumers.on(BusyChanged)
async def share_busy_times_with_peers(event: BusyChanged, session: AsyncSession) -> None:
    await own_things.keep_busy(session, event)


@consumers.on(BookingRequested)
async def ask_peer_or_tell_guest_to_wait(event: BookingRequested, session: AsyncSession) -> None:
    await bookings.ask_or_answer(session, event.booking)


@consumers.on(BookingCancellationAsked)
async def ask_peer_to_cancel(event: BookingCancellationAsked, session: AsyncSession) -> None:
    await bookings.withdraw(session, event.booking)


@consumers.on(BookingConfirmed)
async def tell_guest_of_confirmation(event: BookingConfirmed, session: AsyncSession) -> None:
    await bookings.answer_guest(session, event.booking)


@consumers.on(BookingDeclined)
async def tell_guest_of_refusal(event: BookingDeclined, session: AsyncSession) -> None:
    await bookings.answer_guest(session, event.booking)


@consumers.on(BookingCancelled)
async def tell_guest_of_cancellation(event: BookingCancelled, session: AsyncSession) -> None:
    await bookings.answer_guest(session, event.booking)


@consumers.on(BookingExpired)
async def tell_guest_of_expiry(event: BookingExpired, session: AsyncSession) -> None:
    await bookings.answer_guest(session, event.booking)


@consumers.on(BookingCompleted)
async def tell_guest_of_completion(event: BookingCompleted, session: AsyncSession) -> None:
    await bookings.answer_guest(session, event.booking)


@consumers.on(ContactDisclosed)
async def disclose_contact_to_peer(event: ContactDisclosed, session: AsyncSession) -> None:
    await bookings.disclose(session, event)
