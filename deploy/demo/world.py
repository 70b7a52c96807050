"""The servers and the two cooperatives of the demo, with everything that they keep in one folder."""

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.demo.api import through_a_restart
from deploy.demo.mailbox import Mailbox
from deploy.demo.people import OPENFLOW, OPTEOS, Cooperative
from deploy.demo.seed import Town
from deploy.demo.terminal import step
from deploy.local import folders, mail_sink
from deploy.local.authority import Authority
from deploy.local.folders import CHECKOUT
from deploy.local.instance import Addresses, LocalInstance
from deploy.local.postgres import LocalPostgres
from deploy.local.processes import ServerFailed, choose_port
from deploy.local.rabbitmq import LocalRabbit

NOTICE = "Données d'exemple : cette coopérative de démonstration n'est pas celle qui porte ce nom."
FOLDER = CHECKOUT / ".demo"


@dataclass
class Remembered:
    """What a second start must know again: ports, the members' password, whether the first filling was finished."""

    path: Path
    ports: dict[str, int] = field(default_factory=dict[str, int])
    password: str = ""
    filled: bool = False

    @classmethod
    def load(cls, path: Path) -> "Remembered":
        if path.exists():
            return cls(path, **json.loads(path.read_text(encoding="utf-8")))
        return cls(path, password=f"demo-{secrets.token_urlsafe(9)}")

    def save(self) -> None:
        self.path.touch(mode=0o600)
        known = {"ports": self.ports, "password": self.password, "filled": self.filled}
        self.path.write_text(json.dumps(known), encoding="utf-8")


@dataclass(kw_only=True)
class World:
    """Everything that runs."""

    instances: dict[str, LocalInstance]
    towns: dict[str, Town]
    mailbox: Mailbox
    memory: Remembered
    server_pids: list[int]

    def kill_and_restart(self, town: Town) -> None:
        """SIGKILL both processes of a cooperative, start them again and wait until they are ready."""
        instance = self.instances[town.cooperative.slug]
        for what in ("all", "broker-agent"):
            instance.kill(what)
        instance.start()
        instance.wait_ready()

    def peers_connections(self) -> int:
        """How many connections of peers' brokers there are. Raises AssertionError when one is not encrypted."""
        where = next(iter(self.instances.values())).addresses.admin_broker_url
        found = httpx.get(f"{where}/api/connections").raise_for_status().json()
        theirs = [one for one in found if ".peer." in one.get("user", "")]
        open_to_all = [one["name"] for one in theirs if not one["ssl"]]
        if open_to_all:
            raise AssertionError(f"between the cooperatives without TLS: {', '.join(open_to_all)}")
        return len(theirs)

    def pids(self) -> list[int]:
        """The processes that the demo has started: servers, services and broker-agents."""
        found = [instance.pid(what) for instance in self.instances.values() for what in ("all", "broker-agent")]
        return [*self.server_pids, *(pid for pid in found if pid is not None)]


