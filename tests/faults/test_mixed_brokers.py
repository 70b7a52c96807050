"""Two linked cooperatives, one on this machine's own RabbitMQ and one on RabbitMQ 4.0 in a container.

Nobody updates all servers of a region in one night. Needs a Docker engine that holds the image; on a machine whose own
RabbitMQ is as new, both are the same and there is nothing to see.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from uuid import UUID

import pytest

from deploy.demo.api import wait_for
from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from tests import servers_in_containers
from tests.faults import invariants
from tests.faults.conftest import addresses_of
from tests.faults.cooperative import Coop, link, under_trial
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.test_link_cut import COPY_IS_THERE, book_across, day_to_book, publish_change_withdraw, uncrossed
from tests.instances import cooperatives
from tests.servers import Servers
from tests.servers_in_containers import ContainerRabbit

pytestmark = [
    pytest.mark.xdist_group("faults-mixed"),
    pytest.mark.timeout(900),
    pytest.mark.long,
    pytest.mark.skipif(not servers_in_containers.available(), reason="no Docker engine that holds the images"),
]

Broker = LocalRabbit | ContainerRabbit


@pytest.fixture
def mixed(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sequence[Coop], list[Broker]]]:
    """Lille on the older broker, Namur on the newer one."""
    with ExitStack() as stack:
        postgres = LocalPostgres()
        brokers: list[Broker] = [LocalRabbit(), ContainerRabbit()]
        for server in (postgres, *brokers):
            stack.callback(server.stop)
            server.start()
        make = stack.enter_context(cooperatives(servers, tmp_path_factory.mktemp("mixed")))
        coops = [
            stack.enter_context(under_trial(make(name, where=addresses_of(postgres, rabbit)), servers, agent=True))
            for name, rabbit in zip(("lille", "namur"), brokers, strict=True)
        ]
        if len(set(map(version, coops))) == 1:
            pytest.skip(f"both brokers are RabbitMQ {version(coops[0])}")
        yield coops, brokers


def version(coop: Coop) -> str:
    """The release of its broker, like "3.10"."""
    answer = coop.http.get(f"{coop.local.addresses.admin_broker_url}/api/overview").raise_for_status()
    return ".".join(str(answer.json()["rabbitmq_version"]).split(".")[:2])


@pytest.mark.parametrize("inviting", ["older", "newer"])
def test_cooperatives_on_brokers_of_two_releases_agree_and_go_on_after_the_restart_of_each(
    mixed: tuple[Sequence[Coop], list[Broker]], ledger: Ledger, inviting: str
) -> None:
    (lille, namur), brokers = mixed
    link(*((lille, namur) if inviting == "older" else (namur, lille)))
    paul, marie = namur.person(name="Paul"), lille.person(name="Marie")
    offer = namur.bookable(paul, "Presse du voisin")
    origin = wait_for("the offer in Lille", lambda: lille.value("booking", COPY_IS_THERE, UUID(offer["id"])))
    begins = day_to_book()
    name = f"RabbitMQ {version(lille)} and {version(namur)}, each restarted, the {inviting} invites"
    fault = ledger.begin(name, "", lambda: uncrossed(lille, namur))
    with (
        Load(lambda number: publish_change_withdraw(paul, "Lame du voisin", number), pause=0.1) as namurs,
        Load(lambda number: publish_change_withdraw(marie, "Colle du voisin", number), pause=0.1) as lilles,
        Load(lambda number: book_across(lille, offer, origin, begins, number), pause=0.2) as bookings,
    ):
        bookings.wait_for_more(10)
        for broker in brokers:
            broker.restart()
            bookings.wait_for_more(5)
    fault.cause_ended()
    fault.wait_healed()
    loads = (namurs, lilles, bookings)
    for load in loads:
        assert not load.failed, f"a write was refused: {load.failed[0]}"
    invariants.check(lille, namur, linked=True, seconds=180)
    fault.load = f"{sum(len(load.acknowledged) for load in loads)} writes on both sides"
    ledger.end(fault, doubled=lille.doubled() + namur.doubled())
