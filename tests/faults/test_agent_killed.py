"""The broker-agent, which alone makes what links need on the broker, is killed while people write and links change."""

import pytest

from deploy.demo.api import wait_for
from tests.faults import invariants
from tests.faults.conftest import Pair
from tests.faults.cooperative import Coop
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.test_link_cut import publish_change_withdraw, uncrossed

pytestmark = [pytest.mark.xdist_group("faults-link"), pytest.mark.timeout(420)]

DUE = "SELECT count(*) FROM broker_orders WHERE done_generation < generation"


def test_links_work_on_without_broker_agents_and_what_was_ordered_meanwhile_is_done_by_the_next(
    pair: Pair, ledger: Ledger
) -> None:
    lille, namur = pair.lille, pair.namur
    marie, paul = lille.person(name="Marie"), namur.person(name="Paul")
    (link_id,) = [row["id"] for row in lille.rows("federation", "SELECT id FROM links WHERE status = 'active'")]
    with (
        Load(lambda number: publish_change_withdraw(marie, "Colle sans agent", number), pause=0.1) as lilles,
        Load(lambda number: publish_change_withdraw(paul, "Lame sans agent", number), pause=0.1) as namurs,
    ):
        fault = ledger.begin("broker-agents killed", "", lambda: uncrossed(lille, namur))
        for coop in (lille, namur):
            coop.kill_agent()
        before = crossed(namur)
        namurs.wait_for_more(5)
        lilles.wait_for_more(5)
        wait_for("what is said to cross without them", lambda: crossed(namur) > before)
        order(lille, link_id, "pause")
        lilles.wait_for_more(5)
        assert lille.value("federation", DUE) == 1, "nobody was there to do it"
        lille.start_agent()
        wait_for("the pause", lambda: not lille.value("federation", DUE))
        lille.kill_agent()
        order(lille, link_id, "resume")
        lilles.wait_for_more(5)
        for coop in (lille, namur):
            coop.start_agent()
        fault.cause_ended()
        fault.wait_healed()
    for load in (namurs, lilles):
        assert not load.failed, f"a write was refused although only an agent was away: {load.failed[0]}"
    invariants.check(lille, namur, linked=True, seconds=120)
    fault.load = f"{len(namurs.acknowledged) + len(lilles.acknowledged)} writes on both sides"
    ledger.end(fault, doubled=lille.doubled() + namur.doubled())


def order(coop: Coop, link_id: object, what: str) -> None:
    """Pause or resume the link, as a coordinator."""
    coop.person(role="coordinator").post(f"federation/links/{link_id}/{what}")


def crossed(coop: Coop) -> int:
    """How far it has applied what the peer says."""
    return coop.value("federation", "SELECT coalesce(max(applied_to), 0) FROM positions")
