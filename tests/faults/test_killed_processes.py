"""SIGKILL at the worst moments: nothing acknowledged is lost, every effect happens once."""

from collections.abc import Callable
from uuid import UUID

import pytest

from deploy.demo.api import Json, through_a_restart, wait_for
from tests.faults import invariants
from tests.faults.conftest import Found
from tests.faults.cooperative import Coop
from tests.faults.load import Load
from tests.faults.proxy import proxied
from tests.servers import Servers

pytestmark = pytest.mark.xdist_group("faults-processes")


def is_indexed(coop: Coop, listing: Json) -> Callable[[], bool]:
    query = "SELECT count(*) FROM things WHERE id = $1"
    return lambda: coop.value("matching", query, UUID(listing["id"])) == 1


def test_a_consumer_killed_in_mid_handler_has_done_nothing_and_then_does_it_once(coop: Coop) -> None:
    matching = coop.sql("matching")
    with matching.holding_up("INSERT", "things"):
        offer = coop.person().publish("Tour à bois")
        wait_for("the handler inside its insert", matching.waiting)
        coop.kill()
    assert not is_indexed(coop, offer)(), "the killed handler's half-done work was kept"
    assert coop.value("matching", "SELECT count(*) FROM inbox") == 0
    coop.restart()
    wait_for("the effect", is_indexed(coop, offer))
    invariants.check(coop)
    assert coop.value("matching", "SELECT count(*) FROM inbox") == 1


def test_a_consumer_killed_after_its_commit_and_before_its_acknowledgement_does_not_do_it_again(
    found: Found, servers: Servers
) -> None:
    with proxied(servers.amqp_port) as line:
        coop = found("namur", MAILLAGE_BROKER_PORT=str(line.port))
        matching = coop.sql("matching")
        with matching.holding_up("INSERT", "things"):
            offer = coop.person().publish("Tour à bois")
            wait_for("the handler inside its insert", matching.waiting)
            line.silence()  # the acknowledgement will not arrive
        wait_for("the commit", is_indexed(coop, offer))
        coop.kill()
        line.mend()
        coop.restart()
        wait_for("the broker to deliver it again", lambda: coop.handled("matching", "duplicate") >= 1)
    invariants.check(coop)
    assert coop.value("matching", "SELECT count(*) FROM inbox") == 1
    assert coop.value("matching", "SELECT version FROM things") == 1


def test_a_relay_killed_after_publishing_and_before_marking_publishes_again_and_the_inbox_drops_it(coop: Coop) -> None:
    catalog = coop.sql("catalog")
    with catalog.holding_up("DELETE", "outbox"):
        offer = coop.person().publish("Tour à bois")
        wait_for("the relay inside its delete", catalog.waiting)
        wait_for("the effect of the first copy", is_indexed(coop, offer))
        coop.kill()
    assert catalog.value("SELECT count(*) FROM outbox") == 1, "the event was marked although the relay was killed"
    coop.restart()
    for service in ("matching", "booking", "federation"):
        wait_for(f"the second copy in {service}", lambda service=service: coop.handled(service, "duplicate") >= 1)
    invariants.check(coop)
    assert coop.value("matching", "SELECT version FROM things") == 1


def test_whoever_writes_while_the_process_is_killed_again_and_again_finds_everything_once(coop: Coop) -> None:
    writer = coop.person()

    def publish(number: int) -> Json:
        return writer.publish(f"Établi {number}", key=f"bench-{number}-of-the-load")

    with Load(publish, pause=0.02, again=True) as load:
        for _ in range(3):
            before = len(load.acknowledged)
            wait_for("some writes", lambda before=before: len(load.acknowledged) > before + 10)
            coop.kill()
            coop.restart()
    assert load.failed, "the kills came between the requests"
    invariants.check(coop)
    titles = [row["title"] for row in coop.rows("catalog", "SELECT title FROM listings")]
    assert len(titles) == len(set(titles)), "a request that was sent again was done twice"
    assert {listing["title"] for listing in load.acknowledged} <= set(titles)
    through_a_restart(lambda: writer.get("matching/search", q="établi"))
