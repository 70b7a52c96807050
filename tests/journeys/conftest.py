"""Two linked cooperatives as real processes, shared by the journeys; each journey makes its own things."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.demo import seed
from deploy.demo.mailbox import Mailbox
from deploy.demo.people import OPENFLOW, OPTEOS, Cooperative
from deploy.demo.seed import Town
from deploy.demo.world import first_administrator
from deploy.local.instance import LocalInstance
from deploy.local.mail_sink import MailSink
from tests.instances import MakeCooperative, cooperatives
from tests.servers import Servers

PASSWORD = "sample-password-for-tests"


@dataclass(frozen=True, kw_only=True)
class Region:
    """Lille and Namur, linked, with the demo's people."""

    lille: Town
    namur: Town
    mailbox: Mailbox
    instances: dict[str, LocalInstance]

    def close(self) -> None:
        """Close the connections of everybody's clients."""
        self.mailbox.http.close()
        for member in (*self.lille.members.values(), *self.namur.members.values()):
            member.http.close()

    def kill_and_restart(self, town: Town) -> None:
        instance = self.instances[town.cooperative.slug]
        for what in ("all", "broker-agent"):
            instance.kill(what)
        instance.start()
        instance.wait_ready()


def found(
    cooperative: Cooperative, make: MakeCooperative, sink: MailSink, heard: Callable[[LocalInstance], None]
) -> tuple[LocalInstance, Town]:
    """Start one cooperative with its first administrator."""
    instance = make(
        cooperative.slug,
        MAILLAGE_TIME_ZONE=cooperative.time_zone,
        MAILLAGE_FOLLOWING_SECONDS="1",
        MAILLAGE_SMTP_PORT=str(sink.smtp_port),
        MAILLAGE_SMTP_HOST="127.0.0.1",
        MAILLAGE_SMTP_FROM=f"maillage@{cooperative.slug}.example",
    )
    heard(instance)
    instance.start()
    instance.wait_ready()
    first_administrator(cooperative, instance, PASSWORD)
    return instance, Town(cooperative=cooperative, url=instance.url, password=PASSWORD)


@contextmanager
def two_linked(
    servers: Servers, folder: Path, heard: Callable[[LocalInstance], None] = lambda _: None
) -> Generator[Region]:
    """Lille and Namur with their people, linked. `heard` is called with each instance before anything is said."""
    sink = MailSink(folder / "mail")
    sink.start()
    try:
        with cooperatives(servers, folder) as make:
            instances, towns = {}, {}
            for cooperative in (OPTEOS, OPENFLOW):
                instances[cooperative.slug], towns[cooperative.slug] = found(cooperative, make, sink, heard)
            region = Region(
                lille=towns[OPTEOS.slug],
                namur=towns[OPENFLOW.slug],
                mailbox=Mailbox(f"http://127.0.0.1:{sink.http_port}"),
                instances=instances,
            )
            seed.welcome(region.lille, region.mailbox)
            seed.welcome(region.namur, region.mailbox)
            seed.link(region.lille, region.namur)
            yield region
            region.close()
    finally:
        sink.stop()


@pytest.fixture(scope="session")
def region(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    with two_linked(servers, tmp_path_factory.mktemp("region")) as made:
        yield made
