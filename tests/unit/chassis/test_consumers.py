import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from sqlalchemy import URL
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope, Event
from services.chassis import messaging
from services.chassis.connecting import Broker
from services.chassis.database import Database
from services.chassis.handling import is_database_away, own_headers
from services.chassis.messaging import Consumers, Consuming


class Happened(Event):
    type: ClassVar[str] = "booking.happened.v1"


class Ended(Event):
    type: ClassVar[str] = "booking.ended.v1"


async def handle(_event: Happened, _session: AsyncSession) -> None: ...


async def handle_with_envelope(_event: Ended, _session: AsyncSession, _envelope: Envelope) -> None: ...


async def forget_session(_event: Happened) -> None: ...


def test_subscriptions_are_the_event_types_listened_to() -> None:
    consumers = Consumers("notify")
    consumers.on(Happened)(handle)
    consumers.on(Ended)(handle_with_envelope)
    assert consumers.subscriptions == ["booking.ended.v1", "booking.happened.v1"]
    assert consumers.get("booking.ended.v1").wants_envelope
    assert not consumers.get("booking.happened.v1").wants_envelope


def test_a_second_handler_for_one_type_is_refused() -> None:
    consumers = Consumers("notify")
    consumers.on(Happened)(handle)
    with pytest.raises(ValueError, match="already"):
        consumers.on(Happened)(handle)


def test_a_handler_without_a_session_is_refused() -> None:
    with pytest.raises(ValueError, match="session"):
        Consumers("notify").on(Happened)(forget_session)


def test_headers_of_brokers_are_not_passed_on() -> None:
    theirs = {"x-death": [], "x-first-death-queue": "q", "x-received-from": "r", "CC": ["x"], "x-delivery-count": 3}
    assert own_headers({"cloudEvents:id": "1", "x-maillage-attempt": 2, **theirs}) == {
        "cloudEvents:id": "1",
        "x-maillage-attempt": 2,
    }


def test_a_refusal_by_the_database_or_a_network_error_of_the_handler_is_no_outage_of_the_database() -> None:
    assert not is_database_away(IntegrityError("INSERT", {}, Exception("duplicate")))
    assert not is_database_away(ConnectionRefusedError())


class Late:
    """A consumer of a broker that takes `seconds` to answer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.began_after = 0

    async def start(self) -> None:
        self.began_after = len(Busy.listening)
        await asyncio.sleep(self._seconds)
        Busy.listening.append(self)

    async def stop(self) -> None: ...


class Busy(Broker):
    """Nowhere: with its consumers only the order and the time of starting is tried."""

    tries: ClassVar[int] = 0
    listening: ClassVar[list[Late]] = []
    delays: ClassVar[Sequence[float]] = ()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.late = [Late(seconds) for seconds in self.delays]

    @property
    def subscribers(self) -> Any:
        return self.late

    async def connect(self, *_arguments: Any, **_options: Any) -> Any:
        type(self).tries += 1


async def _listen_for(seconds: float, delays: Sequence[float], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether all of them listen in the end."""

    async def nothing_lost(_broker: Broker) -> "asyncio.Future[str]":
        return asyncio.get_running_loop().create_future()

    monkeypatch.setattr(Busy, "tries", 0)
    monkeypatch.setattr(Busy, "listening", [])
    monkeypatch.setattr(Busy, "delays", delays)
    for name, value in {
        "Broker": Busy,
        "START_SECONDS": 0.3,
        "RETRY_SECONDS": 0.0,
        "losses_of": nothing_lost,
        "_is_alive": bool,
    }.items():
        monkeypatch.setattr(messaging, name, value)
    consuming = Consuming(Consumers("notify"), Database(URL.create("postgresql+asyncpg")), "amqp://127.0.0.1:1/")
    running = asyncio.create_task(consuming.run())
    await asyncio.sleep(seconds)
    connected = consuming.connected
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return connected


async def test_consumers_start_at_once_and_have_time_while_one_after_the_other_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await _listen_for(1.2, [0.2, 0.4, 0.6, 0.8], monkeypatch)
    assert Busy.tries == 1
    assert [late.began_after for late in Busy.listening] == [0, 0, 0, 0]


async def test_consumers_of_which_one_gets_no_answer_start_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not await _listen_for(1.2, [0.05, 60], monkeypatch)
    assert Busy.tries > 1
