"""After a restore from a backup: nothing new is confirmed on shared things, and what a peer hands back returns."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.booking import BookingCancelled, BookingChangeRefused, BookingConfirmed, BookingDeclined, BookingEvent
from contracts.federation import BookingReadmitted, BookingRequestReceived, PersonForgotten, RecoveryChanged
from services.booking.commands.book import one_after_the_other
from services.booking.domain.problems import Recovering
from services.chassis.ids import new_id
from tests.services.booking.test_moving_across import wish
from tests.services.booking.test_peers_ask import NAMUR, request, share
from tests.services.booking.test_series import booked, form
from tests.services.booking.workshop import Workshop, at, iso


def handed_back(workshop: Workshop, **changes: Any) -> BookingReadmitted:
    asked = request(workshop, **changes)
    return BookingReadmitted(**asked.model_dump(), status="confirmed", version=3)


def as_request(handed: BookingReadmitted) -> BookingRequestReceived:
    return BookingRequestReceived(**handed.model_dump(exclude={"status", "version"}))


async def recovering(workshop: Workshop, version: int, *, begins: bool) -> None:
    await workshop.hear(RecoveryChanged(recovering=begins, since=datetime.now(UTC), version=version))


async def test_nothing_shared_is_confirmed_until_the_recovery_is_over(workshop: Workshop) -> None:
    await share(workshop)
    alone = await workshop.publish(new_id())
    await workshop.rules(alone)
    await recovering(workshop, 2, begins=True)
    await recovering(workshop, 1, begins=False)  # said before, heard after
    period = {"start": at(9).isoformat(), "end": at(10).isoformat()}
    held = await workshop.as_ana.post("/bookings", json={"offer_id": str(workshop.laser)} | period)
    assert (held.status_code, held.json()["type"].rpartition(":")[2]) == (409, "booking/recovering")
    free = await workshop.as_ana.post("/bookings", json={"offer_id": str(alone)} | period)
    assert (free.status_code, free.json()["status"]) == (201, "confirmed")
    await workshop.said()
    await workshop.hear(request(workshop))
    (answer,) = await workshop.said(BookingEvent)
    assert isinstance(answer, BookingDeclined), "a recovery that lasts for long keeps nobody waiting"
    await recovering(workshop, 3, begins=False)
    again = await workshop.as_ana.post("/bookings", json={"offer_id": str(workshop.laser)} | period)
    assert again.status_code == 201, again.text


async def test_an_owner_cannot_approve_meanwhile(workshop: Workshop) -> None:
    await share(workshop)
    await workshop.rules(approval="owner")
    asked = request(workshop)
    await workshop.hear(asked)
    await recovering(workshop, 1, begins=True)
    assert (await workshop.as_omar.post(f"/bookings/{asked.booking_id}/approve")).status_code == 409
    await recovering(workshop, 2, begins=False)
    assert (await workshop.as_omar.post(f"/bookings/{asked.booking_id}/approve")).status_code == 200


async def test_a_lost_booking_returns_with_its_version_and_keeps_its_period(workshop: Workshop) -> None:
    await share(workshop)
    await recovering(workshop, 1, begins=True)
    await workshop.said()
    back = handed_back(workshop)
    await workshop.hear(back)
    (confirmed,) = await workshop.said(BookingEvent)
    assert isinstance(confirmed, BookingConfirmed)
    assert (confirmed.booking.id, confirmed.booking.version) == (back.booking_id, 3)
    assert confirmed.booking.borrower.peer_id == NAMUR
    await workshop.hear(back)
    (unchanged,) = await workshop.said(BookingEvent)
    assert (unchanged.type, unchanged.booking.version) == (BookingConfirmed.type, 3), (
        "federation waits for a word of it"
    )
    await recovering(workshop, 2, begins=False)
    period = {"start": at(10).isoformat(), "end": at(11).isoformat()}
    taken = await workshop.as_ana.post("/bookings", json={"offer_id": str(workshop.laser)} | period)
    assert taken.status_code == 409
    assert taken.json()["type"].endswith("booking/resource-is-taken")


async def test_a_request_that_comes_again_waits_until_it_is_known_what_was_promised(workshop: Workshop) -> None:
    await share(workshop)
    begun = int(datetime.now(UTC).timestamp() * 1000)
    await recovering(workshop, begun, begins=True)
    await workshop.said()
    promised, asked = handed_back(workshop), request(workshop, start=at(14), end=at(15))
    with pytest.raises(Recovering):
        await workshop.hear(as_request(promised))
    with pytest.raises(Recovering):
        await workshop.hear(asked)
    assert await workshop.said(BookingEvent) == []
    await workshop.hear(promised)
    await recovering(workshop, begun + 1, begins=False)
    await workshop.hear(as_request(promised))
    await workshop.hear(asked)
    said = [(one.booking.id, one.type, one.booking.version) for one in await workshop.said(BookingEvent)]
    confirmed = BookingConfirmed.type
    assert said == [(promised.booking_id, confirmed, 3)] * 2 + [(asked.booking_id, confirmed, 1)]


async def test_a_request_that_has_to_wait_takes_no_turn_of_what_is_handed_back(workshop: Workshop) -> None:
    """Both come by hundreds after a restore, and what is handed back of one peer is taken one after the other."""
    await share(workshop)
    await recovering(workshop, int(datetime.now(UTC).timestamp() * 1000), begins=True)
    async with workshop.db.transaction() as session:
        await one_after_the_other(session, NAMUR)
        with pytest.raises(Recovering):
            await asyncio.wait_for(workshop.hear(request(workshop)), 20)


@pytest.mark.parametrize("version", [1, 3], ids=["confirmed at once", "decided on"])
async def test_what_was_refused_meanwhile_is_taken_back_when_it_was_promised(workshop: Workshop, version: int) -> None:
    await share(workshop)
    await recovering(workshop, 1, begins=True)
    promised = handed_back(workshop).model_copy(update={"version": version})
    await workshop.hear(as_request(promised))
    await workshop.said()
    await workshop.hear(promised)
    (confirmed,) = await workshop.said(BookingEvent)
    assert isinstance(confirmed, BookingConfirmed)
    assert (confirmed.booking.id, confirmed.booking.version) == (promised.booking_id, version)


async def test_what_was_moved_since_the_backup_is_where_it_was_promised_and_its_next_word_is_newer(
    workshop: Workshop,
) -> None:
    await share(workshop)
    moved, counted = request(workshop), request(workshop, start=at(15), end=at(16))
    for one in (moved, counted):
        await workshop.hear(one)
    await recovering(workshop, 1, begins=True)
    await workshop.said()
    promised = moved.model_copy(update={"start": at(12), "end": at(13)})
    await workshop.hear(BookingReadmitted(**promised.model_dump(), status="confirmed", version=4))
    await workshop.hear(BookingReadmitted(**counted.model_dump(), status="confirmed", version=5))
    said = [(one.booking.start, one.type, one.booking.version) for one in await workshop.said(BookingEvent)]
    assert said == [(at(12), BookingConfirmed.type, 4), (at(15), BookingConfirmed.type, 5)]
    await recovering(workshop, 2, begins=False)
    assert (await workshop.book(workshop.as_ana, at(12), at(13))).status_code == 409
    assert (await workshop.book(workshop.as_ana, at(10), at(11))).status_code == 201


async def test_what_cannot_be_taken_back_is_called_off(workshop: Workshop) -> None:
    await share(workshop)
    await recovering(workshop, 1, begins=True)
    unknown = handed_back(workshop).model_copy(update={"offer_id": new_id()})
    await workshop.hear(unknown)
    (over,) = await workshop.said(BookingEvent)
    assert isinstance(over, BookingCancelled)
    assert (over.booking.id, over.booking.version) == (unknown.booking_id, 4)


async def test_what_the_backup_knows_as_pending_becomes_confirmed_again(workshop: Workshop) -> None:
    await share(workshop)
    await workshop.rules(approval="owner")
    asked = request(workshop)
    await workshop.hear(asked)
    await recovering(workshop, 1, begins=True)
    await workshop.said()
    await workshop.hear(BookingReadmitted(**asked.model_dump(), status="confirmed", version=2))
    (confirmed,) = await workshop.said(BookingEvent)
    assert isinstance(confirmed, BookingConfirmed)
    assert confirmed.booking.version == 2
    others = asked.model_copy(update={"origin": "other"})
    stranger = BookingReadmitted(**others.model_dump(), status="confirmed", version=9)
    await workshop.hear(stranger)
    assert await workshop.said(BookingEvent) == []


async def test_a_peers_person_is_forgotten_and_the_booking_stays(workshop: Workshop) -> None:
    await share(workshop)
    asked = request(workshop)
    await workshop.hear(asked)
    await workshop.hear(PersonForgotten(origin=NAMUR, origin_name="OpenFlow", pseudonym=asked.pseudonym))
    seen = (await workshop.as_omar.get(f"/bookings/{asked.booking_id}")).json()
    assert (seen["status"], seen["note"]) == ("confirmed", "")


async def test_nothing_shared_is_moved_and_no_series_booked_meanwhile(workshop: Workshop) -> None:
    await share(workshop)
    mine = (await workshop.book(workshop.as_ana, at(9), at(10))).json()
    series = await booked(workshop.as_ana, workshop, "FREQ=WEEKLY;COUNT=3", start=iso(at(13)), end=iso(at(14)))
    asked = request(workshop, start=at(11), end=at(12))
    await workshop.hear(asked)
    await recovering(workshop, 1, begins=True)
    await workshop.said()
    body: dict[str, Any] = {"start": iso(at(15)), "end": iso(at(16)), "quantity": 1}
    paths = [f"/bookings/{mine['id']}/change", f"/bookings/{series['bookings'][0]['id']}/change"]
    for path, more in zip(paths, ({}, {"scope": "all"}), strict=True):
        answer = await workshop.as_ana.put(path, json=body | more)
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "booking/recovering")
    answer = await workshop.as_ana.post(
        "/bookings/series", json=form(workshop, "FREQ=WEEKLY;COUNT=2", start=iso(at(16)), end=iso(at(17)))
    )
    assert answer.json()["type"].endswith("booking/recovering")
    await workshop.hear(wish(asked.booking_id, start=at(15), end=at(16)))
    (refused,) = await workshop.said(BookingEvent)
    assert isinstance(refused, BookingChangeRefused)
    assert refused.booking.change_reason
    young = int(datetime.now(UTC).timestamp() * 1000)
    await recovering(workshop, young, begins=True)
    with pytest.raises(Recovering):  # tried again later
        await workshop.hear(wish(asked.booking_id, 2, start=at(15), end=at(16)))
    await recovering(workshop, young + 1, begins=False)
    assert (await workshop.as_ana.put(paths[0], json=body)).json()["start"] == iso(at(15))
