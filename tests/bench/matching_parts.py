"""What each part of meaning is worth, on the shared labelled needs and on those that are held back.

In memory, without the database: titles alone, ranked by cosine, in the last line less what a crowd takes away.
"""

import statistics
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from unittest.mock import patch

import numpy as np

from services.matching import meaning
from services.matching.meaning import Meaning, similarities
from tests.bench.matching_quality import Labelled, ndcg, recall

_ALL = "and both, less crowds"

VARIANTS: Mapping[str, Mapping[str, float]] = {
    "the model without its mean": {"_PULL": 0.0, "_PULL_OF_NOUNS": 0.0},
    "and WordNet's nouns": {"_PULL": 0.0},
    "and the taxonomy": {"_PULL_OF_NOUNS": 0.0},
    "and both": {},
    _ALL: {},
}


def print_parts(loaded: Meaning, sets: Mapping[str, Labelled]) -> None:
    """A line for each part and set: nDCG@10 and recall@10 by the language of the need."""
    for name, found in sets.items():
        print(
            f"\n{name}: {len(found.needs)} needs over {len(found.offers)} offers, nDCG@10 / recall@10 by titles alone"
        )
        print(f"{'':28}" + "".join(f"{language:>15}" for language in ("fr", "nl", "en", "all")))
        for variant, changed in VARIANTS.items():
            with ExitStack() as stack:
                for part, value in changed.items():
                    stack.enter_context(patch.object(meaning, part, value))
                figures = _figures(loaded, found, crowds=variant == _ALL)
            print(f"{variant:28}" + "".join(f"{one:9.3f} /{other:4.2f}" for one, other in figures))


def _figures(loaded: Meaning, found: Labelled, *, crowds: bool) -> list[tuple[float, float]]:
    numbers = list(found.offers)
    offers = [loaded.of([offer.title])[0] for offer in found.offers.values()]
    packed = [(one if crowds else replace(one, crowd=0.0)).packed() for one in offers]
    ranked: list[tuple[str, list[int], dict[int, int]]] = []
    for need, grades in found.needs:
        near = similarities(loaded.of([need.title], [need.language])[0], packed)
        best = np.argsort([-(one or 0.0) for one in near], kind="stable")[:10]
        ranked.append((need.language, [grades.get(numbers[place], 0) for place in best], grades))
    return [
        (
            statistics.fmean(ndcg(grades, wanted) for spoken, grades, wanted in ranked if language in ("", spoken)),
            statistics.fmean(recall(grades, wanted) for spoken, grades, wanted in ranked if language in ("", spoken)),
        )
        for language in ("fr", "nl", "en", "")
    ]
