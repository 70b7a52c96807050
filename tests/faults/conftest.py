"""Cooperatives that may be hurt, and servers that may be killed."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from deploy.local import folders
from deploy.local.instance import Addresses
from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from services import provision
from tests.faults.cooperative import Coop, link, under_trial
from tests.faults.ledger import ledger, table
from tests.faults.proxy import Proxy, proxied
from tests.faults.rabbit_cluster import Node, cluster
from tests.faults.said import Speaker, speaking
from tests.instances import Instance, cooperatives, plan, provision_quickly
from tests.servers import Servers
from tests.servers_in_containers import ContainerRabbit
from tests.services.chassis.trial import SHORT_DELAYS

__all__ = ["ledger"]

OUTBOX_LIMIT = 3000
"""More than any load here writes while the broker is away, less than a test writes on purpose."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table of faults, also when the tests ran in several processes."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.stats.get(kind, [])]
    if lines := table(reports):
        terminalreporter.section("faults")
        for line in lines:
            terminalreporter.write_line(line)


@dataclass(frozen=True, kw_only=True)
class Ruin:
    """A cooperative alone on two servers of its own; `line` is its way to the broker.

    `postgres` syncs to disk as in production: what it has acknowledged must outlive SIGKILL.
    """

    coop: Coop
    postgres: LocalPostgres
    rabbit: LocalRabbit
    line: Proxy


@pytest.fixture(scope="session")
def ruin(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ruin]:
    """Shared by the tests of one group, which run one after the other and each leave it whole."""
    with ExitStack() as stack:
        data = folders.throwaway("database")
        stack.callback(folders.remove, data)
        postgres, rabbit = LocalPostgres(data), LocalRabbit()
        for server in (postgres, rabbit):
            stack.callback(server.stop)
            server.start()
        line = stack.enter_context(proxied(rabbit.amqp_port))
        make = stack.enter_context(cooperatives(servers, tmp_path_factory.mktemp("ruin")))
        local = make(
            "ruin",
            where=addresses_of(postgres, rabbit),
            MAILLAGE_BROKER_PORT=str(line.port),
            MAILLAGE_OUTBOX_LIMIT=str(OUTBOX_LIMIT),
        )
        coop = stack.enter_context(under_trial(local, servers))
        yield Ruin(coop=coop, postgres=postgres, rabbit=rabbit, line=line)


@dataclass(frozen=True, kw_only=True)
class Clustered:
    """A cooperative on a cluster of three nodes; `line`, a load balancer, leads it to the first."""

    coop: Coop
    nodes: Sequence[Node]
    line: Proxy


@pytest.fixture
def coop(ruin: Ruin) -> Coop:
    """The cooperative of `ruin`, for tests that need not kill its servers."""
    return ruin.coop


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two linked cooperatives. `lines`: how each is read by the other. `own_lines`: how each reaches its broker."""

    lille: Coop
    namur: Coop
    lines: Sequence[Proxy]
    own_lines: Sequence[Proxy]


@pytest.fixture(scope="session")
def pair(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Shared by the tests of one group."""
    with ExitStack() as stack:
        lines, own_lines = (
            [stack.enter_context(proxied(servers.amqp_port)) for _ in ("lille", "namur")] for _ in ("border", "own")
        )
        make = stack.enter_context(cooperatives(servers, tmp_path_factory.mktemp("pair")))
        lille, namur = (
            stack.enter_context(
                under_trial(
                    make(name, border_port=line.port, MAILLAGE_BROKER_PORT=str(own_line.port)), servers, agent=True
                )
            )
            for name, line, own_line in zip(("lille", "namur"), lines, own_lines, strict=True)
        )
        link(lille, namur)
        yield Pair(lille=lille, namur=namur, lines=lines, own_lines=own_lines)


@pytest.fixture(scope="session")
def post_office(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance whose services a test runs in its own process, with delays between attempts that it can wait for.

    Shared by the tests of one group: each says things of its own and leaves no dead letter.
    """
    folder = tmp_path_factory.mktemp("post-office") / "secrets"
    wanted = plan(servers, f"post-{secrets.token_hex(4)}", folder, retry_delays=SHORT_DELAYS)
    asyncio.run(provision_quickly(wanted, servers))
    # as plain lines: drawing each traceback with all its values takes longer than what failed
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield Instance(name=wanted.instance, secrets_dir=folder, servers=servers)
    structlog.reset_defaults()
    asyncio.run(provision.remove(wanted))


@pytest.fixture
async def speaker(post_office: Instance) -> AsyncIterator[Speaker]:
    async with speaking(post_office) as made:
        yield made


@pytest.fixture(scope="session")
def clustered(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clustered]:
    """For one test."""
    with ExitStack() as stack:
        nodes = stack.enter_context(cluster())
        postgres = LocalPostgres()
        stack.callback(postgres.stop)
        postgres.start()
        line = stack.enter_context(proxied(nodes[0].amqp_port))
        make = stack.enter_context(cooperatives(servers, tmp_path_factory.mktemp("clustered")))
        local = make("many", where=addresses_of(postgres, nodes[0]), MAILLAGE_BROKER_PORT=str(line.port))
        yield Clustered(coop=stack.enter_context(under_trial(local, servers)), nodes=nodes, line=line)


def addresses_of(postgres: LocalPostgres, rabbit: LocalRabbit | ContainerRabbit) -> Addresses:
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
