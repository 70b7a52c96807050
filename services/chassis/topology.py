"""The broker's side of an instance as data: vhosts, users, permissions, exchanges, queues, bindings, policies.

Queues carry nothing but their type; limits, delays and dead-letter exchanges are policies, which can change while
messages wait. `services.provision` applies all of it over RabbitMQ's management API.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.chassis import names

OUT = "out"
"""In the border vhost: the direct exchange before the queues `out.<link id>` (routing key: the queue's name)."""

DELIVERY_LIMIT = 20
"""Deliveries that ended without an answer (a consumer killed in mid-handler) before a message is set aside."""

UNROUTED_LIMIT = 10_000

Definition = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Topology:
    """What the broker holds for one instance.

    `subscriptions`: per service the event types that it listens to. `passwords`: per service (and `broker-agent`) the
    password of its broker user. `broker_version`: (major, minor) of the server. `retry_delays`: delay queue → seconds.
    `administrator`: the account that provisions; it enters both vhosts to remove what is no longer wanted.
    """

    instance: str
    subscriptions: Mapping[str, Sequence[str]]
    passwords: Mapping[str, str]
    broker_version: tuple[int, int]
    administrator: str
    retry_delays: Mapping[str, float] = field(default_factory=lambda: dict(names.RETRY_DELAYS))

    def __post_init__(self) -> None:
        names.check_instance(self.instance)

    @property
    def services(self) -> list[str]:
        return list(self.subscriptions)

    def definitions(self) -> Definition:
        """The document that `POST /api/definitions` takes: adds what is missing, takes nothing away."""
        return {
            "vhosts": [{"name": vhost} for vhost in self._vhosts()],
            "users": self._users(),
            "permissions": [*self._permissions(), *self._border_permissions()],
            "topic_permissions": [self._topic_permission(service) for service in self.services],
            "exchanges": self._exchanges(),
            "queues": [_queue(self._vhosts()[0], name) for name in self.queues()],
            "bindings": self.bindings(),
            "policies": [*self._policies(), *self._border_policies()],
        }

    def queues(self) -> list[str]:
        """Every queue of the instance's vhost."""
        found = [names.UNROUTED]
        for service, types in self.subscriptions.items():
            found += [names.queue(service, event_type) for event_type in types]
            found += [names.retry_queue(service, delay) for delay in self.retry_delays]
            found.append(names.dead(service))
        return found

    def bindings(self) -> list[Definition]:
        """Every binding of the instance's vhost."""
        found = [self._binding(names.UNROUTED, names.UNROUTED)]
        for service, types in self.subscriptions.items():
            found += [self._binding(names.EVENTS, names.queue(service, kind), key=kind) for kind in types]
            found.append(self._binding(names.dead(service), names.dead(service)))
            for delay in self.retry_delays:
                # plain "all" leaves headers that begin with x- out of the comparison
                match = {"x-match": "all-with-x", names.HEADER_DELAY: delay}
                queue = names.retry_queue(service, delay)
                found.append(self._binding(names.retry_exchange(service), queue, arguments=match))
        return found

    def _vhosts(self) -> tuple[str, str]:
        return names.vhost(self.instance), names.border_vhost(self.instance)

    def _users(self) -> list[Definition]:
        agent = names.BROKER_AGENT
        return [
            {"name": names.broker_user(self.instance, who), "password": self.passwords[who], "tags": tags, "limits": {}}
            for who, tags in [*((service, "") for service in self.services), (agent, "administrator")]
        ]

    def _permissions(self) -> list[Definition]:
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        return [{"user": self.administrator, "vhost": vhost, **everything} for vhost in self._vhosts()] + [
            self._permission(
                service,
                self._vhosts()[0],
                write=_one_of(names.EVENTS, names.retry_exchange(service), names.dead(service)),
                read=f"^{re.escape(service)}\\..*$",
            )
            for service in self.services
        ]

    def _border_permissions(self) -> list[Definition]:
        border = self._vhosts()[1]
        found = [self._permission(names.BROKER_AGENT, border, configure=".*", write=".*", read=".*")]
        if "federation" in self.subscriptions:
            # not the default exchange: writing it would reach every queue, what peers sent us included
            found.append(self._permission("federation", border, write=_one_of(OUT), read=r"^inbound\..*$"))
        return found

    def _permission(self, who: str, vhost: str, *, write: str, read: str, configure: str = "^$") -> Definition:
        user = names.broker_user(self.instance, who)
        return {"user": user, "vhost": vhost, "configure": configure, "write": write, "read": read}

    def _topic_permission(self, service: str) -> Definition:
        return {
            "user": names.broker_user(self.instance, service),
            "vhost": self._vhosts()[0],
            "exchange": names.EVENTS,
            "write": f"^{re.escape(service)}\\.",
            "read": ".*",
        }

    def _exchanges(self) -> list[Definition]:
        inside, border = self._vhosts()
        found = [
            _exchange(inside, names.EVENTS, "topic"),
            _exchange(inside, names.UNROUTED, "fanout"),
            _exchange(border, OUT, "direct"),
        ]
        for service in self.services:
            found.append(_exchange(inside, names.retry_exchange(service), "headers"))
            found.append(_exchange(inside, names.dead(service), "fanout"))
        return found

    def _binding(self, source: str, queue: str, *, key: str = "", arguments: Definition | None = None) -> Definition:
        return {
            "source": source,
            "vhost": self._vhosts()[0],
            "destination": queue,
            "destination_type": "queue",
            "routing_key": key,
            "arguments": arguments or {},
        }

    def _policies(self) -> list[Definition]:
        inside = self._vhosts()[0]
        unrouted = {"max-length": UNROUTED_LIMIT, "overflow": "drop-head"}
        found = [
            _policy(inside, names.EVENTS, "exchanges", {"alternate-exchange": names.UNROUTED}),
            _policy(inside, names.UNROUTED, "queues", unrouted),
        ]
        for service in self.services:
            limits = _loss_free(names.dead(service)) | {"delivery-limit": DELIVERY_LIMIT}
            found.append(_policy(inside, service, "queues", limits, pattern=f"^{re.escape(service)}\\.", priority=1))
            found.append(_policy(inside, names.dead(service), "queues", self._unlimited()))
            for delay, seconds in self.retry_delays.items():
                # the default exchange with the key kept: back to the queue that the message came from
                returned = _loss_free("") | {"message-ttl": round(seconds * 1000)}
                found.append(_policy(inside, names.retry_queue(service, delay), "queues", returned))
        return found

    def _border_policies(self) -> list[Definition]:
        pattern = r"^(out|inbound)\."
        return [_policy(self._vhosts()[1], "border", "queues", self._unlimited(), pattern=pattern)]

    def _unlimited(self) -> Definition:
        """No delivery limit: 4.x has one by default and takes -1 for none; 3.x has none and refuses -1."""
        limit = {"delivery-limit": -1} if self.broker_version >= (4, 0) else {}
        return {"overflow": "reject-publish"} | limit


def _queue(vhost: str, name: str) -> Definition:
    kind = {"x-queue-type": "quorum"}
    return {"name": name, "vhost": vhost, "durable": True, "auto_delete": False, "arguments": kind}


def _exchange(vhost: str, name: str, kind: str) -> Definition:
    lasting = {"durable": True, "auto_delete": False, "internal": False, "arguments": {}}
    return {"name": name, "vhost": vhost, "type": kind, **lasting}


def _policy(
    vhost: str, name: str, apply_to: str, definition: Definition, *, pattern: str | None = None, priority: int = 10
) -> Definition:
    """A policy for the thing called `name`, or for all that match `pattern`. The highest priority wins, alone."""
    return {
        "vhost": vhost,
        "name": name,
        "pattern": pattern or _one_of(name),
        "apply-to": apply_to,
        "definition": definition,
        "priority": priority,
    }


def _loss_free(exchange: str) -> Definition:
    """Dead-letter to `exchange` without loss. RabbitMQ asks for all three together."""
    return {
        "dead-letter-exchange": exchange,
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
    }


def _one_of(*exact: str) -> str:
    return f"^({'|'.join(re.escape(name) for name in exact)})$"
