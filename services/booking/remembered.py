"""Answers that were worked out, kept for as long as they are asked for again."""

from collections import OrderedDict
from collections.abc import Hashable


class Remembered:
    """Keeps the answers that were used last, `most` bytes of them. An answer hangs on its key alone."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()

    def get(self, key: Hashable) -> bytes | None:
        """The answer, if it is still known."""
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, answer: bytes) -> bytes:
        """Remember `answer`, and hand it back."""
        self._size += len(answer) - len(self._kept.pop(key, b""))
        self._kept[key] = answer
        while self._size > self._most:
            _, dropped = self._kept.popitem(last=False)
            self._size -= len(dropped)
        return answer
