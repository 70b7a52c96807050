"""What people's answers say about how much each term of the score should count: logistic regression, to be inspected.

A match was accepted or declined; what each term had given to its score is known. The regression finds factors for the
terms under which accepted matches score higher, held near those in force, so that a few answers change little. One in
four answers is held back, and old and new factors are compared on those.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

TERMS: tuple[str, ...] = ("relevance", "kind", "category", "distance", "free")
"""The terms that are learnt. Who rests is a matter of fairness, and stays."""

FEWEST = 40
"""Answers from which it is worth it."""

LEAST, MOST = 0.25, 3.0
_STEEP = 6.0
_HOLD = 4.0
_STEPS, _RATE = 2000, 0.05
_HELD_BACK = 4


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer: the gains of its match by term, and whether it was accepted."""

    gains: Mapping[str, float]
    accepted: bool


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """New factors, and how many of the held-back pairs (an accepted and a declined one) old and new put in order."""

    factors: dict[str, float]
    answers: int
    pairs: int
    old: float
    new: float


def learn(answers: Sequence[Answer], factors: Mapping[str, float]) -> Learnt | None:
    """Factors for the terms, from `factors` (1.0 where it has none); None with too few answers of both sorts."""
    held_back, used = answers[::_HELD_BACK], [one for at, one in enumerate(answers) if at % _HELD_BACK]
    if len(answers) < FEWEST or len({one.accepted for one in used}) == 1:
        return None
    gains = np.array([[one.gains.get(term, 0.0) for term in TERMS] for one in used])
    said = np.array([1.0 if one.accepted else 0.0 for one in used])
    start = np.array([factors.get(term, 1.0) for term in TERMS])
    found, shift = start.copy(), -float(np.median(gains @ start)) * _STEEP
    for _ in range(_STEPS):
        miss = 1 / (1 + np.exp(-(_STEEP * gains @ found + shift))) - said
        found -= _RATE * (_STEEP * miss @ gains + _HOLD * (found - start)) / len(used)
        shift -= _RATE * float(miss.mean())
    bounded = np.clip(found, LEAST, MOST)
    new = dict(zip(TERMS, np.round(bounded, 3).tolist(), strict=True))
    pairs = [(yes, no) for yes in held_back if yes.accepted for no in held_back if not no.accepted]
    return Learnt(
        factors=new, answers=len(answers), pairs=len(pairs), old=in_order(pairs, factors), new=in_order(pairs, new)
    )


def in_order(pairs: Sequence[tuple[Answer, Answer]], factors: Mapping[str, float]) -> float:
    """The share of pairs whose accepted match scores higher; a tie is half a pair."""

    def score(one: Answer) -> float:
        return sum(factors.get(term, 1.0) * gain for term, gain in one.gains.items())

    differences = [score(yes) - score(no) for yes, no in pairs]
    return sum(1.0 if d > 0 else 0.5 if d == 0 else 0.0 for d in differences) / len(pairs) if pairs else 0.5
