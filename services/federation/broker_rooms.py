"""What a link has on our broker, made and removed over RabbitMQ's management API by the broker-agent.

Every name is made of this instance's short name and a link id of ours (a UUID): nothing that a peer chose is in it.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from services.chassis import names
from services.chassis.management import BrokerRefused, Management
from services.chassis.topology import OUT

CONNECTIONS_PER_PEER = 3
CHANNELS_PER_PEER = 6
PREFETCH = 200
RECONNECT_SECONDS = 1
MAKING_SECONDS = 60.0
"""Patience with a queue that is being made: going away leaves it half made (`prove`)."""

_QUORUM = {"durable": True, "auto_delete": False, "arguments": {"x-queue-type": "quorum"}}
_FANOUT = {"type": "fanout", "durable": True, "auto_delete": False, "internal": False, "arguments": {}}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """How a link does: what the peer has not taken yet (messages, octets), state of our shovel, why it does not run."""

    waiting: int | None
    octets: int | None
    shovel: str | None
    reason: str | None


class Rooms:
    """One link's queues, exchange, users and shovel."""

    def __init__(self, management: Management, instance: str, link_id: UUID) -> None:
        self._api = management
        self._vhost = names.border_vhost(names.check_instance(instance))
        self._out = names.out(str(link_id))
        self._inbound = names.inbound(str(link_id))
        self._peer = names.peer_user(instance, str(link_id))
        self._writer = names.shovel_user(instance, str(link_id))
        self._shovel = f"pull.{link_id}"

    async def create(self, *, inbound_password: str) -> None:
        """Queues, exchange and our shovel's user, whether they are there or not."""
        vhost = self._vhost
        await self._api.call("PUT", "queues", vhost, self._out, body=_QUORUM, seconds=MAKING_SECONDS)
        await self._api.call("PUT", "queues", vhost, self._inbound, body=_QUORUM, seconds=MAKING_SECONDS)
        await self._api.call("PUT", "exchanges", vhost, self._inbound, body=_FANOUT)
        key = {"routing_key": self._out, "arguments": {}}
        await self._api.call("POST", "bindings", vhost, "e", OUT, "q", self._out, body=key)
        no_key = {"routing_key": "", "arguments": {}}
        await self._api.call("POST", "bindings", vhost, "e", self._inbound, "q", self._inbound, body=no_key)
        await self._user(self._writer, inbound_password, write=self._inbound)

    async def prove(self) -> None:
        """Look into both queues, which nobody has used yet; one that does not answer is removed, to be made anew.

        RabbitMQ (3.10) stops making a quorum queue when whoever asked for it goes away: a broker-agent that is killed,
        or that waits in vain. What is left is on every list, is "made" at once when it is asked for again, and answers
        nothing, ever.
        Raises BrokerRefused.
        """
        look = {"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"}
        for queue in (self._out, self._inbound):
            try:
                await self._api.call("POST", "queues", self._vhost, queue, "get", body=look)
            except BrokerRefused:
                await self._api.call("DELETE", "queues", self._vhost, queue)
                raise

    async def admit(self, peer_password: str | None) -> None:
        """The user as which the peer reads its queue, and nothing else. None: only a certificate lets it in."""
        await self._user(self._peer, peer_password, read=self._out)
        for limit, value in (("max-connections", CONNECTIONS_PER_PEER), ("max-channels", CHANNELS_PER_PEER)):
            await self._api.call("PUT", "user-limits", self._peer, limit, body={"value": value})

    async def _user(
        self, name: str, password: str | None, *, read: str | None = None, write: str | None = None
    ) -> None:
        secret = {"password_hash": ""} if password is None else {"password": password}
        await self._api.call("PUT", "users", name, body={**secret, "tags": ""})
        rights = {"configure": "^$", "read": _exactly(read), "write": _exactly(write)}
        await self._api.call("PUT", "permissions", self._vhost, name, body=rights)

    async def pull(self, *, source_uri: str, source_queue: str, inbound_password: str, again: bool) -> None:
        """The shovel from the peer's queue. It runs on when it is there already, unless `again`."""
        if not again and await self._api.call("GET", "parameters", "shovel", self._vhost, self._shovel) is not None:
            return
        credentials = f"{quote(self._writer, safe='')}:{quote(inbound_password, safe='')}"
        value = {
            "src-protocol": "amqp091",
            "src-uri": source_uri,
            "src-queue": source_queue,
            "src-prefetch-count": PREFETCH,
            "src-delete-after": "never",
            "dest-protocol": "amqp091",
            # no host: inside the broker, yet with the rights of this user alone
            "dest-uri": f"amqp://{credentials}@/{quote(self._vhost, safe='')}",
            "dest-exchange": self._inbound,
            "dest-add-forward-headers": False,
            "ack-mode": "on-confirm",
            "reconnect-delay": RECONNECT_SECONDS,
        }
        await self._api.call("PUT", "parameters", "shovel", self._vhost, self._shovel, body={"value": value})

    async def hold(self) -> None:
        """We read no further. What we say goes on."""
        await self._api.call("DELETE", "parameters", "shovel", self._vhost, self._shovel)

    async def pause(self) -> None:
        """Both directions stand still; what waits, waits.

        Without rights alone the peer would read on: RabbitMQ asks for them when a consumer begins. With its user its
        connections go at once, those too that the statistics do not list yet.
        """
        await self._api.call("DELETE", "parameters", "shovel", self._vhost, self._shovel)
        await self._api.call("DELETE", "users", self._peer)

    async def remove(self) -> None:
        """Nothing of the link stays."""
        await self._api.call("DELETE", "parameters", "shovel", self._vhost, self._shovel)
        for user in (self._peer, self._writer):
            await self._api.call("DELETE", "users", user)
        await self._api.call("DELETE", "exchanges", self._vhost, self._inbound)
        for queue in (self._out, self._inbound):
            await self._api.call("DELETE", "queues", self._vhost, queue)

    async def measure(self) -> Measured:
        """Depth of the queue to the peer and state of the shovel, as of some seconds ago."""
        queue: Any = await self._api.call("GET", "queues", self._vhost, self._out) or {}
        depth = {"waiting": queue.get("messages"), "octets": queue.get("message_bytes")}
        for shovel in await self._api.call("GET", "shovels", self._vhost) or []:
            if shovel.get("name") == self._shovel:
                reason = shovel.get("reason")
                return Measured(shovel=str(shovel.get("state")), reason=str(reason)[:500] if reason else None, **depth)
        # from RabbitMQ 4 on, one that cannot connect is not listed between two tries
        ordered = await self._api.call("GET", "parameters", "shovel", self._vhost, self._shovel)
        return Measured(shovel=None if ordered is None else "starting", reason=None, **depth)


def _exactly(name: str | None) -> str:
    return "^$" if name is None else f"^{re.escape(name)}$"
