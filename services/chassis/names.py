"""Names that are protocol: vhosts, users, exchanges, queues, headers, databases. Frozen by a test."""

import re

SERVICES = ("identity", "catalog", "booking", "matching", "notify", "federation")
"""The services with a database and a broker user. `portal` has neither."""

EVENTS = "events"
UNROUTED = "unrouted"
BROKER_AGENT = "broker-agent"

RETRY_DELAYS: dict[str, int] = {"1s": 1, "5s": 5, "30s": 30, "2m": 120, "10m": 600, "1h": 3600}
"""Delay queues by name, with their delay in seconds, in the order in which a failing message passes them."""

HEADER_DELAY = "x-maillage-delay"
HEADER_ATTEMPT = "x-maillage-attempt"
HEADER_ERROR = "x-maillage-error"
HEADER_QUEUE = "x-maillage-queue"

_INSTANCE = re.compile(r"[a-z0-9-]{2,30}")


def check_instance(name: str) -> str:
    """Return `name` when it may be an instance's short name, else raise ValueError."""
    if not _INSTANCE.fullmatch(name):
        raise ValueError("a short name has 2 to 30 of a-z, 0-9 and -")
    return name


def vhost(instance: str) -> str:
    """The vhost that the services of an instance share."""
    return instance


def border_vhost(instance: str) -> str:
    """The vhost that peers reach."""
    return f"{instance}.border"


def broker_user(instance: str, service: str) -> str:
    """The broker user of one service."""
    return f"{instance}.{service}"


def queue(service: str, event_type: str) -> str:
    """The queue in which a service gets one type of event."""
    return f"{service}.{event_type}"


def retry_exchange(service: str) -> str:
    """Where a service sends what it wants back later (headers exchange)."""
    return f"{service}.retry"


def retry_queue(service: str, delay: str) -> str:
    """Where messages wait for one delay."""
    return f"{service}.retry.{delay}"


def dead(service: str) -> str:
    """The dead-letter exchange of a service, and its queue."""
    return f"{service}.dead"


def inbound(link_id: str) -> str:
    """In the border vhost: the fanout exchange that our shovel writes, and the queue behind it."""
    return f"inbound.{link_id}"


def out(link_id: str) -> str:
    """In the border vhost: the queue that a peer's shovel reads."""
    return f"out.{link_id}"


def peer_user(instance: str, link_id: str) -> str:
    """The broker user by which a peer reads `out.<link id>`."""
    return f"{instance}.peer.{link_id}"


def shovel_user(instance: str, link_id: str) -> str:
    """As whom our shovel writes what it has read from a peer."""
    return f"{instance}.shovel.{link_id}"


def database(instance: str, service: str) -> str:
    """The database of a service, and its runtime role."""
    return f"{instance}_{service}".replace("-", "_")


def owner_role(instance: str, service: str) -> str:
    """The role that owns a service's tables: only migrations use it."""
    return database(instance, service) + "_owner"
