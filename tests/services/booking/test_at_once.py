"""What two transactions must not lose between them: marks, ended holds, an answer after the commit, lock order."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import BusyChanged, PlaceOffered
from services.booking.commands.telling import busy_changed, tell_busy
from services.booking.group_commit import GroupCommit
from tests.services.booking.test_waiting import booked, look, waits
from tests.services.booking.workshop import Workshop, at

LOOKS = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")


async def until_somebody_waits(workshop: Workshop) -> None:
    """Until a transaction of this database waits for a lock that another one holds."""
    async with asyncio.timeout(60):
        while True:
            async with workshop.db.reading() as session:
                if (await session.execute(LOOKS)).scalar_one():
                    return
            await asyncio.sleep(0.02)


async def beside(
    workshop: Workshop, change: Callable[[AsyncSession], Awaitable[None]], act: Callable[[], Awaitable[None]]
) -> None:
    """`act` while a transaction that has made `change` is open; it commits once `act` waits for it, or has ended."""
    async with workshop.db.transaction() as session:
        await change(session)
        acting, waiting = asyncio.ensure_future(act()), asyncio.ensure_future(until_somebody_waits(workshop))
        await asyncio.wait([acting, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    await acting


async def count(workshop: Workshop, table: str) -> int:
    async with workshop.db.reading() as session:
        return (await session.execute(sa.text(f"SELECT count(*) FROM {table}"))).scalar_one()  # noqa: S608 - of this file


async def test_what_is_cancelled_while_the_line_is_handed_out_is_handed_out_too(workshop: Workshop) -> None:
    held = await booked(workshop, workshop.as_chloe, at(9), at(12))
    await waits(workshop, workshop.as_ana, at(9), at(12))
    await workshop.sql("INSERT INTO places_freed VALUES (:offer, now())", offer=workshop.laser)

    async def cancelled(session: AsyncSession) -> None:
        await session.execute(sa.text("UPDATE bookings SET status = 'cancelled' WHERE id = :id"), {"id": held})

    await beside(workshop, cancelled, lambda: look(workshop))
    await look(workshop)
    assert len(await workshop.said(PlaceOffered)) == 1


async def test_what_changes_while_busy_times_are_told_is_told_too(workshop: Workshop) -> None:
    held = await booked(workshop, workshop.as_chloe, at(9), at(12))  # its mark is there, and is not told yet

    async def cancelled(session: AsyncSession) -> None:
        await session.execute(sa.text("UPDATE bookings SET status = 'cancelled' WHERE id = :id"), {"id": held})
        await busy_changed(session, workshop.laser)

    async def told() -> None:
        await workshop.db.run(tell_busy, [workshop.laser])

    await beside(workshop, cancelled, told)
    assert (await workshop.said(BusyChanged))[-1].busy == []


async def test_a_hold_that_ends_in_the_way_is_told_even_when_the_booking_is_refused(workshop: Workshop) -> None:
    await booked(workshop, workshop.as_chloe, at(10), at(11))
    body = {"offer_id": str(workshop.laser), "start": at(9).isoformat(), "end": at(10).isoformat()}
    held = (await workshop.as_omar.post("/holds", json=body)).json()
    await workshop.said()
    await workshop.sql("UPDATE bookings SET decide_by = now() WHERE id = :id", id=held["id"])
    assert (await workshop.book(workshop.as_ana, at(9), at(11))).status_code == 409
    assert await count(workshop, "bookings") == 1
    (told,) = await workshop.said(BusyChanged)
    assert [(one.start, one.end) for one in told.busy] == [(at(10), at(11))]


async def test_an_answer_that_is_lost_after_the_commit_is_found_again(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    together: GroupCommit = workshop.service.app.state.together
    book = together.book

    async def lost(*args: Any, **more: Any) -> None:
        assert await book(*args, **more) is not None

    monkeypatch.setattr(together, "book", lost)
    answer = await workshop.book(workshop.as_ana, at(9), at(11))
    assert (answer.status_code, answer.json()["status"]) == (201, "confirmed")
    assert await count(workshop, "bookings") == 1


async def test_who_accepts_takes_the_locks_in_the_order_of_who_books(workshop: Workshop) -> None:
    held = await booked(workshop, workshop.as_chloe, at(9), at(12))
    wish = await waits(workshop, workshop.as_ana, at(9), at(12))
    await workshop.as_chloe.post(f"/bookings/{held}/cancel", json={})
    await look(workshop)
    key = f"pending:{workshop.ana}"

    async def accepts() -> Any:
        return await workshop.as_ana.post(f"/waiting/{wish['id']}/accept")

    async with workshop.db.transaction() as session:
        await session.execute(
            sa.text("SELECT 1 FROM resources WHERE offer_id = :offer FOR UPDATE"), {"offer": workshop.laser}
        )
        accepting = asyncio.ensure_future(accepts())
        await until_somebody_waits(workshop)
        async with workshop.db.reading() as other:
            mine = sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(key, 0)))
            assert (await other.execute(mine)).scalar_one() is False  # theirs already, while the resource is not
    assert (await accepting).status_code == 201
    assert datetime.now(UTC) < at(9)
