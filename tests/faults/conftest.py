"""Cooperatives that may be hurt, and servers that may be killed."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from deploy.local import folders
from deploy.local.instance import Addresses
from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from tests.faults.cooperative import Coop, link, under_trial
from tests.faults.proxy import Proxy, proxied
from tests.instances import cooperatives
from tests.servers import Servers


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
        local = make("ruin", where=_addresses(postgres, rabbit), MAILLAGE_BROKER_PORT=str(line.port))
        coop = stack.enter_context(under_trial(local, servers))
        yield Ruin(coop=coop, postgres=postgres, rabbit=rabbit, line=line)


@pytest.fixture
def coop(ruin: Ruin) -> Coop:
    """The cooperative of `ruin`, for tests that need not kill its servers."""
    return ruin.coop


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two linked cooperatives. `lines`: the ways by which each is read by the other."""

    lille: Coop
    namur: Coop
    lines: tuple[Proxy, Proxy]


@pytest.fixture(scope="session")
def pair(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Shared by the tests of one group."""
    with ExitStack() as stack:
        lines = (
            stack.enter_context(proxied(servers.amqp_port)),
            stack.enter_context(proxied(servers.amqp_port)),
        )
        make = stack.enter_context(cooperatives(servers, tmp_path_factory.mktemp("pair")))
        lille, namur = (
            stack.enter_context(under_trial(make(name, border_port=line.port), servers, agent=True))
            for name, line in zip(("lille", "namur"), lines, strict=True)
        )
        link(lille, namur)
        yield Pair(lille=lille, namur=namur, lines=lines)


def _addresses(postgres: LocalPostgres, rabbit: LocalRabbit) -> Addresses:
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
