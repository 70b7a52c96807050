"""The relay against a real broker and a real database."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import aio_pika
import asyncpg
import pytest
import sqlalchemy as sa
from aio_pika.exceptions import ChannelClosed
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.rabbitmq import LocalRabbit
from services.chassis import names, outbox, relay
from services.chassis.database_listener import LOCKS, lock_of
from services.chassis.ids import new_id
from services.chassis.publishing import Message, NotPublished, Publisher
from services.chassis.relay import HOLD, Relay, event_message
from tests.servers import Servers
from tests.services.chassis.trial import Probed, Trial, make_trial, running, until

FAST_ASLEEP = (0.02, 0.2, 600.0)
"""A relay that is not woken looks twice more, and then for ten minutes not."""


class Interrupted(Publisher):
    """Dies after the broker has confirmed and before the row is deleted."""

    async def publish_all(self, messages: Sequence[Message]) -> list[NotPublished | None]:
        await super().publish_all(messages)
        raise asyncio.CancelledError


async def test_an_event_is_published_once_and_its_row_deleted(trial: Trial) -> None:
    trial.count_effects()
    async with trial.listening(), trial.relaying():
        await trial.say("one")
        await until(lambda: _has_effects(trial, ["one"]))
        await until(lambda: _is_empty(trial))


async def test_a_relay_killed_between_publish_and_delete_doubles_the_message_and_not_the_effect(trial: Trial) -> None:
    trial.count_effects()
    await trial.say("one")
    source = f"{trial.settings.instance}/booking"
    publisher = Interrupted(trial.settings.broker_url("booking"))
    dying = Relay(trial.booking, publisher, event_message(source), name="dying")
    with pytest.raises(asyncio.CancelledError):
        await dying.run()
    assert await trial.unsent() == 1
    async with trial.relaying():
        await until(lambda: _is_empty(trial))
    assert await trial.waiting(names.queue("notify", Probed.type)) == 2
    async with trial.listening():
        await until(lambda: _queue_is_empty(trial))
    assert await trial.effects() == ["one"]


async def test_while_a_backup_is_made_events_stay_in_their_outbox_and_go_out_after_it(trial: Trial) -> None:
    url = trial.settings.database_url("booking").set(drivername="postgresql").render_as_string(hide_password=False)
    connection: asyncpg.Connection = await asyncpg.connect(url)
    async with trial.relaying():
        await trial.say("before")
        await until(lambda: _is_empty(trial))
        await connection.execute("SELECT pg_advisory_lock($1)", HOLD)
        await trial.say("meanwhile")
        await asyncio.sleep(0.5)  # the relay was told at once
        assert await trial.unsent() == 1
        await connection.close()
        await until(lambda: _is_empty(trial))
    assert await trial.waiting(names.queue("notify", Probed.type)) == 2


async def test_two_relays_publish_each_event_once(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a broker that took too long may have heard is published again, but each event is confirmed once."""
    confirmed: Counter[str] = Counter()
    publish_all = Publisher.publish_all

    async def noting(publisher: Publisher, messages: Sequence[Message]) -> list[NotPublished | None]:
        outcomes = await publish_all(publisher, messages)
        confirmed.update(one.id for one, outcome in zip(messages, outcomes, strict=True) if outcome is None)
        return outcomes

    monkeypatch.setattr(Publisher, "publish_all", noting)
    async with trial.relaying(), trial.relaying():
        for batch in range(10):
            await trial.say(*(f"{batch}-{number}" for number in range(50)))
        await until(lambda: _is_empty(trial))
    assert (len(confirmed), confirmed.total()) == (500, 500)
    assert await trial.waiting(names.queue("notify", Probed.type)) >= 500


async def test_while_the_relay_is_awake_writers_spare_their_notify_and_everything_goes_out(trial: Trial) -> None:
    told = 0

    def hear(*_said: object) -> None:
        nonlocal told
        told += 1

    url = trial.settings.database_url("booking").set(drivername="postgresql").render_as_string(hide_password=False)
    connection: asyncpg.Connection = await asyncpg.connect(url)
    await connection.add_listener(outbox.CHANNEL, hear)
    async with trial.relaying():

        async def write(writer: int) -> None:
            for number in range(100):
                await trial.say(f"{writer} {number}")

        await asyncio.gather(*(write(writer) for writer in range(6)))
        await until(lambda: _is_empty(trial))
        await until(lambda: _is_asleep(connection))
        by_many, told = told, 0
        await trial.say("alone")
        await until(lambda: _equals(told, 1))
        await until(lambda: _is_empty(trial))
    await connection.close()
    assert by_many < 300, "half of the writers found it asleep"


async def _is_asleep(connection: asyncpg.Connection) -> bool:
    """No relay of this database says that it looks anyway."""
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    awake = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND {here} AND classid = {LOCKS}"  # noqa: S608 - our own words
    return await connection.fetchval(awake) == 0


async def test_what_was_written_while_the_relay_was_awake_and_committed_later_goes_out_too(trial: Trial) -> None:
    async with trial.relaying(), trial.booking.engine.connect() as late:
        session = AsyncSession(late)
        async with trial.booking.engine.connect() as other:  # as if the relay were awake
            await other.execute(sa.text(f"SELECT pg_advisory_lock({LOCKS}, {lock_of(outbox.CHANNEL)})"))
            await outbox.add(session, Probed(what="late"))
        await asyncio.sleep(0.5)
        assert await trial.unsent() == 0
        await session.commit()
        assert await trial.unsent() <= 1
        await until(lambda: _is_empty(trial))


