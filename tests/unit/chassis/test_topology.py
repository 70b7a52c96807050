"""What the broker gets for an instance: names, rights and limits, frozen because they are protocol."""

import re

import pytest

from services.chassis import names
from services.chassis.topology import Definition, Topology

PASSWORDS: dict[str, str] = dict.fromkeys([*names.SERVICES, names.BROKER_AGENT], "secret")


def topology(instance: str = "lille", version: tuple[int, int] = (4, 0)) -> Topology:
    subscriptions = {service: [] for service in names.SERVICES} | {"notify": ["booking.confirmed.v1"]}
    return Topology(
        instance=instance,
        subscriptions=subscriptions,
        passwords=PASSWORDS,
        broker_version=version,
        administrator="admin",
    )


def policy_for(queue: str, definitions: Definition, vhost: str = "lille") -> Definition:
    """The one policy that RabbitMQ applies to `queue`."""
    fitting = [
        policy
        for policy in definitions["policies"]
        if policy["vhost"] == vhost and policy["apply-to"] == "queues" and re.search(policy["pattern"], queue)
    ]
    return max(fitting, key=lambda policy: policy["priority"])["definition"]


def test_names_are_frozen() -> None:
    assert names.queue("notify", "booking.confirmed.v1") == "notify.booking.confirmed.v1"
    assert names.retry_queue("notify", "5s") == "notify.retry.5s"
    assert (names.retry_exchange("notify"), names.dead("notify")) == ("notify.retry", "notify.dead")
    assert list(names.RETRY_DELAYS.values()) == [1, 5, 30, 120, 600, 3600]
    assert names.HEADER_DELAY == "x-maillage-delay"
    assert (names.EVENTS, names.UNROUTED) == ("events", "unrouted")


def test_every_queue_is_a_durable_quorum_queue_with_nothing_else_in_its_arguments() -> None:
    for queue in topology().definitions()["queues"]:
        assert queue["durable"]
        assert queue["arguments"] == {"x-queue-type": "quorum"}


def test_every_queue_of_events_dead_letters_without_loss() -> None:
    policy = policy_for("notify.booking.confirmed.v1", topology().definitions())
    assert policy == {
        "dead-letter-exchange": "notify.dead",
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
        "delivery-limit": 20,
    }


@pytest.mark.parametrize(("delay", "seconds"), names.RETRY_DELAYS.items())
def test_a_delay_queue_returns_to_the_queue_in_the_routing_key(delay: str, seconds: int) -> None:
    policy = policy_for(f"notify.retry.{delay}", topology().definitions())
    assert policy["message-ttl"] == seconds * 1000
    assert policy["dead-letter-exchange"] == ""
    assert "delivery-limit" not in policy


@pytest.mark.parametrize(("version", "limit"), [((4, 0), -1), ((4, 2), -1), ((3, 10), None), ((3, 13), None)])
@pytest.mark.parametrize(
    ("vhost", "queue"), [("lille", "notify.dead"), ("lille.border", "out.x"), ("lille.border", "inbound.x")]
)
def test_what_must_never_be_dropped_has_no_delivery_limit(
    version: tuple[int, int], limit: int | None, vhost: str, queue: str
) -> None:
    policy = policy_for(queue, topology(version=version).definitions(), vhost)
    assert policy.get("delivery-limit") == limit
    assert "dead-letter-exchange" not in policy


def test_a_service_writes_and_reads_what_is_its_own_and_configures_nothing() -> None:
    definitions = topology().definitions()
    (mine,) = [one for one in definitions["permissions"] if one["user"] == "lille.booking"]
    assert mine["vhost"] == "lille"
    assert not re.search(mine["configure"], "booking.anything")
    writable = [name for name in ("events", "booking.retry", "booking.dead") if re.search(mine["write"], name)]
    assert writable == ["events", "booking.retry", "booking.dead"]
    for foreign in ("amq.default", "notify.retry", "notify.dead", "unrouted", "bookingxretry", "amq.topic"):
        assert not re.search(mine["write"], foreign)
    for foreign in ("notify.booking.x.v1", "unrouted", "bookings.x", "events"):
        assert not re.search(mine["read"], foreign)
    (topic,) = [one for one in definitions["topic_permissions"] if one["user"] == "lille.booking"]
    assert re.search(topic["write"], "booking.confirmed.v1")
    assert not re.search(topic["write"], "catalog.booking.confirmed.v1")
    assert not re.search(topic["write"], "bookings.confirmed.v1")


def test_only_federation_the_agent_and_the_administrator_enter_the_border() -> None:
    there = [one for one in topology().definitions()["permissions"] if one["vhost"] == "lille.border"]
    assert {one["user"] for one in there} == {"lille.federation", "lille.broker-agent", "admin"}
    (federation,) = [one for one in there if one["user"] == "lille.federation"]
    assert (federation["configure"], federation["write"], federation["read"]) == ("^$", "^(out)$", r"^inbound\..*$")


@pytest.mark.parametrize("name", [".*", "a", "lille.border", "Lille", "lille|namur", "x" * 31, "lille\n"])
def test_a_short_name_that_could_be_a_pattern_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="short name"):
        topology(instance=name)
