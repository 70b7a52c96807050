"""What texts are about, as vectors that can be compared.

The model's vectors all lean the same way, so the mean of its role (request or description) is taken away; then each is
drawn towards the categories that it is nearest to, because "digging a trench" and "mini-excavator" share little but
what one does with them. Both the means and the categories' vectors are in `taxonomy/basis.npz`, made of the taxonomy by
`python -m services.matching.basis`. A word that the taxonomy itself uses tells the category, too: so small a model does
not know every machine. Measured on needs with few words in common (`make bench-matching`), nDCG@10 of the model alone
is .41, without its mean .44, drawn to categories .71, with their words .79.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.matching import model, taxonomy, words
from services.matching.model import DIMENSIONS, Floats

BASIS = taxonomy.FOLDER / "basis.npz"

_NEAREST = 4
_SHARPNESS = 0.1
_PULL = 0.8
_TOPICS = 3
_HINT = {True: 0.1, False: 0.2}
"""What a word of a category's own adds to its nearness: in requests, in descriptions."""


@dataclass(frozen=True, eq=False)
class Vector:
    """`values`: of length 1. `topics`: codes of the nearest categories, the nearest first."""

    values: Floats
    topics: tuple[str, ...]

    @property
    def signs(self) -> str:
        """One bit for each dimension: how many differ tells nearly how far two vectors are apart."""
        return "".join("1" if value > 0 else "0" for value in self.values)

    def packed(self) -> bytes:
        """The vector in a byte for each dimension."""
        return np.round(self.values * (127 / max(float(np.abs(self.values).max()), 1e-9))).astype(np.int8).tobytes()


def similarities(one: Vector, others: Sequence[bytes | None]) -> list[float | None]:
    """The cosine of `one` with each of the packed vectors (-1 to 1)."""
    present = [packed for packed in others if packed is not None]
    matrix = np.frombuffer(b"".join(present), dtype=np.int8).reshape(-1, DIMENSIONS).astype(np.float32)
    lengths = np.linalg.norm(matrix, axis=1)
    found = iter(((matrix @ one.values) / np.maximum(lengths, 1e-9)).tolist())
    return [None if packed is None else next(found) for packed in others]


def unpacked(packed: bytes, topics: Sequence[str]) -> Vector:
    """The vector that was packed."""
    values = np.frombuffer(packed, dtype=np.int8).astype(np.float32)
    return Vector(values / max(float(np.linalg.norm(values)), 1e-9), tuple(topics))


def around(one: Vector, count: int) -> list[str]:
    """The `count` categories nearest to a vector, its topics first; the topics alone without a model."""
    loaded = load()
    if loaded is None:
        return list(one.topics)
    return list(dict.fromkeys([*one.topics, *loaded.nearest(one, count)]))[:count]


def blended(title: Vector, text: Vector, weight: float) -> Vector:
    """Both together, `weight` (0 to 1) of it the text. The topics are the title's."""
    return Vector(unit(((1 - weight) * title.values + weight * text.values)[None])[0], title.topics)


class Meaning:
    """The model with its basis. `version` changes whenever vectors of before cannot be compared with those of now."""

    def __init__(self, loaded: model.Model, basis: Path = BASIS) -> None:
        self.model = loaded
        content = basis.read_bytes()
        content += repr((taxonomy.leaves(), _NEAREST, _SHARPNESS, _PULL, _HINT)).encode()
        self.version = f"{model.NAME}.{hashlib.sha256(content).hexdigest()[:12]}"
        with np.load(basis) as arrays:
            self._means = {True: arrays["asking"].astype(np.float32), False: arrays["saying"].astype(np.float32)}
            self._categories = unit(arrays["categories"].astype(np.float32))
        self._codes = [category.code for category in taxonomy.leaves()]

    def nearest(self, one: Vector, count: int) -> list[str]:
        """The codes of the categories nearest to it, the nearest first."""
        order = np.argsort(-(self._categories @ one.values))[:count]
        return [self._codes[place] for place in order]

    def of(self, texts: Sequence[str], *, asking: bool) -> list[Vector]:
        """A vector for each text. Takes about 15 ms for a short one: call it in a thread."""
        if not texts:
            return []
        centred = unit(self.model.encode(texts, asking=asking) - self._means[asking])
        near = centred @ self._categories.T + _HINT[asking] * np.vstack([_hints(text) for text in texts])
        order = np.argsort(-near, axis=1)[:, :_NEAREST]
        weights = np.exp(np.take_along_axis(near, order, axis=1) / _SHARPNESS)
        pull = np.einsum("nk,nkd->nd", weights, self._categories[order])
        values = unit(centred + _PULL * unit(pull))
        return [
            Vector(values[row], tuple(self._codes[column] for column in order[row][:_TOPICS]))
            for row in range(len(texts))
        ]


def unit(rows: NDArray[Any]) -> Floats:
    """Each row at length 1."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.maximum(lengths, 1e-9)).astype(np.float32)


@cache
def _vocabulary() -> dict[str, list[int]]:
    """Where the words of names and uses occur: the places of the leaves."""
    found: dict[str, list[int]] = {}
    for place, one in enumerate(taxonomy.leaves()):
        for word in words.beginnings(" ".join((*one.names.values(), *one.uses))):
            found.setdefault(word, []).append(place)
    return found


def _hints(text: str) -> Floats:
    """For each leaf how much of the text's words are its own, from 0 to 1; a word of many leaves says little."""
    found = np.zeros(len(taxonomy.leaves()), dtype=np.float32)
    for word in words.beginnings(text):
        places = _vocabulary().get(word, [])
        for place in places:
            found[place] += 1 / len(places)
    return np.minimum(found, 1.0)


@cache
def load() -> Meaning | None:
    """The one of this process, loaded at the first call (half a second); None: words alone."""
    loaded = model.load()
    return None if loaded is None else Meaning(loaded)
