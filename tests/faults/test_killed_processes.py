"""SIGKILL at the worst moments: nothing acknowledged is lost, every effect happens once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx
import pytest

from deploy.demo.api import Json, Refused, wait_for
from tests.faults import invariants
from tests.faults.conftest import Ruin
from tests.faults.cooperative import Coop
from tests.faults.ledger import Ledger
from tests.faults.load import Load

pytestmark = [pytest.mark.xdist_group("faults-servers"), pytest.mark.timeout(300)]

HANDLED = "SELECT count(*) FROM inbox"


def is_indexed(coop: Coop, listing: Json) -> Callable[[], bool]:
    query = "SELECT count(*) FROM things WHERE id = $1"
    return lambda: coop.value("matching", query, UUID(listing["id"])) == 1


def version_of(coop: Coop, listing: Json) -> int:
    return coop.value("matching", "SELECT version FROM things WHERE id = $1", UUID(listing["id"]))


def unindexed(coop: Coop, *listings: Json) -> Callable[[], list[str]]:
    """What the ledger asks: which of `listings` have not had their effect."""
    return lambda: coop.unseen(listing["title"] for listing in listings)


def test_a_request_killed_before_its_commit_has_done_nothing_and_is_done_once_when_sent_again(
    coop: Coop, ledger: Ledger
) -> None:
    title, key = "Raboteuse", "killed-before-commit"
    fault = ledger.begin("request killed before commit", "1 write", lambda: coop.unseen([title]))
    with coop.sql("catalog").holding_up("INSERT", "listings"), ThreadPoolExecutor(1) as asking:
        asked = asking.submit(coop.person().publish, title, key=key)
        wait_for("the request inside its insert", coop.sql("catalog").waiting)
        coop.kill()
        assert isinstance(asked.exception(), httpx.HTTPError | Refused)
    assert coop.value("catalog", "SELECT count(*) FROM listings WHERE title = $1", title) == 0
    fault.cause_ended()
    coop.restart()
    coop.person().publish(title, key=key)
    fault.wait_healed()
    invariants.check(coop)
    ledger.end(fault, doubled=coop.doubled())


def test_an_event_whose_relay_is_killed_before_publishing_goes_out_later(ruin: Ruin, ledger: Ledger) -> None:
    coop = ruin.coop
    ruin.line.silence()
    offer = coop.person().publish("Défonceuse")
    fault = ledger.begin("relay killed after commit, before publish", "1 write", unindexed(coop, offer))
    assert coop.value("catalog", "SELECT count(*) FROM outbox") == 1
    coop.kill()
    ruin.line.mend()
    fault.cause_ended()
    coop.restart()
    fault.wait_healed()
    invariants.check(coop)
    ledger.end(fault, doubled=coop.doubled())


def test_a_consumer_killed_in_mid_handler_has_done_nothing_and_then_does_it_once(coop: Coop, ledger: Ledger) -> None:
    matching, before = coop.sql("matching"), coop.value("matching", HANDLED)
    with matching.holding_up("INSERT", "things"):
        offer = coop.person().publish("Tour à bois")
        wait_for("the handler inside its insert", matching.waiting)
        coop.kill()
    assert not is_indexed(coop, offer)(), "the killed handler's half-done work was kept"
    assert matching.value(HANDLED) == before
    fault = ledger.begin("consumer killed before commit", "1 write", unindexed(coop, offer))
    fault.cause_ended()
    coop.restart()
    fault.wait_healed()
    invariants.check(coop)
    ledger.end(fault, doubled=matching.value(HANDLED) - before - 1)


def test_a_consumer_killed_between_commit_and_acknowledgement_does_not_do_it_again(ruin: Ruin, ledger: Ledger) -> None:
    coop = ruin.coop
    matching, before = coop.sql("matching"), coop.value("matching", HANDLED)
    with matching.holding_up("INSERT", "things"):
        offer = coop.person().publish("Scie à ruban")
        wait_for("the handler inside its insert", matching.waiting)
        ruin.line.silence()  # the acknowledgement will not arrive
    wait_for("the commit", is_indexed(coop, offer))
    fault = ledger.begin("consumer killed before ack", "1 write", unindexed(coop, offer))
    coop.kill()
    ruin.line.mend()
    fault.cause_ended()
    coop.restart()
    wait_for("the broker to deliver it again", lambda: coop.handled("matching", "duplicate") >= 1)
    fault.wait_healed()
    invariants.check(coop)
    ledger.end(fault, doubled=matching.value(HANDLED) - before - 1)
    assert version_of(coop, offer) == 1


def test_a_relay_killed_after_publishing_and_before_marking_publishes_again_and_inboxes_drop_it(
    coop: Coop, ledger: Ledger
) -> None:
    catalog = coop.sql("catalog")
    with catalog.holding_up("DELETE", "outbox"):
        offer = coop.person().publish("Perceuse à colonne")
        wait_for("the relay inside its delete", catalog.waiting)
        wait_for("the effect of the first copy", is_indexed(coop, offer))
        coop.kill()
    assert catalog.value("SELECT count(*) FROM outbox") == 1, "the event was marked although the relay was killed"
    fault = ledger.begin("relay killed after publish, before delete", "1 write", unindexed(coop, offer))
    fault.cause_ended()
    coop.restart()
    for service in ("matching", "booking", "federation"):
        wait_for(f"the second copy in {service}", lambda service=service: coop.handled(service, "duplicate") >= 1)
    fault.wait_healed()
    invariants.check(coop)
    ledger.end(fault, doubled=coop.doubled())
    assert version_of(coop, offer) == 1


def test_whoever_writes_while_processes_are_killed_finds_everything_once(coop: Coop, ledger: Ledger) -> None:
    writer = coop.person()

    def publish(number: int) -> Json:
        return writer.publish(f"Établi {number}", key=f"bench-{number}-under-kills")

    with Load(publish, pause=0.02, again=True) as load:
        fault = ledger.begin(
            "whole cooperative killed, twice",
            "",
            lambda: coop.unseen(listing["title"] for listing in load.acknowledged),
        )
        for _ in range(2):
            load.wait_for_more(10)
            coop.kill()
            fault.cause_ended()
            coop.restart()
            fault.wait_healed()
    assert load.failed, "the kills came between the requests"
    invariants.check(coop)
    fault.load = str(load)
    ledger.end(fault, doubled=coop.doubled())
