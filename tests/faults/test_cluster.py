"""One of three nodes of a RabbitMQ cluster is lost: that to which all connections lead, or that which leads queues."""

import pytest

from services.chassis import names
from tests.faults import invariants
from tests.faults.conftest import Clustered
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.rabbit_cluster import leaders

pytestmark = [pytest.mark.xdist_group("faults-cluster"), pytest.mark.timeout(600), pytest.mark.long]


def test_the_loss_of_one_of_three_nodes_loses_and_doubles_nothing(clustered: Clustered, ledger: Ledger) -> None:
    coop, (first, second, third) = clustered.coop, clustered.nodes
    writer, vhost = coop.person(), names.vhost(coop.name)
    with Load(lambda number: writer.publish(f"Gabarit {number}")) as load:

        def unseen() -> list[str]:
            return coop.unseen(listing["title"] for listing in load.acknowledged)

        with_all = ledger.begin("node of a cluster lost, with all connections", "", unseen)
        load.wait_for_more(20)
        assert leaders(first, vhost).get(first.node_name), "it leads the queues that it was asked to make"
        first.kill()
        clustered.line.lead_to(second.amqp_port)
        with_all.cause_ended()
        with_all.wait_healed()
        coop.wait_ready()
        load.wait_for_more(20)
        with_all.load = str(load)
        first.start()
        moved = leaders(second, vhost).get(third.node_name, 0)
        leading = ledger.begin(f"node of a cluster lost, leader of {moved} queues", "", unseen)
        third.kill()
        leading.cause_ended()
        leading.wait_healed()
        load.wait_for_more(20)
        third.start()
    coop.wait_ready()
    invariants.check(coop)
    assert not load.failed, f"a write was refused although two nodes were there: {load.failed[0]}"
    leading.load = str(load)
    for fault in (with_all, leading):
        ledger.end(fault, doubled=coop.doubled())
