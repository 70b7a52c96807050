"""SIGKILL at the worst moments: nothing acknowledged is lost, every effect happens once."""

from collections.abc import Callable
from uuid import UUID

import pytest

from deploy.demo.api import Json, wait_for
from tests.faults import invariants
from tests.faults.conftest import Ruin
from tests.faults.cooperative import Coop
from tests.faults.load import Load

pytestmark = [pytest.mark.xdist_group("faults-servers"), pytest.mark.timeout(300)]

HANDLED = "SELECT count(*) FROM inbox"


def is_indexed(coop: Coop, listing: Json) -> Callable[[], bool]:
    query = "SELECT count(*) FROM things WHERE id = $1"
    return lambda: coop.value("matching", query, UUID(listing["id"])) == 1


def version_of(coop: Coop, listing: Json) -> int:
    return coop.value("matching", "SELECT version FROM things WHERE id = $1", UUID(listing["id"]))


def test_a_consumer_killed_in_mid_handler_has_done_nothing_and_then_does_it_once(coop: Coop) -> None:
    matching, before = coop.sql("matching"), coop.value("matching", HANDLED)
    with matching.holding_up("INSERT", "things"):
        offer = coop.person().publish("Tour à bois")
        wait_for("the handler inside its insert", matching.waiting)
        coop.kill()
    assert not is_indexed(coop, offer)(), "the killed handler's half-done work was kept"
    assert matching.value(HANDLED) == before
    coop.restart()
    wait_for("the effect", is_indexed(coop, offer))
    invariants.check(coop)
    assert matching.value(HANDLED) == before + 1


def test_a_consumer_killed_between_commit_and_acknowledgement_does_not_do_it_again(ruin: Ruin) -> None:
    coop = ruin.coop
    matching, before = coop.sql("matching"), coop.value("matching", HANDLED)
    with matching.holding_up("INSERT", "things"):
        offer = coop.person().publish("Scie à ruban")
        wait_for("the handler inside its insert", matching.waiting)
        ruin.line.silence()  # the acknowledgement will not arrive
    wait_for("the commit", is_indexed(coop, offer))
    coop.kill()
    ruin.line.mend()
    coop.restart()
    wait_for("the broker to deliver it again", lambda: coop.handled("matching", "duplicate") >= 1)
    invariants.check(coop)
    assert matching.value(HANDLED) == before + 1
    assert version_of(coop, offer) == 1


def test_a_relay_killed_after_publishing_and_before_marking_publishes_again_and_inboxes_drop_it(coop: Coop) -> None:
    catalog = coop.sql("catalog")
    with catalog.holding_up("DELETE", "outbox"):
        offer = coop.person().publish("Perceuse à colonne")
        wait_for("the relay inside its delete", catalog.waiting)
        wait_for("the effect of the first copy", is_indexed(coop, offer))
        coop.kill()
    assert catalog.value("SELECT count(*) FROM outbox") == 1, "the event was marked although the relay was killed"
    coop.restart()
    for service in ("matching", "booking", "federation"):
        wait_for(f"the second copy in {service}", lambda service=service: coop.handled(service, "duplicate") >= 1)
    invariants.check(coop)
    assert version_of(coop, offer) == 1


def test_whoever_writes_while_processes_are_killed_finds_everything_once(coop: Coop) -> None:
    writer = coop.person()

    def publish(number: int) -> Json:
        return writer.publish(f"Établi {number}", key=f"bench-{number}-under-kills")

    with Load(publish, pause=0.02, again=True) as load:
        for _ in range(2):
            load.wait_for_more(10)
            coop.kill()
            coop.restart()
    assert load.failed, "the kills came between the requests"
    invariants.check(coop)
    titles = [row["title"] for row in coop.rows("catalog", "SELECT title FROM listings")]
    assert len(titles) == len(set(titles)), "a request that was sent again was done twice"
    assert {listing["title"] for listing in load.acknowledged} <= set(titles)
