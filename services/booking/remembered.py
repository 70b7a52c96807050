"""What was worked out, kept for as long as it is asked for again."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Keeps the `most` answers that were used last. An answer hangs on its key alone: it is never out of date."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """The answer, if it is still known."""
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, answer: T) -> T:
        """Remember `answer`, and hand it back."""
        self._kept[key] = answer
        if len(self._kept) > self._most:
            _ = self._kept.popitem(last=False)
        return answer
