"""After a restore from a backup: what we had declined or called off since is over again, and nobody is told twice."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from contracts.booking import BookingCancelled, BookingDeclined, BookingEvent
from contracts.federation import BookingEndHandedBack, BookingReadmitted, BookingRequestReceived
from services.chassis.ids import new_id
from tests.services.booking.test_moving_across import wish
from tests.services.booking.test_peers_ask import request, share, withdrawal
from tests.services.booking.test_recovering import recovering
from tests.services.booking.workshop import Workshop, at


def end_of(asked: BookingRequestReceived, status: str = "cancelled", version: int = 3, **said: Any) -> Any:
    values: dict[str, Any] = asked.model_dump() | {"note": "", "status": status, "version": version, "reason": "panne"}
    return BookingEndHandedBack(**(values | said))


def promise_of(asked: BookingRequestReceived, version: int) -> BookingReadmitted:
    return BookingReadmitted(**asked.model_dump(), status="confirmed", version=version)


async def a_guest(workshop: Workshop, **rules: Any) -> BookingRequestReceived:
    """Namur's booking from nine to eleven, in the backup."""
    await share(workshop)
    await workshop.rules(**rules)
    asked = request(workshop)
    await workshop.hear(asked)
    return asked


async def seen(workshop: Workshop, booking_id: UUID) -> Any:
    return (await workshop.as_omar.get(f"/bookings/{booking_id}")).json()


async def told(workshop: Workshop) -> list[tuple[type[BookingEvent], int]]:
    return [(type(one), one.booking.version) for one in await workshop.said(BookingEvent)]


async def test_what_was_pending_in_the_backup_is_declined_again_under_the_same_version(workshop: Workshop) -> None:
    asked = await a_guest(workshop, approval="owner")
    await recovering(workshop, 1, begins=True)
    await workshop.said()
    for expected in ([(BookingDeclined, 2)], [(BookingDeclined, 2)]):
        await workshop.hear(end_of(asked, "declined", 2))
        assert await told(workshop) == expected, "of which the peer, and all here, act once"
    shown = await seen(workshop, asked.booking_id)
    assert shown["reason"] == "panne"
    assert [line["what"] for line in shown["history"]] == ["requested", "declined"]
    await recovering(workshop, 2, begins=False)
    assert (await workshop.as_omar.post(f"/bookings/{asked.booking_id}/approve")).status_code != 200
    assert (await workshop.book(workshop.as_ana, at(9), at(11))).status_code == 201


async def test_what_was_confirmed_in_the_backup_gives_its_place_back_where_it_was_then(workshop: Workshop) -> None:
    asked = await a_guest(workshop, terms={"cancel_notice_minutes": 100_000})
    await workshop.hear(wish(asked.booking_id))
    await recovering(workshop, 1, begins=True)
    await workshop.said()
    await workshop.hear(end_of(asked, version=5, start=at(14), end=at(15), change_decided=1, withdrawals_heard=2))
    (over,) = await workshop.said(BookingEvent)
    assert isinstance(over, BookingCancelled)
    assert (over.booking.start, over.booking.version) == (at(14), 5)
    assert (over.booking.change_decided, over.booking.withdrawal_number) == (1, 2)
    await recovering(workshop, 2, begins=False)
    for start, end in ((at(9), at(11)), (at(14), at(15))):
        assert (await workshop.book(workshop.as_ana, start, end)).status_code == 201


async def test_what_the_backup_does_not_know_is_not_confirmed_when_it_is_asked_for_once_more(
    workshop: Workshop,
) -> None:
    await share(workshop)
    begun = int(datetime.now(UTC).timestamp() * 1000)
    await recovering(workshop, begun, begins=True)
    asked = request(workshop)
    await workshop.said()
    await workshop.hear(end_of(asked, version=4))
    assert await told(workshop) == [(BookingCancelled, 4)]
    await recovering(workshop, begun + 1, begins=False)
    await workshop.hear(asked)
    assert await told(workshop) == [(BookingCancelled, 4)]
    assert (await seen(workshop, asked.booking_id))["note"] == ""
    assert (await workshop.book(workshop.as_ana, at(9), at(11))).status_code == 201


async def test_what_was_refused_meanwhile_is_over_as_it_was_said_first(workshop: Workshop) -> None:
    await share(workshop)
    await recovering(workshop, 1, begins=True)
    asked = request(workshop)
    await workshop.hear(asked)
    assert await told(workshop) == [(BookingDeclined, 1)]
    await workshop.hear(end_of(asked, "cancelled", 3))
    assert await told(workshop) == [(BookingCancelled, 3)]


async def test_an_older_promise_does_not_bring_back_what_is_over(workshop: Workshop) -> None:
    """A peer keeps whatever we have signed, and hands it back in whatever order."""
    asked = await a_guest(workshop)
    await recovering(workshop, 1, begins=True)
    await workshop.said()
    for word in (end_of(asked, "declined", 4), promise_of(asked, 3), end_of(asked, "declined", 2)):
        await workshop.hear(word)
    assert await told(workshop) == [(BookingDeclined, 4)] * 3
    unknown = request(workshop, start=at(14), end=at(15))
    for word in (end_of(unknown, "declined", 4), promise_of(unknown, 3)):
        await workshop.hear(word)
    assert await told(workshop) == [(BookingDeclined, 4)] * 2


async def test_of_strangers_nothing_ends(workshop: Workshop) -> None:
    asked = await a_guest(workshop)
    await workshop.said()
    await workshop.hear(end_of(asked, version=9, origin="another"))
    assert await told(workshop) == []
    assert (await seen(workshop, asked.booking_id))["status"] == "confirmed"


async def test_what_we_say_before_we_hear_of_its_end_is_over_all_the_same(workshop: Workshop) -> None:
    """A withdrawal that comes once more is refused again, and for its person the booking is over."""
    asked = await a_guest(workshop, terms={"cancel_notice_minutes": 100_000})
    await recovering(workshop, 1, begins=True)
    for number in (1, 2):
        await workshop.hear(withdrawal(asked.booking_id).model_copy(update={"number": number}))
    await workshop.said()
    for _ in range(2):
        await workshop.hear(end_of(asked, version=2))
        assert await told(workshop) == [(BookingCancelled, 4)]


@pytest.mark.parametrize("status", ["declined", "cancelled", "expired"])
async def test_each_end_is_told_as_what_it_was(workshop: Workshop, status: str) -> None:
    asked = await a_guest(workshop, approval="owner")
    unknown = asked.model_copy(update={"booking_id": new_id()})
    await workshop.said()
    for one in (asked, unknown):
        await workshop.hear(end_of(one, status))
    assert [(one.booking.status, one.booking.reason) for one in await workshop.said(BookingEvent)] == [
        (status, "panne")
    ] * 2
