"""Consumers against a real broker and a real database: one effect, or a retry, or a dead letter; never silence."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from faststream.rabbit import RabbitBroker
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from services import dead, provision
from services.chassis import messaging, names, outbox, tracing
from services.chassis.ids import new_id
from services.chassis.management import Management
from services.chassis.messaging import consuming
from services.chassis.problems import Problem
from services.chassis.process import STOP_SECONDS
from tests.services.chassis.trial import EFFECTS, Probed, Trial, running, until

DEAD = names.dead("notify")
QUEUE = names.queue("notify", Probed.type)
_Passes = type("_Passes", (Problem,), {"passes": True})
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_the_same_event_five_times_has_one_effect(trial: Trial) -> None:
    trial.count_effects()
    one = envelope("once")
    async with trial.listening():
        await asyncio.gather(*(trial.publish(body=one.data, headers=dict(one.headers())) for _ in range(5)))
        await until(lambda: _is_empty(trial, QUEUE))
        await until(lambda: _has_effects(trial, ["once"]))
    assert await trial.waiting(QUEUE) == 0
    assert await trial.effects() == ["once"]


async def test_a_handler_that_fails_twice_is_tried_again_after_a_delay_and_leaves_one_effect(trial: Trial) -> None:
    times: list[float] = []

    @trial.consumers.on(Probed)
    async def fail_twice(event: Probed, session: AsyncSession) -> None:
        await session.execute(EFFECTS.insert().values(what=event.what))
        times.append(asyncio.get_running_loop().time())
        if len(times) < 3:
            raise RuntimeError("not yet")

    async with trial.listening(), trial.relaying():
        await trial.say("third time")
        await until(lambda: _has_effects(trial, ["third time"]))
    assert len(times) == 3
    assert times[1] - times[0] >= 0.1
    assert times[2] - times[1] >= 0.2
    assert await trial.waiting(DEAD) == 0


async def test_what_passes_by_itself_is_waited_for_without_counting(trial: Trial) -> None:
    waits = iter(range(2 * len(names.RETRY_DELAYS)))

    @trial.consumers.on(Probed)
    async def wait_long(event: Probed, session: AsyncSession) -> None:
        if next(waits, None) is not None:
            raise _Passes
        await session.execute(EFFECTS.insert().values(what=event.what))

    async with trial.listening(), trial.relaying():
        await trial.say("patient")
        await until(lambda: _has_effects(trial, ["patient"]))


async def test_a_handler_that_always_fails_ends_in_the_dead_letter_queue_and_can_be_replayed(trial: Trial) -> None:
    attempts: list[str] = []
    broken = True

    @trial.consumers.on(Probed)
    async def fail(event: Probed, session: AsyncSession) -> None:
        attempts.append(event.what)
        if broken:
            raise RuntimeError("the printer is on fire")
        await session.execute(EFFECTS.insert().values(what=event.what))

    async with trial.listening(), trial.relaying():
        await trial.say("doomed")
        await until(lambda: _holds(trial, DEAD, 1))
        assert len(attempts) == 1 + len(names.RETRY_DELAYS)
        text = await dead.run("list", "notify", "", trial.settings)
        assert "the printer is on fire" in text
        assert QUEUE in text
        broken = False
        assert "replayed" in await dead.run("replay", "notify", "all", trial.settings)
        await until(lambda: _has_effects(trial, ["doomed"]))
    assert await trial.waiting(DEAD) == 0


async def test_in_a_batch_one_that_fails_and_some_that_are_doubled_harm_no_other(trial: Trial) -> None:
    attempts: list[str] = []

    @trial.consumers.on(Probed)
    async def note(event: Probed, session: AsyncSession) -> None:
        attempts.append(event.what)
        await session.execute(EFFECTS.insert().values(what=event.what))
        if event.what == "cursed":
            raise RuntimeError("not this one")

    said = [envelope(f"good {number:03}") for number in range(120)]
    said.insert(30, envelope("cursed"))
    for one in [*said, *said[:60]]:
        await trial.publish(body=one.data, headers=dict(one.headers()))
    async with trial.listening():
        await until(lambda: _holds(trial, DEAD, 2), 60)  # it was said twice, like half of the others
        await until(lambda: _is_empty(trial, QUEUE))
    assert await trial.effects() == sorted(one.subject for one in said if one.subject != "cursed")
    assert attempts.count("cursed") > 2 * len(names.RETRY_DELAYS)


async def test_a_queue_that_was_deleted_under_its_consumer_is_read_again_when_it_is_back(trial: Trial) -> None:
    trial.count_effects()
    async with trial.listening(), trial.relaying():
        await trial.say("before")
        await until(lambda: _has_effects(trial, ["before"]))
        async with Management(trial.plan.admin_broker_url) as management:
            await management.call("DELETE", "queues", trial.settings.instance, QUEUE)
        await provision.provision(trial.plan)
        await trial.say("after")
        await until(lambda: _has_effects(trial, ["after", "before"]), 30)


async def test_a_connection_that_was_given_up_keeps_no_message_to_itself(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker under load answers late: then consumers are there of which nobody knows any more."""
    trial.count_effects()
    losses, stop, stopped = messaging.losses_of, RabbitBroker.stop, 0

    async def lost_at_once(broker: RabbitBroker) -> "asyncio.Future[str]":
        lost = await losses(broker)
        if stopped == 0:
            lost.set_result("as if")
        return lost

    async def stop_without_end(broker: RabbitBroker) -> None:
        nonlocal stopped
        stopped += 1
        if stopped == 1:
            await asyncio.sleep(3600)
        await stop(broker)

    monkeypatch.setattr(messaging, "losses_of", lost_at_once)
    monkeypatch.setattr(messaging, "GRACEFUL_SECONDS", 0.2)
    monkeypatch.setattr(RabbitBroker, "stop", stop_without_end)
    said = [f"{number:02}" for number in range(20)]
    async with trial.listening(), trial.relaying():
        await trial.say(*said)
        await until(lambda: _has_effects(trial, said))
        assert stopped == 1


