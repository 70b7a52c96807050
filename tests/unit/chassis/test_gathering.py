"""How many messages of a queue are handled together."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from services.chassis import gathering
from services.chassis.gathering import Gathering
from services.chassis.handling import Handling
from services.chassis.messaging import Subscription
from tests.unit.chassis.test_consumers import Happened, handle


class Message:
    def __init__(self, tag: int) -> None:
        self.delivery_tag = tag
        self.channel = Message

    async def ack(self, *, multiple: bool = False) -> None: ...


class Noting:
    def __init__(self) -> None:
        self.sizes: list[int] = []

    async def handle(self, messages: Sequence[Any], _subscription: object) -> list[Any]:
        self.sizes.append(len(messages))
        return []


async def test_on_a_slow_machine_batches_get_smaller_and_never_single(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "WANTED_SECONDS", -1.0)  # nothing is ever quick enough
    noting = Noting()
    together = Gathering(cast("Handling", noting), Subscription(Happened, handle, wants_envelope=False))
    await asyncio.gather(*(together.take(cast("Any", Message(tag))) for tag in range(1, 206)))
    assert noting.sizes == [100, 50, 25, 12, 6, 4, 4, 4]
