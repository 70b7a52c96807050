"""The one function that says when a resource can be booked, in ordinary weeks and in those in which clocks change."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.booking.domain.availability import Rules, alternatives, availability, next_free
from services.booking.domain.opening import Hours, OpeningCalendar, instant, is_on_grid
from services.booking.domain.problems import ResourceIsTaken
from services.booking.domain.requests import check_request, decide_by, is_free
from services.booking.domain.spans import Occupied, Span, levels
from services.chassis.problems import InvalidFields

PARIS = ZoneInfo("Europe/Paris")
ALWAYS = tuple(Hours(day, 0, 1440) for day in range(7))
OFFICE = tuple(Hours(day, 9 * 60, 17 * 60) for day in range(7))
NOW = datetime(2027, 3, 20, 12, tzinfo=UTC)
SPRING = date(2027, 3, 28)


def rules(**changes: object) -> Rules:
    values: dict[str, object] = {
        "time_zone": "Europe/Paris",
        "opening_hours": OFFICE,
        "step_minutes": 30,
        "minimum_minutes": 30,
        "maximum_minutes": 24 * 60,
        "lead_minutes": 0,
        "horizon_days": 400,
        "buffer_before_minutes": 0,
        "buffer_after_minutes": 0,
    }
    return Rules(**(values | changes))  # pyright: ignore[reportArgumentType]


def paris(month: int, day: int, hour: int, minute: int = 0, *, fold: int = 0) -> datetime:
    return datetime(2027, month, day, hour, minute, tzinfo=PARIS, fold=fold).astimezone(UTC)


def day_of(month: int, day: int) -> Span:
    return Span(paris(month, day, 0), paris(month, day + 1, 0) if (month, day) != (10, 31) else paris(11, 1, 0))


@pytest.mark.parametrize(("month", "day"), [(3, 27), (3, 28), (3, 29), (10, 30), (10, 31)])
def test_office_hours_are_wall_hours_on_both_sides_of_a_clock_change(month: int, day: int) -> None:
    found = availability(rules(), occupied=[], now=NOW, window=day_of(month, day))
    assert found.open == found.free == [Span(paris(month, day, 9), paris(month, day, 17))]


def test_day_of_spring_has_23_hours_and_day_of_autumn_25() -> None:
    for window, hours in ((day_of(3, 28), 23), (day_of(10, 31), 25)):
        (found,) = availability(rules(opening_hours=ALWAYS), occupied=[], now=NOW, window=window).free
        assert found.length == timedelta(hours=hours)


def test_hour_that_does_not_exist_is_not_open() -> None:
    night = (Hours(6, 2 * 60, 4 * 60),)
    found = availability(rules(opening_hours=night), occupied=[], now=NOW, window=day_of(3, 28))
    assert found.open == [Span(datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 3, 28, 2, tzinfo=UTC))]
    only_the_gap = (Hours(6, 2 * 60, 3 * 60),)
    assert availability(rules(opening_hours=only_the_gap), occupied=[], now=NOW, window=day_of(3, 28)).open == []


def test_hour_that_comes_twice_is_open_both_times() -> None:
    night = (Hours(6, 2 * 60, 3 * 60),)
    found = availability(rules(opening_hours=night), occupied=[], now=NOW, window=day_of(10, 31))
    assert found.open == [Span(paris(10, 31, 2), paris(10, 31, 3))]
    assert found.open[0].length == timedelta(hours=2)
    assert is_on_grid(OpeningCalendar(weekly=night), PARIS, 30, paris(10, 31, 2, 30))
    assert is_on_grid(OpeningCalendar(weekly=night), PARIS, 30, paris(10, 31, 2, 30, fold=1))


def test_wall_time_in_the_gap_is_the_instant_of_the_jump() -> None:
    jump = datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert instant(SPRING, 150, PARIS) == instant(SPRING, 150, PARIS, last=True) == jump
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # jumps by half an hour
    assert instant(date(2027, 10, 3), 135, lord_howe) == datetime(2027, 10, 2, 15, 30, tzinfo=UTC)


def test_a_night_over_a_clock_change_lasts_what_passes() -> None:
    overnight = rules(opening_hours=ALWAYS, maximum_minutes=12 * 60)
    spring = Span(paris(3, 27, 20), paris(3, 28, 8))
    assert spring.length == timedelta(hours=11)
    check_request(overnight, spring, quantity=1, now=NOW)
    autumn = Span(paris(10, 30, 20), paris(10, 31, 8))
    with pytest.raises(InvalidFields) as refused:
        check_request(overnight, autumn, quantity=1, now=NOW)
    assert [error.code for error in refused.value.errors] == ["too_long"]


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ((3, 25, 11), (3, 25, 11), "ends_before_start"),
        ((3, 25, 11), (3, 25, 10), "ends_before_start"),
        ((3, 20, 9), (3, 20, 10), "in_the_past"),
        ((3, 20, 13), (3, 20, 14), "too_soon"),
        ((5, 25, 11), (5, 25, 12), "too_far_ahead"),
        ((3, 25, 11), (3, 25, 11, 30), "too_short"),
        ((3, 25, 9), (3, 25, 14), "too_long"),
        ((3, 25, 9, 10), (3, 25, 11), "not_on_grid"),
        ((3, 25, 8), (3, 25, 10), "outside_hours"),
        ((3, 25, 16), (3, 25, 18), "outside_hours"),
    ],
)
def test_a_wrong_period_is_told_what_is_wrong(start: tuple[int, ...], end: tuple[int, ...], code: str) -> None:
    strict = rules(minimum_minutes=60, maximum_minutes=240, lead_minutes=180, horizon_days=30)
    with pytest.raises(InvalidFields) as refused:
        check_request(strict, Span(paris(*start), paris(*end)), quantity=1, now=NOW)
    assert [error.code for error in refused.value.errors] == [code]


@pytest.mark.parametrize("quantity", [0, -1, 2, 10**9])
def test_quantity_stays_within_the_capacity(quantity: int) -> None:
    with pytest.raises(InvalidFields):
        check_request(rules(), Span(paris(3, 25, 9), paris(3, 25, 10)), quantity=quantity, now=NOW)


def test_request_is_to_be_decided_within_three_days_and_before_the_lead_time() -> None:
    far = Span(paris(4, 20, 9), paris(4, 20, 10))
    assert decide_by(rules(lead_minutes=60), far, NOW) == NOW + timedelta(hours=72)
    near = Span(paris(3, 21, 9), paris(3, 21, 10))
    assert decide_by(rules(lead_minutes=60), near, NOW) == paris(3, 21, 8)


# What follows: in the weeks of both clock changes, for any rules and any bookings.

weeks = st.sampled_from([datetime(2027, 3, 25, tzinfo=UTC), datetime(2027, 10, 28, tzinfo=UTC)])
quarters = st.integers(0, 6 * 24 * 4)
zones = st.sampled_from(["Europe/Paris", "Europe/London", "Australia/Lord_Howe", "America/New_York", "UTC"])
openings = st.sampled_from(
    [OFFICE, ALWAYS, (Hours(6, 90, 270), Hours(0, 0, 1440), Hours(5, 1200, 1440)), (Hours(6, 150, 165),)]
)


World = tuple[Rules, list[Occupied], Span, datetime, int]


def check(made: Rules, period: Span, *, quantity: int, occupied: list[Occupied], now: datetime) -> None:
    """The decision as it is made for every request."""
    check_request(made, period, quantity=quantity, now=now)
    if not is_free(made, period, quantity=quantity, occupied=occupied, now=now):
        raise ResourceIsTaken


def peak(occupied: list[Occupied], around: Span) -> int:
    """The most that is taken at any quarter of an hour of `around`, counted one by one."""
    quarters = int(around.length / timedelta(minutes=15))
    instants = [around.start + timedelta(minutes=15 * number) for number in range(quarters)]
    return max(
        (sum(one.quantity for one in occupied if one.span.start <= at < one.span.end) for at in instants), default=0
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Rules, what others occupy (within the capacity), a period on the quarter of an hour, the week, a quantity."""
    week = draw(weeks)
    made = rules(
        time_zone=draw(zones),
        opening_hours=draw(openings),
        step_minutes=draw(st.sampled_from([15, 30, 60, 240])),
        minimum_minutes=15,
        buffer_before_minutes=draw(st.sampled_from([0, 15, 45])),
        buffer_after_minutes=draw(st.sampled_from([0, 15, 60])),
        capacity=draw(st.sampled_from([1, 1, 2, 5])),
    )
    occupied: list[Occupied] = []
    for _ in range(draw(st.integers(0, 4 * made.capacity))):
        start = week + timedelta(minutes=15 * draw(quarters))
        span = Span(start, start + timedelta(minutes=15 * draw(st.integers(1, 12))))
        one = Occupied(span, draw(st.integers(1, made.capacity)))
        if peak(occupied, span) + one.quantity <= made.capacity:
            occupied.append(one)
    start = week + timedelta(minutes=15 * draw(quarters))
    wanted = Span(start, start + timedelta(minutes=15 * draw(st.integers(1, 24))))
    return made, occupied, wanted, week, draw(st.integers(1, made.capacity))


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20), st.integers(1, 5))))
def test_levels_are_what_counting_every_quarter_of_an_hour_gives(booked: list[tuple[int, int, int]]) -> None:
    def at(quarter: int) -> datetime:
        return NOW + timedelta(minutes=15 * quarter)

    occupied = [Occupied(Span(at(start), at(start + length)), taken) for start, length, taken in booked]
    found = levels(occupied)
    for quarter in range(62):
        counted = sum(taken for start, length, taken in booked if start <= quarter < start + length)
        assert sum(level for span, level in found if span.start <= at(quarter) < span.end) == counted
    assert all(one.end <= other.start for (one, _), (other, _) in pairwise(found))


