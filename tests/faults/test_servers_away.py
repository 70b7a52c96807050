"""RabbitMQ and PostgreSQL killed under the hands of people who are writing."""

import time
from collections.abc import Iterator

import pytest

from deploy.demo.api import Json, Refused, wait_for
from tests.faults import invariants
from tests.faults.conftest import OUTBOX_LIMIT, Ruin
from tests.faults.ledger import Ledger
from tests.faults.load import Load

pytestmark = [pytest.mark.xdist_group("faults-servers"), pytest.mark.timeout(300)]

LISTENING = {"catalog", "booking", "matching", "notify", "federation"}


@pytest.fixture(autouse=True)
def servers_are_back(ruin: Ruin) -> Iterator[None]:
    """Also after a failure: the tests that follow need them."""
    yield
    for server in (ruin.rabbit, ruin.postgres):
        if server.pid is None:
            server.start()
            ruin.coop.reconnect()


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_while_the_broker_is_away_people_keep_working_and_events_go_out_when_it_returns(
    ruin: Ruin, ledger: Ledger, how: str
) -> None:
    coop, process = ruin.coop, ruin.coop.pid
    writer = coop.person()
    with Load(lambda number: writer.publish(f"Ponceuse {how} {number}")) as load:
        fault = ledger.begin(f"RabbitMQ {how}", "", lambda: coop.unseen(titles(load)))
        load.wait_for_more(10)
        ruin.rabbit.kill() if how == "killed" else ruin.rabbit.halt()
        wait_for("readiness to name the broker", lambda: coop.wrong().keys() >= LISTENING)
        assert {part for wrong in coop.wrong().values() for part in wrong} == {"broker"}
        load.wait_for_more(10)
        assert coop.value("catalog", "SELECT count(*) FROM outbox") > 10
        ruin.rabbit.start()
        fault.cause_ended()
        fault.wait_healed()
        coop.wait_ready()
        load.wait_for_more(10)
    assert not load.failed, f"a write was refused although only the broker was away: {load.failed[0]}"
    assert coop.pid == process
    invariants.check(ruin.coop)
    fault.load = str(load)
    ledger.end(fault, doubled=coop.doubled())


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_what_postgresql_acknowledged_outlives_its_death_and_services_resume_by_themselves(
    ruin: Ruin, ledger: Ledger, how: str
) -> None:
    coop, process = ruin.coop, ruin.coop.pid
    writer = coop.person()

    def publish(number: int) -> Json:
        return writer.publish(f"Rabot {how} {number}", key=f"plane-{number}-without-database-{how}")

    with Load(publish, pause=0.02, again=True) as load:
        fault = ledger.begin(f"PostgreSQL {how}", "", lambda: coop.unseen(titles(load)))
        load.wait_for_more(10)
        ruin.postgres.kill() if how == "killed" else ruin.postgres.stop()
        wait_for("a refused write", lambda: load.failed)
        wrong = wait_for("readiness to name the database", coop.wrong)
        assert all("database" in parts for parts in wrong.values()), wrong
        time.sleep(1)
        ruin.postgres.start()
        coop.reconnect()
        fault.cause_ended()
        fault.wait_healed()
        coop.wait_ready()
        load.wait_for_more(10)
    refusals = {error.status for error in load.failed if isinstance(error, Refused)}
    assert refusals == {503}, f"{refusals}: {load.failed[0]}"
    assert coop.pid == process
    invariants.check(coop)
    fault.load = str(load)
    ledger.end(fault, doubled=coop.doubled())


@pytest.mark.parametrize("what", ["disk", "memory"])
def test_a_full_broker_slows_nobody_down_until_too_much_waits_and_then_says_so(
    ruin: Ruin, ledger: Ledger, what: str
) -> None:
    coop, (full, roomy) = ruin.coop, _ALARMS[what]
    writer = coop.person()
    with Load(lambda number: writer.publish(f"Étau {what} {number}"), again=True) as load:
        fault = ledger.begin(f"{what} of RabbitMQ full", "", lambda: coop.unseen(titles(load)))
        load.wait_for_more(5)
        ruin.rabbit.control(*full)
        load.wait_for_more(10)  # nobody hangs: what is said waits in the outbox
        wait_for("readiness to say that events wait", lambda: "events wait" in str(coop.wrong()), seconds=60)
        coop.sql("catalog").execute(_MANY, OUTBOX_LIMIT)
        refused = wait_for("a refused write", lambda: [one for one in load.failed if isinstance(one, Refused)])
        assert refused[0].status == 503
        assert refused[0].problem["type"].endswith("too-many-events-wait"), refused[0].problem
        assert writer.get("catalog/listings") is not None, "reading goes on"
        ruin.rabbit.control(*roomy)
        fault.cause_ended()
        fault.wait_healed()
        load.wait_for_more(5)
    invariants.check(coop)
    fault.load = str(load)
    ledger.end(fault, doubled=coop.doubled())


@pytest.mark.long
def test_a_consumer_that_answers_too_late_is_cut_off_by_the_broker_and_begins_again(ruin: Ruin, ledger: Ledger) -> None:
    """RabbitMQ looks once a minute who has passed half an hour; here twice a second who has passed three seconds."""
    coop, matching = ruin.coop, ruin.coop.sql("matching")
    ruin.rabbit.control("eval", f"{_TIMEOUT.format(timeout=3000)}, {_TICK.format(tick=500)}.")
    try:
        coop.kill()
        coop.restart()
        with matching.holding_up("INSERT", "things"):
            offers = [coop.person().publish(f"Serre-joint {number}") for number in range(5)]
            fault = ledger.begin(
                "consumer timeout", f"{len(offers)} writes", lambda: coop.unseen(one["title"] for one in offers)
            )
            wait_for("the handler inside its insert", matching.waiting)
            wait_for("the broker to close its channel", lambda: "PRECONDITION_FAILED" in coop.log(), seconds=30)
        fault.cause_ended()
        fault.wait_healed()
        invariants.check(coop)
        ledger.end(fault, doubled=coop.doubled())
    finally:
        ruin.rabbit.control("eval", f"{_TIMEOUT.format(timeout=1800000)}, {_TICK.format(tick=60000)}.")
        coop.kill()
        coop.restart()


_TIMEOUT = "application:set_env(rabbit, consumer_timeout, {timeout})"
_TICK = "application:set_env(rabbit, channel_tick_interval, {tick})"
_ALARMS = {
    "disk": (("set_disk_free_limit", "1000000GB"), ("set_disk_free_limit", "50MB")),
    "memory": (("set_vm_memory_high_watermark", "absolute", "1"), ("set_vm_memory_high_watermark", "0.4")),
}
"""How RabbitMQ comes to think that it is full, and that it is not."""
_MANY = """
INSERT INTO outbox (id, type, subject, time, data)
SELECT uuidv7(), 'catalog.unheard.v1', 'nothing', now(), '{}' FROM generate_series(1, $1)
"""


def titles(load: Load[Json]) -> list[str]:
    return [listing["title"] for listing in load.acknowledged]
