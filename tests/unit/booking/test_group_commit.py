"""Whatever becomes of a group, everybody in it and everybody after it is answered."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from services.booking import queries
from services.booking.commands.book import Wanted
from services.booking.domain.spans import Span
from services.booking.group_commit import GroupCommit
from services.chassis.auth import Actor
from services.chassis.database import Database
from services.chassis.ids import new_id

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)


class Away:
    """A database that cannot be reached: the driver's error says nothing at all."""

    def autocommit(self) -> AbstractAsyncContextManager[Any]:
        raise TimeoutError


async def test_without_a_database_everybody_is_sent_on_to_a_transaction_of_their_own() -> None:
    together = GroupCommit(cast("Database", Away()), queries.Asked())
    ana = Actor(id=new_id(), name="Ana", role="member", locale="fr")

    async def ask() -> object:
        wanted = Wanted(id=new_id(), offer_id=new_id(), period=Span(NOW, NOW + timedelta(hours=1)), quantity=1, note="")
        return await together.book(wanted, by=ana, limit=10, now=NOW)

    async with asyncio.timeout(5):
        assert await asyncio.gather(*(ask() for _ in range(40))) == [None] * 40
        assert await ask() is None
