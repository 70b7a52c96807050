"""RabbitMQ and PostgreSQL killed under the hands of people who are writing."""

import time
from collections.abc import Iterator

import pytest

from deploy.demo.api import Json, Refused, wait_for
from tests.faults import invariants
from tests.faults.conftest import Ruin
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


def test_while_the_broker_is_away_people_keep_working_and_events_go_out_when_it_returns(ruin: Ruin) -> None:
    coop, process = ruin.coop, ruin.coop.pid
    writer = coop.person()
    with Load(lambda number: writer.publish(f"Ponceuse {number}")) as load:
        load.wait_for_more(10)
        ruin.rabbit.kill()
        wait_for("readiness to name the broker", lambda: coop.wrong().keys() == LISTENING)
        assert {part for wrong in coop.wrong().values() for part in wrong} == {"broker"}
        load.wait_for_more(10)
        assert coop.value("catalog", "SELECT count(*) FROM outbox") > 10
        ruin.rabbit.start()
        coop.wait_ready()
        load.wait_for_more(10)
    assert not load.failed, f"a write was refused although only the broker was away: {load.failed[0]}"
    assert coop.pid == process
    invariants.check(ruin.coop)
    indexed = coop.rows("matching", "SELECT title FROM things WHERE title LIKE 'Ponceuse %' AND NOT gone")
    assert sorted(row["title"] for row in indexed) == sorted(listing["title"] for listing in load.acknowledged)


def test_what_postgresql_acknowledged_outlives_its_death_and_services_resume_by_themselves(ruin: Ruin) -> None:
    coop, process = ruin.coop, ruin.coop.pid
    writer = coop.person()

    def publish(number: int) -> Json:
        return writer.publish(f"Rabot {number}", key=f"plane-{number}-without-database")

    with Load(publish, pause=0.02, again=True) as load:
        load.wait_for_more(10)
        ruin.postgres.kill()
        wait_for("a refused write", lambda: load.failed)
        wrong = wait_for("readiness to name the database", coop.wrong)
        assert all("database" in parts for parts in wrong.values()), wrong
        time.sleep(1)
        ruin.postgres.start()
        coop.reconnect()
        coop.wait_ready()
        load.wait_for_more(10)
    refusals = {error.status for error in load.failed if isinstance(error, Refused)}
    assert refusals == {503}, f"{refusals}: {load.failed[0]}"
    assert coop.pid == process
    invariants.check(coop)
    rows = coop.rows("catalog", "SELECT title FROM listings WHERE title LIKE 'Rabot %'")
    titles = [row["title"] for row in rows]
    assert len(titles) == len(set(titles)), "a request that was sent again was done twice"
    assert {listing["title"] for listing in load.acknowledged} <= set(titles)