@settings(deadline=None)
@given(worlds())
def test_what_is_accepted_never_touches_what_others_occupy(world: World) -> None:
    made, occupied, period, week, quantity = world
    try:
        check(made, period, quantity=quantity, occupied=occupied, now=week)
    except (InvalidFields, ResourceIsTaken):
        return
    assert peak(occupied, made.occupied(period)) + quantity <= made.capacity


@settings(deadline=None)
@given(worlds())
def test_taken_means_that_something_is_in_the_way(world: World) -> None:
    made, occupied, period, week, quantity = world
    try:
        check(made, period, quantity=quantity, occupied=occupied, now=week)
    except ResourceIsTaken:
        assert peak(occupied, made.occupied(period)) + quantity > made.capacity
    except InvalidFields:
        with pytest.raises(InvalidFields):
            check_request(made, period, quantity=quantity, now=week)


@settings(deadline=None)
@given(worlds())
def test_page_and_decision_agree(world: World) -> None:
    made, occupied, period, week, quantity = world
    whole_week = Span(week, week + timedelta(days=7))
    shown = availability(made, occupied=occupied, now=week, window=whole_week, quantity=quantity).free
    on_grid = made.is_on_grid(period.start) and made.is_on_grid(period.end)
    fits = on_grid and any(span.contains(period) for span in shown)
    try:
        check(made, period, quantity=quantity, occupied=occupied, now=week)
    except (InvalidFields, ResourceIsTaken):
        assert not fits
    else:
        assert fits


