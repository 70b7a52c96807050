"""What notify listens to."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import (
    BookingCancellationAsked,
    BookingCancellationRefused,
    BookingCancelled,
    BookingChangeAsked,
    BookingChangeRefused,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingExpired,
    BookingMoved,
    BookingRequested,
    BookingStartAtRisk,
    PlaceOffered,
    ResourceChanged,
    SeatChanged,
    SeriesCancelled,
    SeriesChangeAsked,
    SeriesChangeRefused,
    SeriesConfirmed,
    SeriesDeclined,
    SeriesMoved,
    SeriesRequested,
    SessionChanged,
    SessionReminder,
    WaitingChanged,
)
from contracts.federation import ContactReceived, LinkChanged, MessageRefused
from contracts.identity import (
    AccessChanged,
    CooperativeChanged,
    EmailChanged,
    EmailChangeRequested,
    MemberChanged,
    MemberContactChanged,
    MemberInvited,
    PasswordResetRequested,
)
from services.chassis.clock import Clock
from services.notify import match_consumers
from services.notify.commands import (
    accounts,
    bookings,
    coordination,
    disclosing,
    forgetting,
    introductions,
    people,
    series,
    sessions,
    waiting,
)
from services.notify.heard import consumers

__all__ = ["consumers", "match_consumers"]

_clock = Clock()


@consumers.on(MemberChanged)
async def keep_member(event: MemberChanged, session: AsyncSession) -> None:
    """Keep who coordinates, who reads in which language; forget who has left."""
    await people.keep_member(session, event.member)
    if event.member.status == "left":
        await introductions.forget(session, event.member.id)
        await forgetting.forget_member(session, event.member)


@consumers.on(MemberContactChanged)
async def keep_contact_and_say_what_waited_for_it(event: MemberContactChanged, session: AsyncSession) -> None:
    """Keep the address; a confirmed booking may have waited for it."""
    await accounts.keep_contact(session, event, now=_clock.now())


@consumers.on(CooperativeChanged)
async def keep_cooperative(event: CooperativeChanged, session: AsyncSession) -> None:
    """Keep the name in From and footers."""
    await people.keep_cooperative(session, event.cooperative)


@consumers.on(ResourceChanged)
async def keep_who_decides(event: ResourceChanged, session: AsyncSession) -> None:
    """Keep whom requests for this offer go to."""
    await people.keep_resource(session, event.resource)


@consumers.on(MemberInvited)
async def mail_invitation(event: MemberInvited, session: AsyncSession) -> None:
    """To the invited address, in its language."""
    await accounts.send_link(session, "member-invited", event, now=_clock.now())


@consumers.on(PasswordResetRequested)
async def mail_password_reset(event: PasswordResetRequested, session: AsyncSession) -> None:
    """To the account's address."""
    await accounts.send_link(session, "password-reset", event, now=_clock.now())


@consumers.on(EmailChangeRequested)
async def mail_confirmation_to_new_address(event: EmailChangeRequested, session: AsyncSession) -> None:
    """To the new address, which must be proved."""
    await accounts.send_link(session, "email-change", event, now=_clock.now())


@consumers.on(EmailChanged)
async def warn_old_address(event: EmailChanged, session: AsyncSession) -> None:
    """To the former address."""
    await accounts.warn_old_address(session, event, now=_clock.now())


@consumers.on(AccessChanged)
async def tell_owner_of_account(event: AccessChanged, session: AsyncSession) -> None:
    """To the account's address, whatever mails its owner wants."""
    await accounts.tell_of_access(session, event, now=_clock.now())


@consumers.on(BookingRequested)
async def ask_deciders(event: BookingRequested, session: AsyncSession) -> None:
    """The owner or the coordinators decide; the borrower sees that it is on its way."""
    await bookings.requested(session, event.booking, now=_clock.now(), quietly=event.together is not None)


@consumers.on(BookingConfirmed)
async def tell_both_that_booking_is_confirmed(event: BookingConfirmed, session: AsyncSession) -> None:
    """With a calendar entry, and the contact for a peer concerned; later, that it is in use or overdue."""
    await bookings.confirmed(session, event.booking, now=_clock.now(), quietly=event.together is not None)


@consumers.on(BookingStartAtRisk)
async def warn_borrower_of_late_start(event: BookingStartAtRisk, session: AsyncSession) -> None:
    """The one before has not given it back."""
    await bookings.warn_borrower(session, event.booking, "booking-start-at-risk", now=_clock.now())


@consumers.on(BookingDeclined)
async def tell_borrower_that_booking_is_declined(event: BookingDeclined, session: AsyncSession) -> None:
    """With the reason given."""
    await bookings.declined(session, event.booking, now=_clock.now(), quietly=event.together is not None)


@consumers.on(BookingCancellationAsked)
async def tell_borrower_that_peer_must_answer(event: BookingCancellationAsked, session: AsyncSession) -> None:
    """Only the peer's answer ends it."""
    await bookings.cancellation_asked(session, event.booking, now=_clock.now())


@consumers.on(BookingCancellationRefused)
async def tell_borrower_that_booking_stands(event: BookingCancellationRefused, session: AsyncSession) -> None:
    """The peer did not accept that it be called off."""
    await bookings.warn_borrower(session, event.booking, "booking-cancellation-refused", now=_clock.now())


