"""The broker's part of provisioning, over RabbitMQ's management API. Idempotent; safe while services run."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote

import httpx

from services.chassis import names
from services.chassis.topology import Topology

_NOT_FOUND = 404


class BrokerRefused(Exception):
    """The management API did not do what was asked: its answer is the text."""


class Management:
    """RabbitMQ's management API. `url`: http(s)://user:password@host:port of an administrator."""

    def __init__(self, url: str) -> None:
        parts = httpx.URL(url)
        self.user = parts.username
        self._http = httpx.AsyncClient(
            base_url=parts.copy_with(username=None, password=None, path="/api/"),
            auth=(parts.username, parts.password),
            timeout=60,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._http.aclose()

    async def call(self, method: str, *path: str, json: object = None, missing_is_fine: bool = False) -> Any:
        """The decoded answer (None when empty). Parts of the path are escaped here. Raises BrokerRefused."""
        address = "/".join(quote(part, safe="") for part in path)
        try:
            answer = await self._http.request(method, address, json=json)
        except httpx.HTTPError as error:
            raise BrokerRefused(f"the broker's management API does not answer: {error!r}") from error
        if answer.status_code == _NOT_FOUND and missing_is_fine:
            return None
        if answer.is_error:
            raise BrokerRefused(f"{method} /api/{address}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    async def version(self) -> tuple[int, int]:
        """(major, minor) of the server."""
        overview = await self.call("GET", "overview")
        major, minor = str(overview["rabbitmq_version"]).split(".")[:2]
        return int(major), int(minor)


async def apply(
    management: Management,
    instance: str,
    subscriptions: Mapping[str, Sequence[str]],
    passwords: Mapping[str, str],
    retry_delays: Mapping[str, float],
) -> None:
    """Bring the broker to what `instance` needs, and unbind the queues of events no longer listened to.

    A queue without a binding is deleted once it is empty; until then its service's next version drains it.
    """
    topology = Topology(
        instance=instance,
        subscriptions=subscriptions,
        passwords=passwords,
        broker_version=await management.version(),
        retry_delays=retry_delays,
        administrator=management.user,
    )
    await management.call("POST", "definitions", json=topology.definitions())
    await _withdraw_users(management, topology)
    await _remove_stale(management, topology)


async def _withdraw_users(management: Management, topology: Topology) -> None:
    """Whoever is not named has no rights in the instance's vhost."""
    wanted = {(entry["user"], entry["vhost"]) for entry in topology.definitions()["permissions"]}
    vhost = names.vhost(topology.instance)
    for entry in await management.call("GET", "vhosts", vhost, "permissions"):
        if (entry["user"], entry["vhost"]) not in wanted:
            await management.call("DELETE", "permissions", vhost, entry["user"], missing_is_fine=True)


async def _remove_stale(management: Management, topology: Topology) -> None:
    vhost = names.vhost(topology.instance)
    wanted = {(one["destination"], one["routing_key"]) for one in topology.bindings() if one["source"] == names.EVENTS}
    bound = await management.call("GET", "exchanges", vhost, names.EVENTS, "bindings", "source")
    stale = [one for one in bound if (one["destination"], one["routing_key"]) not in wanted]
    for one in stale:
        path = ("bindings", vhost, "e", names.EVENTS, "q", one["destination"], one["properties_key"])
        await management.call("DELETE", *path, missing_is_fine=True)


async def remove(management: Management, instance: str) -> None:
    """Delete the vhosts and users of `instance` with all that is in them."""
    names.check_instance(instance)
    mine: Callable[[str], bool] = lambda name: name.startswith(f"{instance}.")  # noqa: E731
    users = [user["name"] for user in await management.call("GET", "users") if mine(user["name"])]
    vhosts = (names.vhost(instance), names.border_vhost(instance))
    await asyncio.gather(*(management.call("DELETE", "vhosts", vhost, missing_is_fine=True) for vhost in vhosts))
    await asyncio.gather(*(management.call("DELETE", "users", user, missing_is_fine=True) for user in users))
