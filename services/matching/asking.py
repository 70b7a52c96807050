"""The vectors of what people ask for, made when they ask; the last ones are kept."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from contracts.identity import Locale
from services.matching import meaning
from services.matching.meaning import Meaning, Vector

_KEPT = 2000


class Asking:
    """One for each process; only its event loop calls it.

    `load`: gives the model, None without one. `kept`: so many vectors are remembered. `at_once`: so many questions are
    encoded at the same time: a core stays free for the rest of each answer, and nobody waits for all others' vectors.
    """

    def __init__(self, load: Callable[[], Meaning | None], *, kept: int = _KEPT, at_once: int | None = None) -> None:
        self._load = load
        self._most = kept
        self._kept: OrderedDict[tuple[str, Locale], Vector | None] = OrderedDict()
        self._version: str | None = None
        workers = at_once or max(1, (os.cpu_count() or 1) - 1)
        self._encoders = ThreadPoolExecutor(workers, thread_name_prefix="encoding")

    async def vector_of(self, text: str, language: Locale) -> Vector | None:
        """What `text` in `language` is about; None without a model, or without a letter or digit in it."""
        asked = (text.strip(), language)
        if asked not in self._kept:
            self._kept[asked] = await asyncio.get_running_loop().run_in_executor(self._encoders, self._vector, *asked)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(asked)
        return self._kept[asked]

    async def version(self) -> str:
        """The version of the vectors that can be compared now; empty without a model."""
        if self._version is None:
            loaded = await asyncio.to_thread(self._load)
            self._version = loaded.version if loaded is not None else ""
        return self._version

    def _vector(self, text: str, language: Locale) -> Vector | None:
        loaded = self._load()
        if loaded is None or not any(character.isalnum() for character in text):
            return None
        return loaded.of([text], [language])[0]


_asking = Asking(meaning.load)
vector_of, version = _asking.vector_of, _asking.version
