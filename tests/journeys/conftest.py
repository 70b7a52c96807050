"""Two linked cooperatives as real processes, shared by the journeys of one worker; each journey makes its own things."""

from collections.abc import Iterator
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
from deploy.local.processes import choose_port
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

    def kill_and_restart(self, town: Town) -> None:
        instance = self.instances[town.cooperative.slug]
        for what in ("all", "broker-agent"):
            instance.kill(what)
        instance.start()
        instance.wait_ready()


def found(cooperative: Cooperative, make: MakeCooperative, sink: MailSink) -> tuple[LocalInstance, Town]:
    """Start one cooperative with its first administrator."""
    instance = make(
        cooperative.slug,
        MAILLAGE_TIME_ZONE=cooperative.time_zone,
        MAILLAGE_SMTP_PORT=str(sink.smtp_port),
        MAILLAGE_SMTP_HOST="127.0.0.1",
        MAILLAGE_SMTP_FROM=f"maillage@{cooperative.slug}.example",
    )
    instance.start()
    instance.wait_ready()
    first_administrator(cooperative, instance, PASSWORD)
    return instance, Town(cooperative=cooperative, url=instance.url, password=PASSWORD)


@pytest.fixture(scope="session")
def region(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    folder: Path = tmp_path_factory.mktemp("region")
    sink = MailSink(folder=folder / "mail", smtp_port=choose_port(None, "smtp"), http_port=choose_port(None, "mail"))
    sink.start()
    try:
        with cooperatives(servers, folder) as make:
            lille_instance, lille = found(OPTEOS, make, sink)
            namur_instance, namur = found(OPENFLOW, make, sink)
            mailbox = Mailbox(f"http://127.0.0.1:{sink.http_port}")
            seed.welcome(lille, mailbox)
            seed.welcome(namur, mailbox)
            seed.link(lille, namur)
            instances = {OPTEOS.slug: lille_instance, OPENFLOW.slug: namur_instance}
            yield Region(lille=lille, namur=namur, mailbox=mailbox, instances=instances)
    finally:
        sink.stop()
