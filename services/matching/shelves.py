"""Where vectors stand: one number for what they are of, which an index compares far faster than five texts.

An aisle holds all of a model, side, openness and kind; a shelf those of one category in it. Numbers are the beginning
of a hash: two may be the same by chance, so filters are checked on the things themselves, too.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

_AISLE = "model || '/' || side || CASE WHEN open THEN '/open/' ELSE '/closed/' END || kind"
AISLE = f"('x' || substr(md5({_AISLE}), 1, 8))::bit(32)::integer"
SHELF = f"('x' || substr(md5({_AISLE} || '/' || topic), 1, 8))::bit(32)::integer"
"""The same as SQL expressions, from the columns of `meanings`."""


def numbers(
    model: str, sides: Iterable[str], kinds: Iterable[str], topics: Iterable[str] | None, *, is_open: bool
) -> list[int]:
    """Of all shelves of these, or, without `topics`, of all aisles."""
    openness = "open" if is_open else "closed"
    aisles = [f"{model}/{side}/{openness}/{kind}" for side in sides for kind in kinds]
    named = aisles if topics is None else [f"{aisle}/{topic}" for topic in topics for aisle in aisles]
    return [_number(name) for name in named]


@lru_cache(maxsize=10_000)
def _number(name: str) -> int:
    return int.from_bytes(hashlib.md5(name.encode(), usedforsecurity=False).digest()[:4], signed=True)
