"""A cooperative comes back from last night's backup: what its own members had asked of its peer since stands there."""

from dataclasses import dataclass
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.booking import BookingCancelled, BookingConfirmed, BookingRequested, BookingState, Party
from contracts.catalog import ListingState
from contracts.federation import (
    BookingAnswerReceived,
    BookingHandedBack,
    BookingRequestReceived,
    BookingWithdrawalReceived,
    ContactReceived,
    IntroductionAnswerReceived,
    IntroductionRequestReceived,
    IntroductionWithdrawalReceived,
    PersonForgotten,
    RecoveryChanged,
)
from contracts.identity import MemberChanged, MemberState
from contracts.matching import IntroductionAnswered, IntroductionAsked
from contracts.notify import ContactDisclosed
from services.chassis.ids import new_id
from services.federation.mending_tables import introductions
from services.federation.tables import bookings_abroad, guest_bookings, positions, pseudonyms, sent_log, streams
from tests.services.federation.around_a_hub import as_owner_has_it, wish_for
from tests.services.federation.pair import Pair, Post, eventually, listing
from tests.services.federation.test_mending import change
from tests.services.federation.test_sharing import booking_of, can_be_booked

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Backup:
    """How far the two streams of a link were."""

    link_id: UUID
    said_to: int
    heard_to: int

    @classmethod
    async def of(cls, post: Post, link_id: UUID) -> "Backup":
        said = {row["link_id"]: row["seq"] for row in await post.rows(streams)}
        heard = {row["link_id"]: row["applied_to"] for row in await post.rows(positions)}
        return cls(link_id, said[link_id], heard[link_id])

    async def restore(self, post: Post, *forgotten: sa.Table) -> None:
        """Nothing that was said or heard since is known any more, nor anything in these tables."""
        heard = {"applied_to": self.heard_to, "seen_to": self.heard_to, "proof": None}
        await change(
            post,
            *(sa.delete(table) for table in (bookings_abroad, *forgotten)),
            sa.delete(sent_log).where(sent_log.c.link_id == self.link_id, sent_log.c.seq > self.said_to),
            sa.update(streams).where(streams.c.link_id == self.link_id).values(seq=self.said_to, acked_to=self.said_to),
            sa.update(positions).where(positions.c.link_id == self.link_id).values(**heard),
        )
        async with post.client("administrator") as administrator:
            assert (await administrator.post("/recovery")).status_code == 202


async def shared(pair: Pair) -> ListingState:
    """Something of Lille that can be booked in Namur."""
    offer = listing()
    await can_be_booked(pair, offer)
    return offer


async def booked(pair: Pair, offer: ListingState) -> tuple[BookingState, Party]:
    """Omar of Namur books it and is told whom he meets; his wish, and what Lille knows of him."""
    lille, namur = pair.lille, pair.namur
    async with (
        lille.ear("booking", BookingRequestReceived) as requests,
        namur.ear("booking", BookingAnswerReceived) as answers,
        namur.ear("notify", ContactReceived) as contacts,
    ):
        omar = Party(member_id=new_id(), name="Omar")
        wish = booking_of(offer, resource_origin=lille.border.us, borrower=omar, note="Pour un prototype")
        await namur.say("booking", BookingRequested(booking=wish))
        guest = Party(peer_id=namur.border.us, pseudonym=(await requests()).pseudonym)
        yes = booking_of(offer, id=wish.id, borrower=guest, status="confirmed", version=2, quantity=wish.quantity)
        await lille.say("booking", BookingConfirmed(booking=yes))
        await answers()
        met = ContactDisclosed(
            booking_id=wish.id, peer_id=namur.border.us, name="Ana Petit", email="ana@x.example", member_id=new_id()
        )
        await lille.say("notify", met)
        await contacts()
    return wish, guest


async def test_what_our_member_had_asked_since_the_backup_is_theirs_again(pair: Pair) -> None:
    _, namur_id = await pair.link()
    offer = await shared(pair)
    backup = await Backup.of(pair.namur, namur_id)
    wish, _ = await booked(pair, offer)
    async with (
        pair.namur.ear("booking", BookingHandedBack) as handed,
        pair.namur.ear("booking", RecoveryChanged) as recovered,
        pair.namur.ear("notify", ContactReceived) as contacts,
    ):
        await backup.restore(pair.namur)
        assert (await recovered()).recovering
        back = await handed()
        assert (back.booking_id, back.offer_id, back.member_id) == (wish.id, offer.id, wish.borrower.member_id)
        assert (back.start, back.note, back.decide_by) == (wish.start, wish.note, wish.decide_by)
        assert back.answer is not None
        assert (back.answer.status, back.answer.version, back.answer.origin) == ("confirmed", 2, pair.lille.border.us)
        assert (await contacts()).email == "ana@x.example"
        assert not (await recovered()).recovering
    await eventually(lambda: is_kept_as_the_peer_signed_it(pair.namur))
    link = await pair.namur.link()
    assert (link["refused"], link["unclaimed"]) == (0, 0)


async def is_kept_as_the_peer_signed_it(post: Post) -> bool:
    rows = await post.rows(bookings_abroad)
    return [(row["status"], row["decision"] is not None) for row in rows] == [("confirmed", True)]


