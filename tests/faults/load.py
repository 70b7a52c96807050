"""People who go on working while something breaks."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Generic, Self, TypeVar

import httpx

from deploy.demo.api import Refused, wait_for

T = TypeVar("T")


@dataclass
class Load(Generic[T]):
    """Calls `act(0)`, `act(1)`, … in a thread while the block runs, with `pause` seconds in between.

    `acknowledged`: what was answered with success. `failed`: what was not (lost connections, refusals).
    `again`: call a failed one again, as a client with an idempotency key does, until it succeeds.
    """

    act: Callable[[int], T]
    pause: float = 0.05
    again: bool = False
    acknowledged: list[T] = field(default_factory=list[T])
    failed: list[Exception] = field(default_factory=list[Exception])
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def __str__(self) -> str:
        """For the table of faults: how many calls were made in which time."""
        return f"{len(self.acknowledged)} writes, {len(self.failed)} refused"

    def wait_for_more(self, count: int) -> None:
        """Return when `count` more calls have succeeded from now on."""
        wanted = len(self.acknowledged) + count
        wait_for(f"{count} more successes", lambda: len(self.acknowledged) >= wanted)

    def _work(self) -> None:
        number = 0
        while not self._stop.is_set():
            if self._did(number) or not self.again:
                number += 1
            time.sleep(self.pause)

    def _did(self, number: int) -> bool:
        try:
            self.acknowledged.append(self.act(number))
        except (httpx.HTTPError, Refused) as error:
            self.failed.append(error)
            return False
        return True
