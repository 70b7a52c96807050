"""The vectors of what people ask for, made when they ask; the last ones are kept."""

import asyncio
from functools import lru_cache

from services.matching import meaning
from services.matching.meaning import Vector

_KEPT = 2000


async def vector_of(text: str) -> Vector | None:
    """What `text` is about; None without a model, or without a letter or digit in it."""
    return await asyncio.to_thread(_vector, text.strip())


async def version() -> str:
    """The version of the vectors that can be compared now; empty without a model."""
    loaded = await asyncio.to_thread(meaning.load)
    return loaded.version if loaded is not None else ""


@lru_cache(maxsize=_KEPT)
def _vector(text: str) -> Vector | None:
    loaded = meaning.load()
    if loaded is None or not any(character.isalnum() for character in text):
        return None
    return loaded.of([text])[0]
