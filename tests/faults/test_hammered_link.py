"""People of two cooperatives want the same machines while the line between them is cut; `make hammer` plays it long."""

import pytest

from tests.faults import invariants
from tests.faults.conftest import Pair
from tests.hammer import across

pytestmark = [pytest.mark.xdist_group("faults-link"), pytest.mark.timeout(300)]


def test_after_cuts_at_random_both_sides_show_every_booking_alike(pair: Pair) -> None:
    told = across.hammer((pair.lille, pair.namur), pair.lines, cuts=3, people=2, seed=11)
    print("\n".join(told.lines()))
    assert told.sound, "\n".join(told.lines())
    assert told.answers["ask abroad 201"] >= 1
    assert told.compared.total() >= 1
    invariants.check(pair.lille, pair.namur, linked=True)
