"""What is not given back in time keeps its place, and never what others have booked."""

from datetime import timedelta

from contracts.booking import BookingEvent, BookingStartAtRisk, BusyChanged
from tests.services.booking.test_use import booked, people_check_in, row_of, shift, sweep
from tests.services.booking.workshop import Workshop, at, types_of

__all__ = ["people_check_in"]


async def test_overdue_is_said_once_and_keeps_its_place_up_to_the_next(workshop: Workshop) -> None:
    booking_id = await booked(workshop, -5, 55)
    await workshop.as_ana.post(f"/bookings/{booking_id}/check-in", json={})
    await shift(workshop, booking_id, -60, -1)
    following = await booked(workshop, 10, 70, by="chloe", day=4)
    await sweep(workshop)
    said = await workshop.said()
    assert types_of(said) == ["confirmed", "start_at_risk", "busy_changed"]
    late, risk, busy = said
    assert (late.booking.status, str(risk.booking.id)) == ("overdue", following)
    assert risk.booking.borrower.name == "Chloé"
    row, other = await row_of(workshop, booking_id), await row_of(workshop, following)
    assert row.occupied.upper == other.occupied.lower
    assert busy.busy[0].end == other.occupied.upper
    await sweep(workshop)
    assert await workshop.said() == []
    history = (await workshop.as_chloe.get(f"/bookings/{following}")).json()["history"]
    assert [line["what"] for line in history] == ["booked", "start_at_risk"]


async def test_overdue_alone_is_held_half_an_hour_ahead_and_longer_as_time_passes(workshop: Workshop) -> None:
    booking_id = await booked(workshop, -5, 55)
    await workshop.as_ana.post(f"/bookings/{booking_id}/check-in", json={})
    await shift(workshop, booking_id, -60, -1)
    await sweep(workshop)
    row = await row_of(workshop, booking_id)
    assert timedelta(minutes=29) < row.occupied.upper - row.now <= timedelta(minutes=30)
    [busy] = await workshop.said(BusyChanged)
    assert busy.busy[0].end == row.occupied.upper
    await workshop.sql("UPDATE bookings SET occupied = tstzrange(lower(occupied), now() + interval '14 min')")
    await workshop.said()
    await sweep(workshop)
    assert types_of(await workshop.said()) == ["busy_changed"]


async def test_late_return_keeps_its_cleaning_but_never_what_others_booked(workshop: Workshop) -> None:
    await workshop.rules(check_in="asked", buffer_after_minutes=30)
    booking_id = await booked(workshop, -5, 55, after=30)
    await workshop.as_ana.post(f"/bookings/{booking_id}/check-in", json={})
    await shift(workshop, booking_id, -60, -5, after=5)
    following = await booked(workshop, 10, 70, by="chloe", day=4)
    await sweep(workshop)
    await workshop.said()
    returned = (await workshop.as_ana.post(f"/bookings/{booking_id}/check-out")).json()
    assert (returned["status"], returned["may_check_out"]) == ("in_use", False)
    row, other = await row_of(workshop, booking_id), await row_of(workshop, following)
    assert row.occupied.upper == other.occupied.lower
    assert await row_of(workshop, booking_id, "uses") is None
    await workshop.sql("UPDATE bookings SET occupied = tstzrange(lower(occupied), now()) WHERE id = :id", id=booking_id)
    await sweep(workshop)
    assert [event.booking.status for event in await workshop.said(BookingEvent)] == ["in_use", "completed"]
    line = await row_of(workshop, booking_id, "uses")
    assert (line.kind, line.ended_at) == ("use", row.checked_out_at)


async def test_capacity_above_one_keeps_an_overdue_place_only_where_it_fits(workshop: Workshop) -> None:
    await workshop.rules(check_in="asked", capacity=2)
    late = await booked(workshop, -5, 55)
    await workshop.as_ana.post(f"/bookings/{late}/check-in", json={})
    await shift(workshop, late, -60, -1)
    one = await booked(workshop, 10, 70, by="chloe", day=4)
    await sweep(workshop)
    row = await row_of(workshop, late)
    assert row.occupied.upper - row.now > timedelta(minutes=29)
    assert await workshop.said(BookingStartAtRisk) == []
    full = await workshop.book(workshop.as_omar, at(15, days=5), at(16, days=5), quantity=1)
    await workshop.sql(
        "UPDATE bookings SET occupied = tstzrange(lower(occupied), now() - interval '30 s') WHERE id = :id", id=late
    )
    await shift(workshop, full.json()["id"], 12, 72)
    await sweep(workshop)
    other = await row_of(workshop, full.json()["id"])
    assert (await row_of(workshop, late)).occupied.upper == other.occupied.lower
    [risk] = await workshop.said(BookingStartAtRisk)
    assert str(risk.booking.id) == full.json()["id"]
    assert (await row_of(workshop, one)).status == "confirmed"