@settings(deadline=None)
@given(worlds())
def test_every_alternative_can_be_booked_and_lasts_as_long(world: World) -> None:
    made, occupied, period, week, quantity = world
    found = alternatives(made, occupied=occupied, now=week, wanted=period, quantity=quantity)
    for one in found:
        assert one.length == period.length
        check(made, one, quantity=quantity, occupied=occupied, now=week)
    distances = [abs(one.start - period.start) for one in found]
    assert distances == sorted(distances)


@settings(deadline=None)
@given(worlds())
def test_no_nearer_alternative_is_missed(world: World) -> None:
    made, occupied, period, week, quantity = world
    try:
        check_request(made, period, quantity=quantity, now=week)
    except InvalidFields:
        return  # alternatives are offered to who asks for what is possible, but taken
    found = alternatives(made, occupied=occupied, now=week, wanted=period, quantity=quantity)
    for quarter in range(-96, 97):
        start = period.start + timedelta(minutes=15 * quarter)
        other = Span(start, start + period.length)
        try:
            check(made, other, quantity=quantity, occupied=occupied, now=week)
        except (InvalidFields, ResourceIsTaken):
            continue
        assert found
        assert abs(found[0].start - period.start) <= abs(start - period.start)


@settings(deadline=None)
@given(worlds())
def test_next_free_stretches_are_free(world: World) -> None:
    made, occupied, _, week, _ = world
    window = Span(week, week + timedelta(days=70))
    free = availability(made, occupied=occupied, now=week, window=window).free
    for stretch in next_free(made, occupied=occupied, now=week, since=week):
        assert any(span.contains(stretch) for span in free)
        assert stretch.length >= made.minimum


def test_the_next_free_time_lies_on_the_grid_and_leaves_time_to_ask() -> None:
    made = Rules(
        time_zone="Europe/Paris", opening_hours=tuple(Hours(day, 9 * 60, 18 * 60) for day in range(7)), step_minutes=30,
        minimum_minutes=60, maximum_minutes=480, lead_minutes=60, horizon_days=30, buffer_before_minutes=0,
        buffer_after_minutes=0,
    )  # fmt: skip
    at = datetime(2026, 11, 26, 8, 27, tzinfo=UTC)  # in an hour it is 10 h 27 in Paris: 10 h 30 would soon be too late
    first, *_ = next_free(made, occupied=(), now=at, since=at)
    assert first.start == datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
