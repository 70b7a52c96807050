"""One cooperative comes back from last night's backup while the other went on."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.booking import BookingConfirmed, BookingRequested, BookingState, Party
from contracts.catalog import ListingState
from contracts.federation import (
    BookingAnswerReceived,
    BookingReadmitted,
    BookingRequestReceived,
    RecoveryChanged,
)
from contracts.link import RecoveryAsked
from services.chassis.ids import new_id
from services.federation import mending, recovery
from services.federation.mending_tables import copies, recoveries
from services.federation.tables import guest_bookings, positions, sent_log, streams
from tests.services.federation.pair import Pair, Post, eventually, listing, pause, published
from tests.services.federation.test_mending import change, holds
from tests.services.federation.test_sharing import booking_of, can_be_booked

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_was_confirmed_since_the_backup_is_handed_back_and_booking_has_taken_it_before_all_is_well(
    pair: Pair,
) -> None:
    lille_id, _ = await pair.link()
    lille, namur, offer = pair.lille, pair.namur, listing()
    await can_be_booked(pair, offer)
    backup = {row["link_id"]: row["seq"] for row in await lille.rows(streams)}[lille_id]
    yes = await confirmed(pair, offer)
    async with (
        lille.ear("booking", RecoveryChanged) as recovered,
        lille.ear("booking", BookingReadmitted) as readmitted,
    ):
        await forget(lille, lille_id, backup)
        newer = listing()
        await lille.say("catalog", published(newer))
        assert (await recovered()).recovering
        assert (await lille.call("GET", "/recovery"))["begun_by"] == namur.instance.name
        back = await readmitted()
        assert (back.booking_id, back.status, back.version) == (yes.id, "confirmed", 2)
        assert (back.offer_id, back.pseudonym, back.start) == (offer.id, yes.borrower.pseudonym, yes.start)
        await eventually(lambda: answered(lille))
        await asyncio.sleep(3)  # links are tended several times
        assert (await lille.call("GET", "/recovery"))["recovering"], "booking has not said what became of it"
        await lille.say("booking", BookingConfirmed(booking=yes))
        assert not (await recovered()).recovering
        await eventually(lambda: holds(namur, [offer, newer]))
    place = {row["link_id"]: row for row in await lille.rows(streams)}[lille_id]
    assert place["epoch"] > 1
    assert (await namur.link())["refused"] == (await lille.link())["refused"] == 0


async def confirmed(pair: Pair, offer: ListingState) -> BookingState:
    """Somebody of Namur books it, and Lille says yes: the booking as Lille has it."""
    lille, namur = pair.lille, pair.namur
    async with (
        lille.ear("booking", BookingRequestReceived) as requests,
        namur.ear("booking", BookingAnswerReceived) as answers,
    ):
        wish = booking_of(offer, resource_origin=lille.border.us, borrower=Party(member_id=new_id(), name="Omar"))
        await namur.say("booking", BookingRequested(booking=wish))
        guest = Party(peer_id=namur.border.us, pseudonym=(await requests()).pseudonym)
        yes = booking_of(offer, id=wish.id, borrower=guest, status="confirmed", version=2)
        await lille.say("booking", BookingConfirmed(booking=yes))
        assert (await answers()).status == "confirmed"
    return yes


async def forget(post: Post, link_id: UUID, backup: int) -> None:
    """Restored: it knows neither of bookings of guests, nor of what it has said on the link after `backup`."""
    await change(
        post,
        sa.delete(guest_bookings),
        sa.delete(sent_log).where(sent_log.c.link_id == link_id, sent_log.c.seq > backup),
        sa.update(streams).where(streams.c.link_id == link_id).values(seq=backup, acked_to=backup),
    )


async def test_an_administrator_declares_a_restore_and_goes_on_without_a_silent_peer(pair: Pair) -> None:
    _, namur_id = await pair.link()
    await pause(pair.namur, namur_id)
    lille = pair.lille
    async with lille.ear("booking", RecoveryChanged) as recovered, lille.client("administrator") as administrator:
        async with lille.client("coordinator") as coordinator:
            assert (await coordinator.post("/recovery")).status_code == 403
        declared = (await administrator.post("/recovery")).json()
        assert declared["waiting_for"] == [pair.namur.instance.name]
        assert (await recovered()).recovering
        assert (await lille.link())["reason"] == "recovering"
        assert (await administrator.delete("/recovery")).status_code == 204
        assert not (await recovered()).recovering
    assert (await lille.call("GET", "/recovery"))["recovering"] is False


async def test_a_peer_that_lets_the_question_go_is_asked_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says much already, as just after a restore, when all is compared, and answers nothing for a minute."""
    lille_id, _ = await pair.link()
    lille = pair.lille
    async with lille.ear("booking", RecoveryChanged) as recovered, lille.client("administrator") as administrator:
        with monkeypatch.context() as busy:
            busy.setattr(mending, "SAID_PER_MINUTE", 0)
            await administrator.post("/recovery")
            assert (await recovered()).recovering

            async def is_heard() -> bool:
                (stream,) = [row for row in await lille.rows(streams) if row["link_id"] == lille_id]
                said = [row for row in await lille.rows(sent_log) if row["epoch"] == stream["epoch"]]
                question = min(row["seq"] for row in said if RecoveryAsked.type in row["content"])
                return bool(stream["acked_to"] >= question)  # receipts, said meanwhile, are not acknowledged

            await eventually(is_heard)
        assert (await lille.link())["reason"] == "recovering"
        long_ago = sa.func.now() - recovery.ASKED_AGAIN_AFTER
        await change(lille, sa.update(streams).values(recovery_asked_at=long_ago))
        assert not (await recovered()).recovering


async def test_what_the_peer_has_said_since_the_backup_is_asked_for_before_a_gap_shows(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a gap all that is handed back waits: until it is old enough, and links are tended, seconds pass."""
    monkeypatch.setattr(mending, "GAP_GRACE", timedelta(days=1))
    lille_id, _ = await pair.link()
    lille, namur, known, offers = pair.lille, pair.namur, listing(), [listing() for _ in range(3)]
    await namur.say("catalog", published(known))
    await eventually(lambda: holds(lille, [known]))
    (place,) = await lille.rows(positions)
    for offer in offers:
        await namur.say("catalog", published(offer))
    await eventually(lambda: holds(lille, offers))
    backup = {"applied_to": place["applied_to"], "seen_to": place["applied_to"]}
    await change(
        lille,
        sa.delete(copies).where(copies.c.link_id == lille_id, copies.c.thing_id != known.id),
        sa.update(positions).where(positions.c.link_id == lille_id).values(**backup),
    )
    async with lille.client("administrator") as administrator:
        assert (await administrator.post("/recovery")).status_code == 202
    await eventually(lambda: answered(lille))
    assert await holds(lille, offers)
    await eventually(lambda: is_over(lille))


async def newest(lille: Post) -> dict[str, Any]:
    return dict(max(await lille.rows(recoveries), key=lambda row: row["begun_at"]))


async def is_over(lille: Post) -> bool:
    return (await newest(lille))["ended_at"] is not None


async def answered(lille: Post) -> bool:
    return (await newest(lille))["answered_at"] is not None
