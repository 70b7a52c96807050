"""What texts are about, as vectors that can be compared.

Everything is encoded as a request, in small letters: so the model was made to compare texts of the same kind, and a
capital at the start of a title tells it something that nobody meant. Its vectors all lean the same way, so their mean
is taken away, and a matrix shortens what says in which language something is said, or whether a thing is named or what
it is for (`basis.sameness`). What somebody asks for in Dutch is read twice, as it is and word by word in English
(`dictionary`). Then each is drawn towards what it is nearest to, because "digging a trench" and "mini-excavator" share
little but what one does with them: towards categories and their concepts (`taxonomy/`; a word that these use tells the
category, too, as so small a model does not know every machine), and towards the meanings of English nouns in WordNet,
which nobody chose. Towards many and softly: of the few nearest the taxonomy may have none that is right, and what
several have in common still helps then. How near a thing is, is its cosine less how crowded it is around it, else what
lies where the taxonomy is dense is near to everything (known as cross-domain similarity local scaling). All this is in
`taxonomy/basis.npz` and `taxonomy/wordnet.npz`, made by `python -m services.matching.basis`. What each part is worth,
also on subjects that the taxonomy does not have, is printed by `python -m tests.bench.matching parts`.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.identity import Locale
from services.matching import dictionary, model, taxonomy, words
from services.matching.model import DIMENSIONS, Floats

BASIS = taxonomy.FOLDER / "basis.npz"
WORDNET = taxonomy.FOLDER / "wordnet.npz"

_SHARPNESS = 0.08
_NEAREST, _PULL = 30, 1.2
_NEAREST_NOUNS, _PULL_OF_NOUNS = 60, 0.4
_TOPICS = 3
_HINT = 0.25
"""What a word of a category's own adds to its nearness."""
_CROWD, _USUAL = 10, 0.47
"""A vector is as crowded as it is near to so many anchors, on average; and the average of that over texts."""
_WORD_BY_WORD = 0.3
"""What a Dutch request's words in English count beside the request."""
_STEPS = 254
"""In so many steps for each 1 a packed vector says how crowded it is."""


@dataclass(frozen=True, eq=False)
class Vector:
    """`values`: of length 1. `topics`: codes of the nearest categories, the nearest first.

    `crowd`: how much more crowded than usual it is around it, from -0.5 to 0.5.
    """

    values: Floats
    topics: tuple[str, ...]
    crowd: float = 0.0

    @property
    def signs(self) -> str:
        """One bit for each dimension: how many differ tells nearly how far two vectors are apart."""
        return "".join("1" if value > 0 else "0" for value in self.values)

    def packed(self) -> bytes:
        """The vector in a byte for each dimension, and one for how crowded it is."""
        values = self.values * (127 / max(float(np.abs(self.values).max()), 1e-9))
        crowd = min(max(self.crowd * _STEPS, -127.0), 127.0)
        return np.round(np.append(values, crowd)).astype(np.int8).tobytes()


def similarities(one: Vector, others: Sequence[bytes | None]) -> list[float | None]:
    """How near each of the packed vectors is to `one`, which is asked for (-1 to 1); None where there is none.

    The cosine, less half of how crowded it is around what is found. It is the same for all around `one`, and changes
    nothing between them.
    """
    present = [packed for packed in others if packed]
    if not present:
        return [None] * len(others)
    matrix = np.frombuffer(b"".join(present), dtype=np.int8).reshape(-1, DIMENSIONS + 1).astype(np.float32)
    values, crowds = matrix[:, :DIMENSIONS], matrix[:, DIMENSIONS] / _STEPS
    cosines = (values @ one.values) / np.maximum(np.linalg.norm(values, axis=1), 1e-9)
    found = iter((cosines - crowds / 2).tolist())
    return [next(found) if packed else None for packed in others]


def unpacked(packed: bytes, topics: Sequence[str]) -> Vector:
    """The vector that was packed."""
    numbers = np.frombuffer(packed, dtype=np.int8).astype(np.float32)
    values, crowd = numbers[:DIMENSIONS], float(numbers[DIMENSIONS])
    return Vector(values / max(float(np.linalg.norm(values)), 1e-9), tuple(topics), crowd / _STEPS)


def around(one: Vector, count: int) -> list[str]:
    """The `count` categories nearest to a vector, its topics first; the topics alone without a model."""
    loaded = load()
    if loaded is None:
        return list(one.topics)
    return list(dict.fromkeys([*one.topics, *loaded.nearest(one, count)]))[:count]