@consumers.on(BookingCancelled)
async def tell_both_that_booking_is_cancelled(event: BookingCancelled, session: AsyncSession) -> None:
    """Calendars lose the entry."""
    await bookings.cancelled(session, event, now=_clock.now(), quietly=event.together is not None)


@consumers.on(BookingExpired)
async def tell_both_that_nobody_decided(event: BookingExpired, session: AsyncSession) -> None:
    """Nothing is booked."""
    await bookings.expired(session, event.booking, now=_clock.now(), quietly=event.together is not None)


@consumers.on(BookingCompleted)
async def note_that_booking_is_over(event: BookingCompleted, session: AsyncSession) -> None:
    """In both inboxes, without a mail."""
    await bookings.completed(session, event.booking, now=_clock.now())


@consumers.on(BookingChangeAsked)
async def ask_other_side_about_change(event: BookingChangeAsked, session: AsyncSession) -> None:
    """The booking stays as it is until they answer."""
    await bookings.change_asked(session, event, now=_clock.now())


@consumers.on(BookingChangeRefused)
async def tell_that_booking_stays(event: BookingChangeRefused, session: AsyncSession) -> None:
    """To the side that did not say so."""
    await bookings.change_refused(session, event, now=_clock.now())


@consumers.on(BookingMoved)
async def tell_both_that_booking_has_moved(event: BookingMoved, session: AsyncSession) -> None:
    """Calendars move the entry."""
    await bookings.moved(session, event, now=_clock.now())


@consumers.on(SessionChanged)
async def tell_participants_that_session_moved_or_ended(event: SessionChanged, session: AsyncSession) -> None:
    """Whoever has a seat, is offered one or waits; nothing when only seats changed."""
    await sessions.changed(session, event.session, now=_clock.now())


@consumers.on(SeatChanged)
async def tell_person_of_seat(event: SeatChanged, session: AsyncSession) -> None:
    """Taken (with a calendar entry), offered until when, waiting, left, or missed."""
    await sessions.seat_changed(session, event, now=_clock.now())


@consumers.on(SessionReminder)
async def remind_of_session(event: SessionReminder, session: AsyncSession) -> None:
    """The day before: those with a seat, and the organiser."""
    await sessions.reminded(session, event, now=_clock.now())


@consumers.on(PlaceOffered)
async def ask_whether_the_place_is_taken(event: PlaceOffered, session: AsyncSession) -> None:
    """A place has become free for the next in line, who has some hours to accept."""
    await waiting.place_offered(session, event.waiting, now=_clock.now())


@consumers.on(WaitingChanged)
async def tell_that_waiting_is_over(event: WaitingChanged, session: AsyncSession) -> None:
    """The time to accept is over, or nothing has become free."""
    await waiting.waiting_changed(session, event.waiting, now=_clock.now())


@consumers.on(SeriesRequested)
async def ask_deciders_once_for_series(event: SeriesRequested, session: AsyncSession) -> None:
    """One question for all its dates."""
    await series.requested(session, event.series, now=_clock.now())


@consumers.on(SeriesConfirmed)
async def tell_both_that_series_is_confirmed(event: SeriesConfirmed, session: AsyncSession) -> None:
    """With its dates."""
    await series.confirmed(session, event.series, now=_clock.now())


@consumers.on(SeriesDeclined)
async def tell_that_series_is_declined(event: SeriesDeclined, session: AsyncSession) -> None:
    """With the reason given, or because nobody decided in time."""
    await series.declined(session, event, now=_clock.now())


@consumers.on(SeriesCancelled)
async def tell_both_that_series_is_cancelled(event: SeriesCancelled, session: AsyncSession) -> None:
    """Which dates are free again."""
    await series.cancelled(session, event, now=_clock.now())


@consumers.on(SeriesMoved)
async def tell_both_that_series_is_moved(event: SeriesMoved, session: AsyncSession) -> None:
    """The new dates."""
    await series.moved(session, event, now=_clock.now())


@consumers.on(SeriesChangeAsked)
async def ask_other_side_about_series_change(event: SeriesChangeAsked, session: AsyncSession) -> None:
    """One question for all its dates."""
    await series.change_asked(session, event, now=_clock.now())


@consumers.on(SeriesChangeRefused)
async def tell_that_series_stays(event: SeriesChangeRefused, session: AsyncSession) -> None:
    """To whoever did not say so; to both when nobody answered in time."""
    await series.change_refused(session, event, now=_clock.now())


@consumers.on(LinkChanged)
async def tell_coordinators_of_link(event: LinkChanged, session: AsyncSession) -> None:
    """When it waits for them, opened, was paused or ended."""
    await coordination.link_changed(session, event.link, now=_clock.now())
    if event.link.status == "ended" and event.link.peer_id:
        await introductions.forget(session, event.link.peer_id)


@consumers.on(ContactReceived)
async def give_contact_to_our_member(event: ContactReceived, session: AsyncSession) -> None:
    """The other person of a booking across the border."""
    await disclosing.received(session, event, now=_clock.now())


@consumers.on(MessageRefused)
async def tell_coordinators_of_refusal(event: MessageRefused, session: AsyncSession) -> None:
    """At most once an hour for each link."""
    await coordination.message_refused(session, event, now=_clock.now())