@contextmanager
def running(first_ports: dict[str, int]) -> Generator[World]:
    """Start everything, yield it, stop everything in the other order. Raises ServerFailed with one clear line."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    memory = Remembered.load(FOLDER / "remembered.json")
    if not memory.path.exists() and folders.has_lasting():
        with step("data of an earlier checkout at this place is removed: its passwords went with it"):
            folders.remove_lasting()
    memory.ports = first_ports | memory.ports
    memory.save()
    with ExitStack() as stack:
        smtp, page = (choose_port(memory.ports[name], f"the demo's {name}") for name in ("smtp", "mail"))
        sink = mail_sink.MailSink(folder=FOLDER / "mail", smtp_port=smtp, http_port=page)
        sink.start()
        stack.callback(sink.stop)
        servers = _Servers(memory.ports)
        stack.callback(servers.stop)
        instances = {c.slug: _instance(c, servers, memory) for c in (OPTEOS, OPENFLOW)}
        stack.callback(_together, [instance.stop for instance in instances.values()])
        with step("PostgreSQL and a private RabbitMQ node start"):
            servers.start(meanwhile=[instance.start for instance in instances.values()] if memory.filled else [])
        with step("databases, vhosts, users and queues of both cooperatives"):
            for instance in instances.values():
                instance.addresses = servers.addresses()
                instance.prepare()
        with step("both cooperatives start and are ready"):
            for instance in instances.values():
                if not memory.filled:
                    instance.start()
            for instance in instances.values():
                instance.wait_ready()
        towns = {c.slug: _town(c, instances[c.slug], memory) for c in (OPTEOS, OPENFLOW)}
        memory.save()
        yield World(
            instances=instances,
            towns=towns,
            mailbox=Mailbox(f"http://127.0.0.1:{memory.ports['mail']}"),
            memory=memory,
            server_pids=servers.pids(),
        )


def _together(calls: list[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(max(1, len(calls))) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()


class _Servers:
    """PostgreSQL and RabbitMQ of the demo, on ports that stay the same."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._postgres = LocalPostgres(folders.lasting("postgres"), port=ports["postgres"])
        self._authority = Authority(folders.lasting("authority"))
        self._amqps = ports["amqps"]
        self._rabbit = LocalRabbit(
            folders.lasting("rabbitmq"),
            amqp_port=ports["amqp"],
            amqps_port=ports["amqps"],
            management_port=ports["management"],
            authority=self._authority,
        )

    def start(self, meanwhile: list[Callable[[], None]]) -> None:
        """Start both; call `meanwhile` once PostgreSQL answers, for what waits for the broker by itself."""
        with ThreadPoolExecutor(2) as pool:
            starting = [pool.submit(self._postgres.start), pool.submit(self._rabbit.start)]
            starting[0].result()
            for call in meanwhile:
                call()
            starting[1].result()

    def stop(self) -> None:
        _together([self._rabbit.stop, self._postgres.stop])

    def pids(self) -> list[int]:
        return [pid for pid in (self._postgres.pid, self._rabbit.pid) if pid is not None]

    def border(self) -> dict[str, str]:
        """How both cooperatives reach each other's part of the broker: by AMQPS alone, each sure of the other."""
        own = self._authority.issue("shovel")
        return {
            "MAILLAGE_BORDER_HOST": "localhost",  # the name in the broker's certificate
            "MAILLAGE_BORDER_PORT": str(self._amqps),
            "MAILLAGE_BORDER_TLS": "true",
            "MAILLAGE_BORDER_CA": str(self._authority.ca_file),
            "MAILLAGE_BORDER_CERTIFICATE": str(own.certificate),
            "MAILLAGE_BORDER_KEY": str(own.key),
        }

    def addresses(self) -> Addresses:
        """Where they are; the administrators' passwords are known once they have started."""
        postgres, rabbit = self._postgres, self._rabbit
        return Addresses(
            postgres_host=postgres.host,
            postgres_port=postgres.port,
            postgres_admin_user=postgres.admin_user,
            postgres_admin_password=postgres.admin_password,
            amqp_host=rabbit.host,
            amqp_port=rabbit.amqp_port,
            management_url=rabbit.management_url,
            broker_admin_user=rabbit.admin_user,
            broker_admin_password=rabbit.admin_password,
        )


def _instance(cooperative: Cooperative, servers: _Servers, memory: Remembered) -> LocalInstance:
    return LocalInstance(
        name=cooperative.slug,
        folder=FOLDER / cooperative.slug,
        addresses=servers.addresses(),
        port=memory.ports[cooperative.slug],
        settings=servers.border()
        | {
            "MAILLAGE_TIME_ZONE": cooperative.time_zone,
            "MAILLAGE_SMTP_HOST": "127.0.0.1",
            "MAILLAGE_SMTP_PORT": str(memory.ports["smtp"]),
            "MAILLAGE_SMTP_FROM": f"maillage@{cooperative.slug}.example",
            "MAILLAGE_NOTICE": NOTICE,
            "MAILLAGE_SECOND_FACTOR": "offered",  # whoever looks around should not need a phone
            "MAILLAGE_LOG_LEVEL": "warning",
        },
    )


def _town(cooperative: Cooperative, instance: LocalInstance, memory: Remembered) -> Town:
    town = Town(cooperative=cooperative, url=instance.url, password=memory.password)
    if memory.filled:
        for person in cooperative.people:
            through_a_restart(lambda who=person: town.sign_in(who))
    else:
        first_administrator(cooperative, instance, memory.password)
    return town


def first_administrator(cooperative: Cooperative, instance: LocalInstance, password: str) -> None:
    """Make the first administrator by the command of an ops person; no harm when there is one already."""
    person = cooperative.administrator
    command = [sys.executable, "-m", "services", "administrator", "--email", person.email, "--name", person.name]
    command += ["--cooperative", cooperative.name, "--summary", cooperative.summary, "--place", cooperative.town]
    command += ["--latitude", str(cooperative.latitude), "--longitude", str(cooperative.longitude), "--locale", "fr"]
    done = subprocess.run(
        [*command, "--password-file", "-"],
        input=password,
        text=True,
        capture_output=True,
        env=instance.environment(),
        check=False,
    )
    if done.returncode != 0 and "already" not in done.stderr + done.stdout:
        raise ServerFailed(f"the first administrator of {cooperative.name} was not made: {done.stderr.strip()[-500:]}")