class Meaning:
    """The model with its basis. `version` changes whenever vectors of before cannot be compared with those of now."""

    def __init__(self, loaded: model.Model, basis: Path = BASIS, nouns: Path = WORDNET) -> None:
        self.model = loaded
        content = basis.read_bytes() + nouns.read_bytes() + dictionary.ENGLISH.read_bytes()
        tuned = (_SHARPNESS, _NEAREST, _PULL, _NEAREST_NOUNS, _PULL_OF_NOUNS)
        tuned += (_HINT, _CROWD, _USUAL, _STEPS, _WORD_BY_WORD)
        content += repr((taxonomy.leaves(), taxonomy.concepts(), tuned)).encode()
        self.version = f"{model.NAME}.{hashlib.sha256(content).hexdigest()[:12]}"
        with np.load(basis) as arrays:
            self._mean = arrays["mean"].astype(np.float32)
            self._sameness = arrays["sameness"].astype(np.float32)
            self._anchors = unit(arrays["anchors"].astype(np.float32) @ self._sameness)
        with np.load(nouns) as arrays:
            self._nouns = unit(unit(arrays["nouns"].astype(np.float32)) @ self._sameness)
        self._leaves = unit(self._anchors[: len(taxonomy.leaves())])
        self._codes = [category.code for category in taxonomy.leaves()]
        self._places = np.array([self._codes.index(code) for code, _ in anchors()])

    def nearest(self, one: Vector, count: int) -> list[str]:
        """The codes of the categories nearest to it, the nearest first."""
        return self._topics(self._anchors @ one.values, count)

    def blended(self, title: Vector, text: Vector, weight: float) -> Vector:
        """Both together, `weight` (0 to 1) of it the text. The topics are the title's."""
        values = unit(((1 - weight) * title.values + weight * text.values)[None])
        return Vector(values[0], title.topics, float(self._crowds(values)[0]))

    def of(self, texts: Sequence[str], asked_in: Sequence[Locale] = ()) -> list[Vector]:
        """A vector for each text. Takes about 15 ms for a short one: call it in a thread.

        `asked_in`: the languages of the first of them, which ask for something; in Dutch they take twice the time.
        """
        if not texts:
            return []
        # BLAS would wake a thread on each core for these, which costs ten times the products themselves
        centred = unit(np.einsum("nd,dk->nk", self._read(texts, asked_in), self._sameness))
        hints = np.vstack([_hints(text) for text in texts])
        near: Floats = (centred @ self._anchors.T + _HINT * hints).astype(np.float32)
        pulls = _PULL * _drawn(near, self._anchors, _NEAREST)
        nouns = np.einsum("nd,kd->nk", centred, self._nouns)
        pulls += _PULL_OF_NOUNS * _drawn(nouns, self._nouns, _NEAREST_NOUNS)
        values = unit(centred + pulls)
        topics = [tuple(self._topics(row, _TOPICS)) for row in near]
        return [Vector(*each) for each in zip(values, topics, self._crowds(values).tolist(), strict=True)]

    def _read(self, texts: Sequence[str], asked_in: Sequence[Locale]) -> Floats:
        asked = zip(texts, asked_in, strict=False)
        told = [dictionary.in_english(text) if language == "nl" else "" for text, language in asked]
        known = [place for place, text in enumerate(told) if text]
        said = [text.lower() for text in texts] + [told[place] for place in known]
        rows = unit(self.model.encode(said) - self._mean)
        found = rows[: len(texts)]
        found[known] += _WORD_BY_WORD * rows[len(texts) :]
        return unit(found)

    def _crowds(self, values: Floats) -> Floats:
        near = np.einsum("nd,kd->nk", values, self._anchors)
        nearest = np.partition(near, -_CROWD, axis=1)[:, -_CROWD:]
        return np.asarray(nearest.mean(axis=1) - _USUAL, dtype=np.float32)

    def _topics(self, near: Floats, count: int) -> list[str]:
        """Of each category counts what is nearest in it, the category itself or a concept."""
        best = np.full(len(self._codes), -np.inf, dtype=np.float32)
        np.maximum.at(best, self._places, near)
        return [self._codes[place] for place in np.argsort(-best)[:count]]


def _drawn(near: Floats, towards: Floats, count: int) -> Floats:
    """For each row the direction of the `count` nearest of `towards`, the nearer the more."""
    order = np.argpartition(-near, count, axis=1)[:, :count]
    found = np.take_along_axis(near, order, axis=1)
    weights = np.exp((found - found.max(axis=1, keepdims=True)) / _SHARPNESS)
    return unit(np.einsum("nk,nkd->nd", weights, towards[order]))


def unit(rows: NDArray[Any]) -> Floats:
    """Each row at length 1."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.maximum(lengths, 1e-9)).astype(np.float32)


@cache
def anchors() -> tuple[tuple[str, str], ...]:
    """What texts are drawn towards, each with its category's code and its words: the leaves, then their concepts."""
    leaves = [(one.code, " ".join((*one.names.values(), *one.uses))) for one in taxonomy.leaves()]
    return *leaves, *((one.code, " ".join(one.texts.values())) for one in taxonomy.concepts())


@cache
def _vocabulary() -> dict[str, list[int]]:
    """Where the words of categories and concepts occur: the places of the anchors."""
    found: dict[str, list[int]] = {}
    for place, (_, text) in enumerate(anchors()):
        for word in words.beginnings(text):
            found.setdefault(word, []).append(place)
    return found


def _hints(text: str) -> Floats:
    """For each anchor how much of the text's words are its own, from 0 to 1; a word of many anchors says little."""
    found = np.zeros(len(anchors()), dtype=np.float32)
    for word in words.beginnings(text):
        places = _vocabulary().get(word, [])
        for place in places:
            found[place] += 1 / math.sqrt(len(places) + 1)
    return np.minimum(found, 1.0)


@cache
def load() -> Meaning | None:
    """The one of this process, loaded at the first call (half a second); None: words alone."""
    loaded = model.load()
    return None if loaded is None else Meaning(loaded)
