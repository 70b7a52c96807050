"""Border posts of a few cooperatives, provisioned on the servers of the tests and running, with their broker-agents."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services import provision
from services.chassis import names
from services.federation import app
from services.federation.addresses import Trust
from services.federation.broker_agent import BrokerAgent, Settings, management_url
from services.federation.settings import FederationSettings
from tests.instances import Instance, plan, provision_quickly
from tests.servers import Servers
from tests.services.federation.pair import Line, Pair, Post

SYSTEM = Trust(ca_file="/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True, kw_only=True)
class Wire:
    """How the two brokers reach each other: plain unless a port for AMQPS is given.

    `external`: peers are let in by their certificates alone.
    """

    tls_port: int | None = None
    trust: Trust = SYSTEM
    external: bool = False

    def settings(self) -> dict[str, Any]:
        if self.tls_port is None:
            return {"border_tls": False}
        return {"border_tls": True, "border_host": "localhost", "border_port": self.tls_port}


def _around_federation() -> dict[str, list[str]]:
    """Which queues there are: those of federation, and the others' for what it says. Every queue costs time to make."""
    everything = provision.declared_subscriptions()
    ears = {
        service: [kind for kind in kinds if kind.startswith("federation.")] for service, kinds in everything.items()
    }
    return ears | {"federation": everything["federation"]}


def _post(instance: Instance, line: Line, coordinator: str, wire: Wire, *, hub: bool) -> Post:
    settings = instance.settings(
        FederationSettings,
        public_url=f"http://{instance.name}.test",
        federation_allow_private=True,
        federation_hub=hub,
        **wire.settings(),
    )
    service = app.build(settings, peers=line)
    line.applications[settings.public_url] = service.app
    return Post(instance, service, service.app.state.border, coordinator)


def agent_of(instance: Instance, wire: Wire) -> BrokerAgent:
    """The broker-agent of `instance`."""
    settings = instance.settings()
    role = names.database(instance.name, names.BROKER_AGENT)
    where = f"{settings.db_host}:{settings.db_port}/{names.database(instance.name, 'federation')}"
    return BrokerAgent(
        Settings(
            instance=instance.name,
            database_url=f"postgresql://{role}:{settings.secret('db_broker_agent')}@{where}",
            management_url=management_url(
                instance.name, instance.servers.management_url, password=settings.secret("broker_broker_agent")
            ),
            trust=wire.trust,
            allow_private=True,
            external=wire.external,
        )
    )


@contextlib.asynccontextmanager
async def posts(
    servers: Servers, folder: Path, people: dict[str, str], line: Line, wire: Wire, *, hub: str = ""
) -> AsyncGenerator[list[Post]]:
    """Provisioned instances with their border posts and broker-agents running: one for each town in `people`.

    `hub`: which of them is one.
    """
    plans = [
        plan(servers, f"{who}{secrets.token_hex(4)}", folder / who / "secrets", subscriptions=_around_federation())
        for who in people
    ]
    for wanted in plans:
        await provision_quickly(wanted, servers)
    instances = [Instance(name=wanted.instance, secrets_dir=wanted.secrets_dir, servers=servers) for wanted in plans]
    made = [
        _post(instance, line, people[who], wire, hub=who == hub)
        for who, instance in zip(people, instances, strict=True)
    ]
    agents = [asyncio.create_task(agent_of(instance, wire).run()) for instance in instances]
    try:
        async with instances[0].running(*(post.service for post in made)):
            yield made
    finally:
        for agent in agents:
            agent.cancel()
        await asyncio.gather(*agents, return_exceptions=True)
        for wanted in plans:
            await provision.remove(wanted)


@contextlib.asynccontextmanager
async def a_pair(servers: Servers, folder: Path, wire: Wire = Wire()) -> AsyncGenerator[Pair]:
    """Two of them, Lille and Namur."""
    line = Line()
    async with posts(servers, folder, {"lille": "Léa", "namur": "Nora"}, line, wire) as (lille, namur):
        yield Pair(lille, namur, line)
