"""A consumer that is slow, with a hundred thousand messages before it."""

import os
import time
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Event
from services.chassis import names
from tests.bench.throughput import fill
from tests.faults.ledger import Ledger
from tests.servers import Servers
from tests.services.chassis.trial import EFFECTS, Probed, Trial, make_trial, until

pytestmark = [pytest.mark.xdist_group("faults-backlog"), pytest.mark.timeout(1800), pytest.mark.long]

COUNT = 100_000
MOST_GROWTH = 100 * 1024 * 1024
SLOW = sa.text("SELECT pg_sleep(0.0005)")


async def test_a_hundred_thousand_messages_before_a_slow_consumer_are_handled_once_in_bounded_memory(
    servers: Servers, tmp_path: Path, ledger: Ledger
) -> None:
    async with make_trial(servers, tmp_path / "secrets") as trial:

        @trial.consumers.on(Probed)
        async def note_slowly(event: Event, session: AsyncSession) -> None:
            await session.execute(SLOW)
            await session.execute(EFFECTS.insert().values(what=event.subject[:8]))

        await fill(trial, COUNT)
        async with trial.relaying():
            await until(lambda: _is_sent(trial), 600)
        waiting = await trial.waiting(names.queue("notify", Probed.type))
        assert waiting == COUNT
        process = psutil.Process(os.getpid())
        before, began = process.memory_info().rss, time.monotonic()
        async with trial.listening():
            await until(lambda: _are_done(trial, COUNT // 2), 900)
            growth = process.memory_info().rss - before
            await until(lambda: _are_done(trial, COUNT), 900)
        took = time.monotonic() - began
        assert growth < MOST_GROWTH, f"{growth / 2**20:.0f} MiB more"
        assert await trial.waiting(names.dead("notify")) == 0
        async with trial.notify.reading() as session:
            different = (await session.execute(sa.text("SELECT count(DISTINCT what) FROM effects"))).scalar_one()
        name = f"slow consumer, backlog of {COUNT}"
        ledger.note(
            name, load="", in_flight=waiting, lost=COUNT - different, doubled=await _count(trial) - different, heal=took
        )


async def _is_sent(trial: Trial) -> bool:
    return await trial.unsent() == 0


async def _count(trial: Trial) -> int:
    async with trial.notify.reading() as session:
        return (await session.execute(sa.select(sa.func.count()).select_from(EFFECTS))).scalar_one()


async def _are_done(trial: Trial, count: int) -> bool:
    return await _count(trial) >= count
