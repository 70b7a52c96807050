"""The one place where the time is read, so that tests can set it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request


class Clock:
    """Tells the time: aware, UTC."""

    def __init__(self, read: Callable[[], datetime] | None = None) -> None:
        self._read = read or _system_time

    def now(self) -> datetime:
        return self._read()


def _system_time() -> datetime:
    return datetime.now(UTC)


async def _clock_of(request: Request) -> Clock:
    clock = getattr(request.app.state, "clock", None)
    return clock if isinstance(clock, Clock) else Clock()


ClockDep = Annotated[Clock, Depends(_clock_of)]
"""For an endpoint: `clock: ClockDep`. A test sets `app.state.clock`."""