async def test_a_body_that_is_no_event_is_dead_lettered_at_once_with_its_reason(trial: Trial) -> None:
    trial.count_effects()
    good = envelope("good")
    async with trial.listening():
        await trial.publish(body=b"\xff\xfe not json", headers=dict(good.headers()))
        await trial.publish(body=b'{"what": 3, "else": []}', headers=dict(envelope("x").headers()))
        await trial.publish(body=good.data, headers={"x-nothing": "here"})
        await trial.publish(body=good.data, headers={**good.headers(), "cloudEvents:type": "booking.other.v1"})
        await until(lambda: _holds(trial, DEAD, 4))
        await trial.publish(body=good.data, headers=dict(good.headers()))
        await until(lambda: _has_effects(trial, ["good"]))
    errors = [message.headers[names.HEADER_ERROR] for message in await _take_dead(trial)]
    assert all(isinstance(error, str) and error.startswith("Unreadable: ") for error in errors)
    assert any("booking.other.v1" in str(error) for error in errors)


async def test_headers_that_steer_a_message_do_not_survive_its_return(trial: Trial) -> None:
    @trial.consumers.on(Probed)
    async def fail(_event: Probed, _session: AsyncSession) -> None:
        raise RuntimeError("no" * 5000)

    one = envelope("carbon copy")
    async with trial.listening():
        steering = {"x-received-from": "elsewhere", "CC": ["booking.copied.v1"]}
        await trial.publish(body=one.data, headers={**one.headers(), **steering})
        await until(lambda: _holds(trial, DEAD, 1), 60)  # the long error is logged each time
    (message,) = await _take_dead(trial)
    assert not {"x-received-from", "CC"} & set(message.headers)
    assert message.headers["cloudEvents:id"] == str(one.id)
    assert len(str(message.headers[names.HEADER_ERROR])) <= 2000


