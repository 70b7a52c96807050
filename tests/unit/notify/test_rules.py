"""Who is asked, what is mailed, when a mail is tried again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import settings as trial
from hypothesis import strategies as st

from contracts.booking import Approval
from services.notify.deliveries import retry_at
from services.notify.domain import EmailPreference, Weight, deciders, is_mailed
from services.notify.listening import Pulse
from services.notify.live import Hub

OWNER, BORROWER, CARO, COLIN = (UUID(int=number) for number in range(1, 5))
COORDINATORS = frozenset({CARO, COLIN})


@pytest.mark.parametrize(
    ("weight", "preference", "mailed"),
    [
        (Weight.IMPORTANT, "all", True),
        (Weight.NEWS, "all", True),
        (Weight.QUIET, "all", False),
        (Weight.IMPORTANT, "important", True),
        (Weight.NEWS, "important", False),
        (Weight.IMPORTANT, "none", False),
    ],
)
def test_preference(weight: Weight, preference: EmailPreference, mailed: bool) -> None:  # noqa: FBT001 - a column
    assert is_mailed(weight, preference) is mailed


def asked(
    approval: Approval = "owner", *, owner: UUID | None = OWNER, borrower: UUID | None = BORROWER, left: bool = False
) -> frozenset[UUID]:
    active = frozenset(() if left or owner is None else (owner,))
    return deciders(approval=approval, owner=owner, borrower=borrower, active=active, coordinators=COORDINATORS)


def test_the_owner_decides() -> None:
    assert asked() == {OWNER}


def test_coordinators_decide_where_they_approve_or_the_owner_cannot() -> None:
    assert asked("coordinator") == COORDINATORS
    assert asked(left=True) == COORDINATORS
    assert asked(owner=None) == COORDINATORS
    assert asked(owner=BORROWER) == COORDINATORS


def test_an_owner_decides_where_no_other_coordinator_could() -> None:
    only_the_borrower = frozenset({BORROWER})
    found = deciders(
        approval="coordinator", owner=OWNER, borrower=BORROWER, active={OWNER}, coordinators=only_the_borrower
    )
    assert found == {OWNER}


people = st.sampled_from([OWNER, BORROWER, CARO, COLIN])


@trial(deadline=None)
@given(
    approval=st.sampled_from(["automatic", "owner", "coordinator"]),
    owner=st.none() | people,
    borrower=st.none() | people,
    left=st.booleans(),
    coordinators=st.frozensets(people),
)
def test_nobody_decides_on_their_own_request_and_only_the_owner_or_coordinators_do(
    approval: Approval,
    owner: UUID | None,
    borrower: UUID | None,
    left: bool,  # noqa: FBT001 - drawn
    coordinators: frozenset[UUID],
) -> None:
    active = frozenset(() if left or owner is None else (owner,))
    found = deciders(approval=approval, owner=owner, borrower=borrower, active=active, coordinators=coordinators)
    assert borrower not in found or borrower is None
    assert found <= coordinators | active
    if coordinators - {borrower}:
        assert found


def test_pauses_between_attempts_grow_and_end_within_the_patience_of_three_days() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    pauses = [retry_at(now, attempts) - now for attempts in range(1, 40)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= timedelta(seconds=10)
    assert pauses[-1] == timedelta(hours=4)


async def test_a_beat_that_nobody_waited_for_is_kept() -> None:
    pulse = Pulse()
    pulse.beat()
    await pulse.wait(60)


def test_a_live_inbox_wakes_its_own_readers_only() -> None:
    hub = Hub()
    with hub.following(CARO) as first, hub.following(CARO) as second, hub.following(COLIN) as other:
        hub.wake(str(CARO))
        assert first.is_set()
        assert second.is_set()
        assert not other.is_set()
        hub.wake("")
        assert other.is_set()
    hub.wake(str(CARO))
