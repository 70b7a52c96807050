"""Vectors of questions: each is made once, and not all of them at the same time."""

import asyncio
import threading
import time
from typing import Any, cast

from services.matching.asking import Asking
from services.matching.meaning import Meaning


class _Slow:
    """Says what it is asked, and counts who asks at the same time."""

    version = "slow.1"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.most = 0
        self._inside = 0
        self._lock = threading.Lock()

    def of(self, texts: list[str], _asked_in: list[str]) -> list[Any]:
        with self._lock:
            self.asked += texts
            self._inside += 1
            self.most = max(self.most, self._inside)
        time.sleep(0.02)
        with self._lock:
            self._inside -= 1
        return list(texts)

    def load(self) -> Meaning:
        return cast("Meaning", self)


async def test_a_question_is_encoded_once() -> None:
    slow = _Slow()
    asking = Asking(slow.load)
    assert [await asking.vector_of(text, "fr") for text in (" scie ", "scie", "?!")] == ["scie", "scie", None]
    assert slow.asked == ["scie"]
    assert await asking.version() == "slow.1"


async def test_only_so_many_are_encoded_at_once() -> None:
    slow = _Slow()
    asking = Asking(slow.load, at_once=2)
    found = await asyncio.gather(*(asking.vector_of(f"scie {number}", "fr") for number in range(12)))
    assert found == [f"scie {number}" for number in range(12)]
    assert slow.most == 2


async def test_the_oldest_questions_are_forgotten() -> None:
    slow = _Slow()
    asking = Asking(slow.load, kept=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        await asking.vector_of(text, "fr")
    assert slow.asked == ["a", "b", "c", "b"]


async def test_without_a_model_there_is_no_vector() -> None:
    asking = Asking(lambda: None)
    assert (await asking.vector_of("scie", "fr"), await asking.version()) == (None, "")
