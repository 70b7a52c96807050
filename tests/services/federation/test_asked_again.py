"""A cooperative comes back from last night's backup: what its peer's members still wait for is asked of it again."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.booking import (
    BookingCancellationAsked,
    BookingCancelled,
    BookingChangeAsked,
    BookingChangeRefused,
    BookingConfirmed,
    BookingRequested,
    BookingState,
    ChangeState,
    Party,
)
from contracts.catalog import ListingState
from contracts.federation import (
    BookingAnswerReceived,
    BookingEndHandedBack,
    BookingReadmitted,
    BookingRequestReceived,
    BookingWithdrawalReceived,
    ChangeRequestReceived,
    RecoveryChanged,
)
from services.chassis.ids import new_id
from services.federation.sealed import Content
from services.federation.tables import bookings_abroad, guest_bookings, sent_log
from tests.services.federation.pair import Pair, Post, eventually
from tests.services.federation.test_handed_back import Backup, booked, shared
from tests.services.federation.test_mending import change
from tests.services.federation.test_sharing import booking_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


def later(wish: BookingState, number: int) -> BookingChangeAsked:
    """Omar would rather come a day later."""
    day = timedelta(days=number)
    wanted = ChangeState(
        start=wish.start + day, end=wish.end + day, quantity=2, note="train", by_owner=False,
        decide_by=wish.start, number=number,
    )  # fmt: skip
    return BookingChangeAsked(booking=wish, change=wanted)


async def said(post: Post, kind: str) -> int:
    return len([row for row in await post.rows(sent_log) if Content.model_validate_json(row["content"]).type == kind])


async def test_what_nobody_has_answered_is_asked_again(pair: Pair) -> None:
    lille_id, _ = await pair.link()
    offer, (lille, namur) = await shared(pair), (pair.lille, pair.namur)
    wish, guest = await booked(pair, offer)
    async with (
        lille.ear("booking", ChangeRequestReceived) as changes,
        lille.ear("booking", BookingWithdrawalReceived) as withdrawals,
        lille.ear("booking", BookingRequestReceived) as requests,
        lille.ear("booking", RecoveryChanged) as recovered,
        lille.ear("booking", BookingReadmitted) as readmitted,
    ):
        for number in (1, 2):
            await namur.say("booking", later(wish, number))
            assert (await changes()).number == number
        off = wish.model_copy(update={"status": "cancelling", "withdrawal_number": 1})
        await namur.say("booking", BookingCancellationAsked(booking=off))
        await withdrawals()
        open_request = await asked(pair, offer)
        assert (await requests()).booking_id == open_request
        # it has heard all of it: what was on its way to its booking service is lost with its broker
        await (await Backup.of(lille, lille_id)).restore(lille)
        assert (await recovered()).recovering
        assert (await readmitted()).booking_id == wish.id
        again = await changes()
        assert (again.booking_id, again.number, again.quantity) == (wish.id, 2, 2)
        assert (await withdrawals()).number == 1
        assert (await requests()).booking_id == open_request
        stands = booking_of(offer, id=wish.id, borrower=guest, status="confirmed", version=2)
        await lille.say("booking", BookingConfirmed(booking=stands))
        assert not (await recovered()).recovering
    assert (await lille.link())["refused"] == (await namur.link())["refused"] == 0


async def asked(pair: Pair, offer: ListingState) -> UUID:
    """Omar also asks for what nobody answers."""
    omar = Party(member_id=new_id(), name="Omar")
    wish = booking_of(offer, resource_origin=pair.lille.border.us, borrower=omar)
    await pair.namur.say("booking", BookingRequested(booking=wish))
    return wish.id


async def test_what_was_answered_is_not_asked_again_and_comes_back_as_we_signed_it(pair: Pair) -> None:
    lille_id, _ = await pair.link()
    offer, (lille, namur) = await shared(pair), (pair.lille, pair.namur)
    wish, guest = await booked(pair, offer)
    async with (
        lille.ear("booking", ChangeRequestReceived) as changes,
        lille.ear("booking", RecoveryChanged) as recovered,
        lille.ear("booking", BookingReadmitted) as readmitted,
        namur.ear("booking", BookingAnswerReceived) as answers,
    ):
        await namur.say("booking", later(wish, 1))
        await changes()
        kept = {"borrower": guest, "status": "confirmed", "version": 3, "change_decided": 1, "quantity": 3}
        no = booking_of(offer, id=wish.id, withdrawal_number=4, **kept)
        await lille.say("booking", BookingChangeRefused(booking=no, by="owner"))
        assert (await answers()).change_decided == 1

        async def is_kept() -> bool:
            return [row["version"] for row in await namur.rows(bookings_abroad)] == [3]

        await eventually(is_kept)
        before = await said(namur, "border.change_requested.v1")
        await (await Backup.of(lille, lille_id)).restore(lille)
        assert (await recovered()).recovering
        back = await readmitted()
        assert (back.version, back.quantity, back.change_decided, back.withdrawals_heard) == (3, 3, 1, 4)
        await lille.say("booking", BookingChangeRefused(booking=no, by="owner"))
        assert not (await recovered()).recovering
    assert await said(namur, "border.change_requested.v1") == before == 1


async def test_what_was_called_off_since_the_backup_is_over_again(pair: Pair) -> None:
    lille_id, _ = await pair.link()
    offer, (lille, namur) = await shared(pair), (pair.lille, pair.namur)
    wish, guest = await booked(pair, offer)
    other, _ = await booked(pair, offer)
    backup = await Backup.of(lille, lille_id)
    off = booking_of(offer, id=wish.id, borrower=guest, status="cancelled", version=3, reason="En panne")
    async with (
        namur.ear("booking", BookingAnswerReceived) as answers,
        lille.ear("booking", RecoveryChanged) as recovered,
        lille.ear("booking", BookingReadmitted) as readmitted,
        lille.ear("booking", BookingEndHandedBack) as ended,
    ):
        await lille.say("booking", BookingCancelled(booking=off, by="owner"))
        assert (await answers()).status == "cancelled"
        stands = {"status": "confirmed", "version": 2}
        await change(lille, sa.update(guest_bookings).where(guest_bookings.c.booking_id == wish.id).values(stands))
        await backup.restore(lille)
        assert (await recovered()).recovering
        back = await ended()
        assert (back.booking_id, back.status, back.version, back.reason) == (wish.id, "cancelled", 3, "En panne")
        assert (await readmitted()).booking_id == other.id, "of what is over nothing else is said"
        await lille.say("booking", BookingCancelled(booking=off, by="system"))
        known = booking_of(offer, id=other.id, borrower=guest, **stands)
        await lille.say("booking", BookingConfirmed(booking=known))
        assert not (await recovered()).recovering
        await eventually(lambda: is_over(lille, wish.id))
    assert (await lille.link())["refused"] == (await namur.link())["refused"] == 0


async def is_over(post: Post, booking_id: UUID) -> bool:
    return {row["booking_id"]: row["status"] for row in await post.rows(guest_bookings)}[booking_id] == "cancelled"
