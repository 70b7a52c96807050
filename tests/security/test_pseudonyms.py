"""A peer that mints pseudonyms holds back no more of a machine than one person of its could."""

from datetime import timedelta

import pytest

from contracts.booking import BookingDeclined, BookingEvent
from tests.instances import Instance
from tests.services.booking.test_peers_ask import request, share
from tests.services.booking.workshop import at, opened

PSEUDONYMS = 1000
LIMIT = 20


@pytest.mark.timeout(400)
async def test_a_thousand_pseudonyms_hold_back_as_little_as_one(instance: Instance) -> None:
    async with opened(instance, booking_pending_per_peer=LIMIT) as workshop:
        await share(workshop)
        await workshop.rules(approval="owner")
        for number in range(PSEUDONYMS):
            start = at(8) + timedelta(minutes=30 * (number % 20), days=number // 20 % 20)
            await workshop.hear(
                request(
                    workshop, pseudonym=f"p-{number}", start=start, end=start + timedelta(minutes=30), decide_by=at(7)
                )
            )
        answers = await workshop.said(BookingEvent)
        pending = {one.booking.id for one in answers if one.booking.status == "pending"}
        declined = {one.booking.id for one in answers if isinstance(one, BookingDeclined)}
        assert len(pending) <= LIMIT
        assert len(pending | declined) == PSEUDONYMS, "every request has an answer"
        free = at(12) + timedelta(days=25)
        form = {
            "offer_id": str(workshop.laser), "start": free.isoformat(), "end": (free + timedelta(hours=1)).isoformat(),
            "quantity": 1, "note": "",
        }  # fmt: skip
        mine = await workshop.as_ana.post("/bookings", json=form)
        assert mine.status_code == 201, mine.text
        print(f"{PSEUDONYMS} pseudonyms: {len(pending)} requests wait, {len(declined)} were declined")