async def test_an_unreachable_database_postpones_events_without_counting_against_them(trial: Trial) -> None:
    trial.count_effects()
    await trial.shut_database("notify")
    async with trial.listening(), trial.relaying():
        await trial.say("patient")
        await asyncio.sleep(2)  # more returns at 0.2 s than there are counted attempts
        assert await trial.waiting(DEAD) == 0
        await trial.open_database("notify")
        await until(lambda: _has_effects(trial, ["patient"]))
    assert await trial.waiting(DEAD) == 0


async def test_the_trace_of_an_event_goes_on_in_what_the_handler_says(trial: Trial) -> None:
    traces: list[str | None] = []

    @trial.consumers.on(Probed)
    async def note_trace(_event: Probed, _session: AsyncSession, envelope: Envelope) -> None:
        traces.extend([envelope.traceparent, tracing.correlation_id()])

    tracing.begin(TRACEPARENT)
    async with trial.listening(), trial.relaying():
        async with trial.booking.transaction() as session:
            await outbox.add(session, Probed(what="traced"))
        await until(lambda: _equals(len(traces), 2, traces))
    assert traces[0] is not None
    assert traces[0].split("-")[1] == TRACEPARENT.split("-")[1]
    assert traces[1] == TRACEPARENT.split("-")[1]


async def test_stopping_finishes_what_is_in_hand(trial: Trial) -> None:
    started = asyncio.Event()

    @trial.consumers.on(Probed)
    async def be_slow(event: Probed, session: AsyncSession) -> None:
        started.set()
        await asyncio.sleep(0.5)
        await session.execute(EFFECTS.insert().values(what=event.what))

    async with trial.relaying():
        async with trial.listening():
            await trial.say("slow")
            await started.wait()
        assert await trial.effects() == ["slow"]
    assert await trial.waiting(QUEUE) == 0


async def test_stopping_hands_back_a_batch_that_would_take_too_long(trial: Trial) -> None:
    started = asyncio.Event()
    pause = 1.0

    @trial.consumers.on(Probed)
    async def be_slow(event: Probed, session: AsyncSession) -> None:
        started.set()
        await asyncio.sleep(pause)
        await session.execute(EFFECTS.insert().values(what=event.what))

    said = sorted(f"slow {number:02}" for number in range(40))
    async with trial.relaying():
        await trial.say(*said)
        await until(lambda: _holds(trial, QUEUE, len(said)))
        listener = consuming(trial.consumers, trial.settings, trial.notify)
        async with running(listener):
            await started.wait()
            stopped_at = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - stopped_at < STOP_SECONDS
        await until(lambda: _are_there(trial, len(said)))  # the broker takes a moment to have them back
        pause = 0.0
        async with trial.listening():
            await until(lambda: _has_effects(trial, said), 60)


def envelope(what: str, event_id: UUID | None = None) -> Envelope:
    return Envelope(
        id=event_id or new_id(),
        source="trial/booking",
        type=Probed.type,
        time=datetime.now(UTC),
        subject=what,
        data=Probed(what=what).model_dump_json().encode(),
    )


async def _take_dead(trial: Trial) -> list[AbstractIncomingMessage]:
    found: list[AbstractIncomingMessage] = []
    async with await aio_pika.connect(trial.settings.broker_url("notify")) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue(DEAD, ensure=False)
        while (message := await queue.get(fail=False, no_ack=True)) is not None:
            found.append(message)
    return found


async def _holds(trial: Trial, queue: str, count: int) -> bool:
    return await trial.waiting(queue) == count


async def _is_empty(trial: Trial, queue: str) -> bool:
    return await trial.waiting(queue) == 0


async def _are_there(trial: Trial, count: int) -> bool:
    """Each as an effect or in the queue."""
    return len(await trial.effects()) + await trial.waiting(QUEUE) == count


async def _has_effects(trial: Trial, wanted: list[str]) -> bool:
    return await trial.effects() == wanted


async def _equals(_now: int, wanted: int, things: list[str | None]) -> bool:
    return len(things) == wanted
