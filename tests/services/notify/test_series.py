"""A series is told once to each side, whatever the order in which its events come."""

from datetime import timedelta
from uuid import UUID

from contracts.booking import (
    BookingCancelled,
    BookingChangeAsked,
    BookingConfirmed,
    BookingRequested,
    BookingState,
    ChangeState,
    Party,
    SeriesCancelled,
    SeriesChange,
    SeriesChangeAsked,
    SeriesChangeRefused,
    SeriesConfirmed,
    SeriesDate,
    SeriesDeclined,
    SeriesPlace,
    SeriesRequested,
    SeriesState,
)
from services.chassis import ids
from tests.services.notify.conftest import Notify, booking, later
from tests.services.notify.test_telling import mailed, templates


def series_of(bea: UUID, omar: UUID, *, of: int = 30) -> tuple[SeriesState, list[BookingState]]:
    """A weekly series that Bea asks Omar for."""
    series_id, like = ids.new_id(), booking(bea, omar)
    its = [
        like.model_copy(
            update={
                "id": ids.new_id(),
                "start": like.start + timedelta(days=7 * number),
                "end": like.end + timedelta(days=7 * number),
                "series": SeriesPlace(id=series_id, position=number + 1, of=of),
            }
        )
        for number in range(of)
    ]
    dates = tuple(
        SeriesDate(booking_id=one.id, position=number, start=one.start, end=one.end, version=one.version)
        for number, one in enumerate(its, start=1)
    )
    shared = dict(like.model_dump(include=set(SeriesState.model_fields) & set(BookingState.model_fields)))
    shared |= {"id": series_id, "borrower": Party(member_id=bea, name="Bea"), "owner": like.owner}
    return SeriesState(**shared, rrule="FREQ=WEEKLY;COUNT=30", of=of, dates=dates), its


async def test_a_series_is_one_question_one_answer_and_one_end(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    series, its = series_of(bea, omar)
    together = ids.new_id()
    for one in its:
        await notify.tell(BookingRequested(booking=one, together=together))
    await notify.tell(SeriesRequested(series=series, together=together))
    assert (await templates(notify, omar), await templates(notify, bea)) == (["series-to-decide"], ["series-asked"])
    [asked] = await notify.inbox(omar)
    assert asked["url"] == f"/bookings/series/{series.id}"
    yes = series.model_copy(update={"version": 2})
    await notify.tell(SeriesConfirmed(series=yes, together=together))
    for one in its:
        await notify.tell(BookingConfirmed(booking=later(one, status="confirmed"), together=together))
    assert await templates(notify, omar) == ["series-to-decide", "series-confirmed-owner"]
    assert await templates(notify, bea) == ["series-asked", "series-confirmed"]
    assert sorted(await mailed(notify)) == [
        ("series-confirmed", "waiting"),
        ("series-confirmed-owner", "waiting"),
        ("series-to-decide", "dropped"),
    ]
    off = series.model_copy(update={"version": 3, "reason": "malade"})
    await notify.tell(SeriesCancelled(series=off, together=ids.new_id(), by="borrower", scope="following"))
    assert (await templates(notify, omar))[-1] == "series-cancelled-owner"


async def test_one_of_a_series_alone_is_told_alone(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    _, its = series_of(bea, omar, of=2)
    yes = later(its[0], status="confirmed")
    await notify.tell(BookingConfirmed(booking=yes, together=ids.new_id()))
    await notify.tell(BookingCancelled(booking=later(yes, status="cancelled"), by="borrower"))
    assert await templates(notify, omar) == ["booking-cancelled-owner"]


async def test_a_question_that_comes_after_its_answer_is_not_asked(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    series, _ = series_of(bea, omar)
    no = series.model_copy(update={"version": 2})
    await notify.tell(SeriesDeclined(series=no, together=ids.new_id(), expired=True))
    await notify.tell(SeriesRequested(series=series, together=ids.new_id()))
    assert (await templates(notify, omar), await templates(notify, bea)) == (
        ["series-expired-owner"],
        ["series-declined"],
    )


async def test_mails_carry_the_dates_for_calendars_with_the_uids_of_single_bookings(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    series, its = series_of(bea, omar, of=4)
    await notify.tell(SeriesConfirmed(series=series, together=ids.new_id()))
    off = series.model_copy(update={"version": 2, "dates": series.dates[2:]})
    await notify.tell(SeriesCancelled(series=off, together=ids.new_id(), by="owner", scope="following"))
    rows = {mail["template"]: mail["facts"].get("calendar") for mail in await notify.mails()}
    for template, status, dates in (
        ("series-confirmed", "CONFIRMED", its),
        ("series-confirmed-owner", "CONFIRMED", its),
        ("series-cancelled", "CANCELLED", its[2:]),
    ):
        told = rows[template]
        assert (told["method"], told["status"]) == ("PUBLISH", status)
        assert [one["booking_id"] for one in told["dates"]] == [str(one.id) for one in dates]
        assert [one["sequence"] for one in told["dates"]] == [one.version for one in dates]


async def test_change_of_several_dates_is_one_question_and_one_answer(notify: Notify) -> None:
    bea, omar = await notify.member("Bea"), await notify.member("Omar")
    series, its = series_of(bea, omar, of=3)
    await notify.tell(SeriesConfirmed(series=series, together=ids.new_id()))
    wish = SeriesChange(
        by_owner=False, quantity=1, note="", decide_by=its[0].start - timedelta(hours=2), dates=series.dates
    )
    asked, together = series.model_copy(update={"version": 2}), ids.new_id()
    for one in its:
        state = ChangeState(
            start=one.start, end=one.end, quantity=1, note="", by_owner=False, decide_by=one.start - timedelta(hours=2)
        )
        await notify.tell(BookingChangeAsked(booking=later(one), change=state, together=together))
    await notify.tell(SeriesChangeAsked(series=asked, change=wish, together=together))
    assert await templates(notify, omar) == ["series-confirmed-owner", "series-change-to-answer"]
    assert await templates(notify, bea) == ["series-confirmed"]
    stays = series.model_copy(update={"version": 3})
    await notify.tell(SeriesChangeRefused(series=stays, together=ids.new_id(), by="system", expired=True))
    assert await templates(notify, bea) == ["series-confirmed", "series-stays"]
    assert (await templates(notify, omar))[2:] == ["series-stays-owner"]