async def test_an_event_that_nobody_reads_is_counted_in_unrouted_and_stops_nothing(trial: Trial) -> None:
    async with trial.booking.transaction() as session:
        await session.execute(_row("booking.unheard.v1", "{}"))
    trial.count_effects()
    async with trial.listening(), trial.relaying():
        await trial.say("heard")
        await until(lambda: _has_effects(trial, ["heard"]))
        await until(lambda: _is_empty(trial))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        pytest.param("catalog.foreign.v1", "{}", id="a key of another service, which closes the channel"),
        pytest.param("booking.large.v1", "x" * (outbox.LARGEST_EVENT + 1), id="a body over the limit"),
    ],
)
async def test_one_row_that_cannot_be_published_does_not_block_the_others(trial: Trial, kind: str, data: str) -> None:
    async with trial.booking.transaction() as session:
        await session.execute(_row(kind, data))
    trial.count_effects()
    wanted = sorted(f"good {number}" for number in range(150))
    await trial.say(*wanted)
    async with trial.listening(), trial.relaying():
        await until(lambda: _has_effects(trial, wanted))
        await until(lambda: _are_unsent(trial, 1))  # rows are deleted after their effects may have been seen
    assert await trial.unsent() == 1, "the refused row stays"


async def test_a_commit_wakes_the_relay(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "FALLING_ASLEEP", FAST_ASLEEP)
    seconds: list[float] = []

    class Timed(Publisher):
        async def publish_all(self, messages: Sequence[Message]) -> list[NotPublished | None]:
            outcomes = await super().publish_all(messages)
            seconds.append(time.perf_counter() - committed)
            return outcomes

    publisher = Timed(trial.settings.broker_url("booking"))
    timed = Relay(trial.booking, publisher, event_message("trial/booking"), name="timed")
    async with running(timed):
        for number in range(10):
            await asyncio.sleep(0.5)  # it is fast asleep
            await trial.say(str(number))
            committed = time.perf_counter()
            await until(lambda: _is_empty(trial))
    print(f"commit → confirmed: median {statistics.median(seconds) * 1000:.1f} ms")


async def test_a_service_cannot_speak_for_another(trial: Trial) -> None:
    with pytest.raises(ChannelClosed, match="ACCESS_REFUSED"):
        await trial.publish(body=b"{}", headers={}, key="catalog.offer-published.v1")


@pytest.mark.parametrize("queue", ["notify.booking.probed.v1", "notify.dead", "unrouted"])
async def test_a_service_cannot_read_the_queues_of_another(trial: Trial, queue: str) -> None:
    async with await aio_pika.connect(trial.settings.broker_url("booking")) as connection:
        channel = await connection.channel()
        readable = await channel.get_queue(queue, ensure=False)
        with pytest.raises(ChannelClosed, match="ACCESS_REFUSED"):
            await readable.get()


async def test_a_service_cannot_publish_straight_into_a_queue(trial: Trial) -> None:
    publisher = Publisher(trial.settings.broker_url("booking"))
    with pytest.raises(NotPublished, match="ACCESS_REFUSED"):
        await publisher.publish(Message(exchange="", key="notify.booking.probed.v1", headers={}, body=b"{}", id="1"))
    await publisher.close()


async def test_events_said_while_the_broker_is_down_go_out_when_it_returns(servers: Servers, tmp_path: Path) -> None:
    rabbit = LocalRabbit()
    await asyncio.to_thread(rabbit.start)
    try:
        async with make_trial(servers.on(rabbit), tmp_path / "secrets") as trial:
            await _speak_over_a_restart(trial, rabbit)
    finally:
        await asyncio.to_thread(rabbit.stop)


async def _speak_over_a_restart(trial: Trial, rabbit: LocalRabbit) -> None:
    trial.count_effects()
    async with trial.listening(), trial.relaying():
        await trial.say("before")
        await until(lambda: _has_effects(trial, ["before"]))
        restarting = asyncio.create_task(asyncio.to_thread(rabbit.restart))
        said = ["before"]
        while not restarting.done():
            said.append(f"during {len(said):03}")
            await trial.say(said[-1])
            await asyncio.sleep(0.05)
        await restarting
        assert await until(lambda: _is_empty(trial)) < 2
        await until(lambda: _has_effects(trial, said), seconds=30)


def _row(kind: str, data: str) -> sa.Insert:
    values = {"id": new_id(), "type": kind, "subject": "s", "time": datetime.now(UTC), "data": data}
    return sa.insert(outbox.outbox_table(sa.MetaData())).values(values)


async def _has_effects(trial: Trial, wanted: list[str]) -> bool:
    return await trial.effects() == sorted(wanted)


async def _equals(found: int, wanted: int) -> bool:
    return found == wanted


async def _is_empty(trial: Trial) -> bool:
    return await _are_unsent(trial, 0)


async def _are_unsent(trial: Trial, count: int) -> bool:
    return await trial.unsent() == count


async def _queue_is_empty(trial: Trial) -> bool:
    return await trial.waiting(names.queue("notify", Probed.type)) == 0
