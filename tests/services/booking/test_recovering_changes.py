"""After a restore from a backup: what a peer's person wished to change is answered once, and numbers go on."""

from typing import Any

import pytest

from contracts.booking import BookingChangeAsked, BookingChangeRefused, BookingEvent, BookingMoved
from contracts.federation import BookingReadmitted
from tests.services.booking.test_moving_across import wish
from tests.services.booking.test_peers_ask import request, share
from tests.services.booking.test_recovering import recovering
from tests.services.booking.workshop import Workshop, at


async def a_wish_in_the_backup(workshop: Workshop, **answered: Any) -> BookingReadmitted:
    """Namur's booking from nine to eleven waits to be moved; this is what is handed back of it."""
    await share(workshop)
    await workshop.rules(approval="owner")
    asked = request(workshop)
    await workshop.hear(asked)
    assert (await workshop.as_omar.post(f"/bookings/{asked.booking_id}/approve")).status_code == 200
    await workshop.hear(wish(asked.booking_id))
    waits = (await workshop.said(BookingEvent))[-1]
    assert isinstance(waits, BookingChangeAsked)
    await recovering(workshop, 1, begins=True)
    promised: dict[str, Any] = asked.model_dump() | {"status": "confirmed", "version": waits.booking.version} | answered
    return BookingReadmitted(**promised)


async def test_a_wish_that_was_refused_since_the_backup_is_over(workshop: Workshop) -> None:
    back = await a_wish_in_the_backup(workshop, version=7, change_decided=1)
    await workshop.hear(back)
    (refused,) = await workshop.said(BookingEvent)
    assert isinstance(refused, BookingChangeRefused)
    assert (refused.booking.version, refused.booking.change_decided) == (8, 1)
    await recovering(workshop, 2, begins=False)
    late = await workshop.as_omar.post(f"/bookings/{back.booking_id}/change/accept")
    assert late.status_code != 200, "nobody wishes that any more"
    await workshop.hear(wish(back.booking_id))
    (again,) = await workshop.said(BookingEvent)
    assert (again.booking.start, again.booking.version) == (back.start, 8)


async def test_a_wish_that_nobody_had_answered_still_waits(workshop: Workshop) -> None:
    back = await a_wish_in_the_backup(workshop, version=7)
    await workshop.hear(back)
    (same,) = await workshop.said(BookingEvent)
    assert (same.booking.version, same.booking.change_decided) == (7, 0)
    await recovering(workshop, 2, begins=False)
    assert (await workshop.as_omar.post(f"/bookings/{back.booking_id}/change/accept")).status_code == 200
    (moved,) = await workshop.said(BookingEvent)
    assert isinstance(moved, BookingMoved)
    assert (moved.booking.start, moved.booking.change_decided) == (at(14), 1)


@pytest.mark.parametrize("is_known", [False, True], ids=["forgotten", "moved since"])
async def test_what_is_taken_back_anew_counts_on(workshop: Workshop, *, is_known: bool) -> None:
    await share(workshop)
    asked = request(workshop)
    if is_known:
        await workshop.hear(asked)
    await recovering(workshop, 1, begins=True)
    await workshop.said()
    moved: dict[str, Any] = asked.model_dump() | {"start": at(16), "end": at(17), "status": "confirmed", "version": 4}
    await workshop.hear(BookingReadmitted(**moved, change_decided=2, withdrawals_heard=1))
    await recovering(workshop, 2, begins=False)
    (back,) = await workshop.said(BookingEvent)
    assert (back.booking.version, back.booking.change_decided, back.booking.withdrawal_number) == (4, 2, 1)
    await workshop.hear(wish(asked.booking_id, 2))
    (again,) = await workshop.said(BookingEvent)
    assert (again.booking.start, again.booking.version) == (at(16), 4), "answered before"
    await workshop.hear(wish(asked.booking_id, 3))
    (there,) = await workshop.said(BookingEvent)
    assert (there.booking.start, there.booking.change_decided) == (at(14), 3)