async def test_bookings_of_whom_nobody_knows_any_more_are_shown_and_called_off(pair: Pair) -> None:
    _, namur_id = await pair.link()
    offer = await shared(pair)
    backup = await Backup.of(pair.namur, namur_id)
    wish, guest = await booked(pair, offer)
    async with (
        pair.namur.ear("booking", RecoveryChanged) as recovered,
        pair.lille.ear("booking", BookingWithdrawalReceived) as withdrawals,
    ):
        await backup.restore(pair.namur, pseudonyms)
        assert [(await recovered()).recovering, (await recovered()).recovering] == [True, False]
        (left,) = await pair.namur.call("GET", f"/links/{namur_id}/unclaimed")
        assert (left["booking_id"], left["offer_id"], left["confirmed"]) == (str(wish.id), str(offer.id), True)
        assert (await pair.namur.link())["unclaimed"] == 1
        (kept,) = await pair.namur.rows(bookings_abroad)
        assert wish.note not in kept["request"], "words of somebody whom nobody knows"
        before = await told_about(pair.namur, wish.id)
        await call_off(pair.namur, namur_id, str(new_id()))
        assert await told_about(pair.namur, wish.id) == before, "of what nobody has looked at, nothing is called off"
        await call_off(pair.namur, namur_id, left["booking_id"])
        asked = await withdrawals()
        assert asked.booking_id == wish.id
        over = booking_of(offer, id=wish.id, borrower=guest, status="cancelled", version=3)
        await pair.lille.say("booking", BookingCancelled(booking=over, by="borrower"))
        await eventually(lambda: nothing_unclaimed(pair.namur))
    assert await pair.namur.call("GET", f"/links/{namur_id}/unclaimed") == []
    assert (await pair.namur.link())["refused"] == 0


async def told_about(post: Post, booking_id: UUID) -> int:
    """How often the peer was told something of a booking; receipts and what else is said meanwhile do not count."""
    return sum(str(booking_id) in str(dict(row)) for row in await post.rows(sent_log))


async def call_off(post: Post, link_id: UUID, booking_id: str) -> None:
    path = f"/links/{link_id}/unclaimed/call-off"
    await post.call("POST", path, json={"booking_ids": [booking_id]}, expect=202)


async def nothing_unclaimed(post: Post) -> bool:
    return (await post.link())["unclaimed"] == 0


async def test_what_is_over_or_of_somebody_who_left_is_not_kept_to_be_handed_back(pair: Pair) -> None:
    await pair.link()
    offer = await shared(pair)
    wish, guest = await booked(pair, offer)
    await pair.lille.say("booking", BookingCancelled(by="owner", booking=over(offer, wish, guest)))
    await eventually(lambda: nothing_to_hand_back(pair.lille))
    another, _ = await booked(pair, offer)
    async with pair.lille.ear("booking", PersonForgotten) as forgotten:
        await pair.namur.say("identity", left(another))
        await forgotten()
    assert await nothing_to_hand_back(pair.lille)


def over(offer: ListingState, wish: BookingState, guest: Party) -> BookingState:
    return booking_of(offer, id=wish.id, borrower=guest, status="cancelled", version=3)


def left(wish: BookingState) -> MemberChanged:
    assert wish.borrower.member_id is not None
    gone = MemberState(id=wish.borrower.member_id, name="Omar", role="member", status="left", locale="fr", version=9)
    return MemberChanged(member=gone)


async def nothing_to_hand_back(post: Post) -> bool:
    return all(row["request"] is None and row["pseudonym"] is None for row in await post.rows(guest_bookings))


async def test_a_yes_to_a_question_that_was_forgotten_is_told_that_nobody_asks(pair: Pair) -> None:
    _, namur_id = await pair.link()
    offer, (lille, namur) = await shared(pair), (pair.lille, pair.namur)
    backup = await Backup.of(namur, namur_id)
    yes, no = (wish_for(offer, lille, new_id()) for _ in range(2))
    async with (
        lille.ear("matching", IntroductionRequestReceived) as requests,
        lille.ear("matching", IntroductionWithdrawalReceived) as withdrawals,
        namur.ear("matching", IntroductionAnswerReceived) as answers,
    ):
        for wish in (yes, no):
            await namur.say("matching", IntroductionAsked(introduction=wish))
            await requests()
        await backup.restore(namur, introductions)
        for wish, changes in ((no, {"status": "declined", "reason": "gone"}), (yes, {"status": "accepted"})):
            answer = IntroductionAnswered(introduction=as_owner_has_it(wish, namur, version=2, **changes))
            await lille.say("matching", answer)
        assert (await withdrawals()).introduction_id == yes.id
        known = wish_for(offer, lille, new_id())
        await namur.say("matching", IntroductionAsked(introduction=known))
        await requests()
        answer = IntroductionAnswered(introduction=as_owner_has_it(known, namur, version=2, status="accepted"))
        await lille.say("matching", answer)
        assert (await answers()).introduction_id == known.id, "what is not forgotten is answered as ever"
    assert (await namur.link())["refused"] == 0
