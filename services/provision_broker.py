"""The broker's part of provisioning, over RabbitMQ's management API. Idempotent; safe while services run."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from services.chassis import names
from services.chassis.management import Management
from services.chassis.topology import Topology


async def _version(management: Management) -> tuple[int, int]:
    """(major, minor) of the server."""
    overview = await management.call("GET", "overview")
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
        broker_version=await _version(management),
        retry_delays=retry_delays,
        administrator=management.user,
    )
    await management.call("POST", "definitions", body=topology.definitions())
    await _withdraw_users(management, topology)
    await _remove_stale(management, topology)


async def _withdraw_users(management: Management, topology: Topology) -> None:
    """Whoever is not named has no rights in the instance's vhost."""
    wanted = {(entry["user"], entry["vhost"]) for entry in topology.definitions()["permissions"]}
    vhost = names.vhost(topology.instance)
    for entry in await management.call("GET", "vhosts", vhost, "permissions"):
        if (entry["user"], entry["vhost"]) not in wanted:
            await management.call("DELETE", "permissions", vhost, entry["user"])


async def _remove_stale(management: Management, topology: Topology) -> None:
    vhost = names.vhost(topology.instance)
    wanted = {(one["destination"], one["routing_key"]) for one in topology.bindings() if one["source"] == names.EVENTS}
    bound = await management.call("GET", "exchanges", vhost, names.EVENTS, "bindings", "source")
    stale = [one for one in bound if (one["destination"], one["routing_key"]) not in wanted]
    for one in stale:
        path = ("bindings", vhost, "e", names.EVENTS, "q", one["destination"], one["properties_key"])
        await management.call("DELETE", *path)


async def remove(management: Management, instance: str) -> None:
    """Delete the vhosts and users of `instance` with all that is in them."""
    names.check_instance(instance)
    mine: Callable[[str], bool] = lambda name: name.startswith(f"{instance}.")  # noqa: E731
    users = [user["name"] for user in await management.call("GET", "users") if mine(user["name"])]
    vhosts = (names.vhost(instance), names.border_vhost(instance))
    await asyncio.gather(*(management.call("DELETE", "vhosts", vhost) for vhost in vhosts))
    await asyncio.gather(*(management.call("DELETE", "users", user) for user in users))
