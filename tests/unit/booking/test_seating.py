"""Seats by role, waiting lists and the rotating seat: the rules alone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.booking.domain.planned_session import PlannedSession, Role, Step, check_times
from services.booking.domain.seating import ROTATION_KEPT, Seating, SignUp, seat_of, state_of
from services.booking.domain.session_problems import AlreadySignedUp, NothingOffered, NotSignedUp
from services.chassis.ids import new_id
from services.chassis.problems import InvalidFields

NOW = datetime(2031, 3, 1, 9, tzinfo=UTC)
START = datetime(2031, 3, 20, 13, tzinfo=UTC)
ANA, BEA, CARL, DORA = (UUID(int=number) for number in range(1, 5))


def seating(*roles: Role, last: frozenset[UUID] = frozenset(), **changes: Any) -> Seating:
    values: dict[str, Any] = {
        "id": new_id(), "series_id": None, "template": "co_development", "title": "Codéveloppement", "text": "",
        "starts_at": START, "ends_at": START + timedelta(hours=2), "time_zone": "Europe/Paris", "place_label": None,
        "video_url": "https://video.example/x", "organiser_member_id": DORA, "organiser_name": "Dora",
        "circle_id": None, "circle_name": None, "audience": "cooperative", "audience_circle_ids": [],
        "private": False, "confidentiality": "", "rotating_role": "client", "accept_hours": 24, "status": "planned",
        "reason": None, "version": 0, "reminded_at": None, "created_at": NOW, "changed_at": NOW,
        "roles": list(roles) or [Role(code="client", label="Client·e", minimum=1, maximum=1)],
    }  # fmt: skip
    return Seating(planned=PlannedSession(**(values | changes)), sign_ups=[], last_holders=last)


def come(here: Seating, member_id: UUID, role: str = "client", now: datetime = NOW) -> SignUp:
    one = SignUp(
        id=new_id(), number=len(here.sign_ups) + 1, member_id=member_id, member_name="", role=role, state="waiting",
        seat=None, accept_by=None, answers={}, changed_at=now,
    )  # fmt: skip
    here.arrive(one, now)
    return one


def test_the_first_takes_the_seat_and_the_others_wait_in_order() -> None:
    here = seating()
    first, second, third = (come(here, person) for person in (ANA, BEA, CARL))
    assert (first.state, first.seat) == ("taken", 1)
    assert [here.position(one) for one in (first, second, third)] == [None, 1, 2]
    with pytest.raises(AlreadySignedUp):
        come(here, BEA)


def test_a_freed_seat_is_offered_for_a_day_and_then_to_the_next() -> None:
    here = seating()
    _, second, third = (come(here, person) for person in (ANA, BEA, CARL))
    here.leave(ANA, NOW)
    here.pass_on(NOW)
    assert (second.state, second.seat, second.accept_by) == ("offered", 1, NOW + timedelta(hours=24))
    late = NOW + timedelta(hours=24)
    with pytest.raises(NothingOffered):
        here.accept(BEA, late)
    here.pass_on(late)
    assert (second.state, third.state) == ("missed", "offered")
    here.accept(CARL, late)
    assert third.state == "taken"
    with pytest.raises(NotSignedUp):
        here.leave(BEA, late)


def test_an_offer_never_outlasts_the_start_and_none_is_made_afterwards() -> None:
    here = seating()
    _, second, third = (come(here, person) for person in (ANA, BEA, CARL))
    soon = START - timedelta(hours=1)
    here.leave(ANA, soon)
    here.pass_on(soon)
    assert second.accept_by == START
    here.pass_on(START)
    assert (second.state, third.state) == ("missed", "waiting")


def test_a_move_to_an_earlier_time_shortens_offers() -> None:
    here = seating()
    come(here, ANA)
    second = come(here, BEA)
    here.leave(ANA, NOW)
    here.pass_on(NOW)
    here.planned.move(NOW + timedelta(hours=3), NOW + timedelta(hours=5), now=NOW)
    here.keep_offers_within(NOW)
    assert second.accept_by == NOW + timedelta(hours=3)


def test_who_was_the_client_last_time_lets_the_others_go_first() -> None:
    here = seating(last=frozenset({ANA}))
    ana = come(here, ANA)
    assert ana.state == "waiting"
    assert come(here, BEA).state == "taken"
    carl = come(here, CARL)
    assert [here.position(one) for one in (carl, ana)] == [1, 2]
    here.leave(BEA, NOW)
    here.pass_on(NOW)
    assert (carl.state, ana.state) == ("offered", "waiting")


def test_a_rotating_seat_that_nobody_else_wants_is_offered_two_days_before() -> None:
    here = seating(last=frozenset({ANA}))
    ana = come(here, ANA)
    here.pass_on(START - ROTATION_KEPT - timedelta(seconds=1))
    assert ana.state == "waiting"
    here.pass_on(START - ROTATION_KEPT)
    assert ana.state == "offered"


def test_rotation_is_about_one_role_only() -> None:
    consultant = Role(code="consultant", label="Consultant·e", minimum=4, maximum=8)
    here = seating(consultant, last=frozenset({ANA}))
    assert come(here, ANA, "consultant").state == "taken"
    assert here.is_short()


def test_seats_close_ranks_before_there_are_fewer() -> None:
    here = seating(Role(code="client", label="", minimum=0, maximum=3), rotating_role=None)
    for person in (ANA, BEA, CARL):
        come(here, person)
    here.leave(ANA, NOW)
    assert [one.seat for one in here.close_ranks()] == [1, 2]


def test_what_is_said_names_nobody_and_hides_the_video() -> None:
    here = seating(private=True)
    ana, bea = come(here, ANA), come(here, BEA)
    text = state_of(here).model_dump_json()
    assert "video.example" not in text
    assert "Dora" not in text
    assert seat_of(here, ana).video_url == "https://video.example/x"
    assert (seat_of(here, bea).video_url, seat_of(here, bea).position) == (None, 1)


def test_steps_fit_into_the_session() -> None:
    check_times(START, START + timedelta(hours=1), [Step(title="a", minutes=60)], now=NOW)
    with pytest.raises(InvalidFields):
        check_times(START, START + timedelta(hours=1), [Step(title="a", minutes=61)], now=NOW)


@pytest.mark.parametrize(
    ("start", "end"),
    [(START, START), (NOW, START), (NOW - timedelta(days=1), START), (START, START + timedelta(days=8)),
     (NOW + timedelta(days=1200), NOW + timedelta(days=1201))],
)  # fmt: skip
def test_impossible_times_are_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(InvalidFields):
        check_times(start, end, [], now=NOW)


@given(
    steps=st.lists(st.tuples(st.sampled_from(["come", "leave", "accept", "wait"]), st.integers(1, 9)), max_size=60),
    maximum=st.integers(1, 4),
    last=st.sets(st.integers(1, 9), max_size=2),
)
def test_seats_are_never_oversold_and_never_left_free_for_nothing(
    steps: list[tuple[str, int]], maximum: int, last: set[int]
) -> None:
    here = seating(
        Role(code="client", label="", minimum=0, maximum=maximum), last=frozenset(UUID(int=one) for one in last)
    )
    now = NOW
    for action, number in steps:
        person = UUID(int=number)
        mine = here.of(person)
        if action == "come" and mine is None:
            come(here, person, now=now)
        elif action == "leave" and mine is not None:
            here.leave(person, now)
        elif action == "accept" and mine is not None and mine.state == "offered":
            here.accept(person, now)
        elif action == "wait":
            now += timedelta(hours=number)
        here.pass_on(now)
        held = here.held("client")
        assert len({one.seat for one in held}) == len(held) <= maximum
        assert all(one.seat is not None and 1 <= one.seat <= maximum for one in held)
        waiting = [one for one in here.queue("client") if not here.must_wait(one.member_id, "client", now)]
        assert len(held) == maximum or waiting == []
        assert [here.position(one) for one in here.queue("client")] == list(
            range(1, here.count("client", "waiting") + 1)
        )
