"""What booking listens to: one function for each event, named after its effect."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalog import ListingPublished, ListingWithdrawn
from contracts.envelope import Envelope
from contracts.federation import (
    BookingAnswerReceived,
    BookingEndHandedBack,
    BookingHandedBack,
    BookingReadmitted,
    BookingRequestReceived,
    BookingWithdrawalReceived,
    BusyReceived,
    ChangeAnswerReceived,
    ChangeRequestReceived,
    ChangeWithdrawalReceived,
    ContactReceived,
    LinkChanged,
    ListingGone,
    ListingReceived,
    PersonForgotten,
    RecoveryChanged,
    ResourceReceived,
    UseReportReceived,
)
from contracts.identity import CircleChanged, MemberChanged
from services.booking.commands import copies, forgetting, peer_changes, peers, recovering, returning, seats
from services.booking.queries import database_time
from services.chassis.messaging import Consumers
from services.chassis.problems import Language


def consumers_with(*, pending_per_peer: int, language: Language) -> Consumers:
    """The subscriptions of booking, under this limit on peers, with refusals told in this language."""
    listening = Consumers("booking")
    _keep_copies(listening)
    _keep_copies_of_peers(listening)
    _follow_bookings_across(listening, pending_per_peer, language)
    _change_bookings_of_guests(listening, language)
    _come_back_from_a_backup(listening, language)
    return listening


def _keep_copies(listening: Consumers) -> None:
    @listening.on(ListingPublished)
    async def keep_offer(event: ListingPublished, session: AsyncSession) -> None:
        if event.listing.side == "offer":
            await copies.keep_offer(session, event.listing, now=await database_time(session))

    @listening.on(ListingWithdrawn)
    async def close_resource_of_withdrawn_offer(event: ListingWithdrawn, session: AsyncSession) -> None:
        if event.side == "offer":
            now = await database_time(session)
            await copies.withdraw_offer(session, event.id, version=event.version, now=now)

    @listening.on(MemberChanged)
    async def keep_member(event: MemberChanged, session: AsyncSession) -> None:
        await copies.keep_member(session, event.member, now=await database_time(session))
        if event.member.status == "left":
            await seats.leave_all(session, event.member.id)
            await forgetting.forget(session, event.member.id, event.member.name)

    @listening.on(CircleChanged)
    async def keep_circle(event: CircleChanged, session: AsyncSession) -> None:
        await copies.keep_circle(session, event.circle)

    @listening.on(LinkChanged)
    async def keep_link(event: LinkChanged, session: AsyncSession) -> None:
        await copies.keep_link(session, event.link, now=await database_time(session))


def _keep_copies_of_peers(listening: Consumers) -> None:
    @listening.on(ListingReceived)
    async def keep_offer_of_peer(event: ListingReceived, session: AsyncSession) -> None:
        if event.listing.side == "offer":
            await copies.keep_peer_offer(session, event)

    @listening.on(ListingGone)
    async def forget_offer_of_peer(event: ListingGone, session: AsyncSession, envelope: Envelope) -> None:
        await copies.forget_peer_offer(session, event, said_at=envelope.time)

    @listening.on(ResourceReceived)
    async def keep_resource_of_peer(event: ResourceReceived, session: AsyncSession, envelope: Envelope) -> None:
        await copies.keep_peer_resource(session, event, said_at=envelope.time)

    @listening.on(BusyReceived)
    async def keep_busy_times_of_peer(event: BusyReceived, session: AsyncSession, envelope: Envelope) -> None:
        await copies.keep_peer_busy(session, event, said_at=envelope.time, now=await database_time(session))


def _follow_bookings_across(listening: Consumers, pending_per_peer: int, language: Language) -> None:
    @listening.on(BookingRequestReceived)
    async def decide_on_request_of_peer(event: BookingRequestReceived, session: AsyncSession) -> None:
        now = await database_time(session)
        await peers.answer_request(session, event, limit=pending_per_peer, language=language, now=now)

    @listening.on(BookingWithdrawalReceived)
    async def cancel_for_peer(event: BookingWithdrawalReceived, session: AsyncSession) -> None:
        await peers.answer_withdrawal(session, event, now=await database_time(session))

    @listening.on(BookingAnswerReceived)
    async def take_answer_of_peer(event: BookingAnswerReceived, session: AsyncSession) -> None:
        await peers.take_answer(session, event, now=await database_time(session))

    @listening.on(ContactReceived)
    async def learn_name_of_other_person(event: ContactReceived, session: AsyncSession) -> None:
        await peers.learn_contact(session, origin=event.origin, booking_id=event.booking_id, name=event.name)

    @listening.on(PersonForgotten)
    async def forget_person_of_peer(event: PersonForgotten, session: AsyncSession) -> None:
        await peers.forget_person(session, event)


def _come_back_from_a_backup(listening: Consumers, language: Language) -> None:
    @listening.on(RecoveryChanged)
    async def hold_confirmations_or_go_on(event: RecoveryChanged, session: AsyncSession) -> None:
        await recovering.hold_or_go_on(session, event)

    @listening.on(BookingReadmitted)
    async def take_back_what_a_peer_hands_back(event: BookingReadmitted, session: AsyncSession) -> None:
        await recovering.readmit(session, event, language=language, now=await database_time(session))

    @listening.on(BookingEndHandedBack)
    async def end_again_what_a_peer_hands_back(event: BookingEndHandedBack, session: AsyncSession) -> None:
        await recovering.end_again(session, event, now=await database_time(session))

    @listening.on(BookingHandedBack)
    async def take_back_what_our_member_had_asked(
        event: BookingHandedBack, session: AsyncSession, envelope: Envelope
    ) -> None:
        now = await database_time(session)
        await returning.take_back(session, event, said_at=envelope.time, language=language, now=now)


def _change_bookings_of_guests(listening: Consumers, language: Language) -> None:
    @listening.on(ChangeRequestReceived)
    async def move_booking_of_guest(event: ChangeRequestReceived, session: AsyncSession) -> None:
        now = await database_time(session)
        await peer_changes.answer_change(session, event, language=language, now=now)

    @listening.on(ChangeWithdrawalReceived)
    async def forget_change_of_guest(event: ChangeWithdrawalReceived, session: AsyncSession) -> None:
        await peer_changes.answer_change_withdrawal(session, event, now=await database_time(session))

    @listening.on(ChangeAnswerReceived)
    async def move_booking_of_guest_who_agrees(event: ChangeAnswerReceived, session: AsyncSession) -> None:
        now = await database_time(session)
        await peer_changes.take_answer_to_proposal(session, event, language=language, now=now)

    @listening.on(UseReportReceived)
    async def take_use_by_guest(event: UseReportReceived, session: AsyncSession) -> None:
        await peer_changes.take_use(session, event, now=await database_time(session))


consumers = consumers_with(pending_per_peer=20, language="fr")
"""What provisioning reads the event types from; `app.py` makes its own under the settings."""
