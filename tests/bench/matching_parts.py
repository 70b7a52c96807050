"""What each part of meaning is worth, on the shared labelled needs and on those that are held back.

In memory, without the database: titles alone, ranked by cosine.
"""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np

from services.matching import meaning
from services.matching.meaning import Meaning
from services.matching.model import Floats
from tests.bench.matching_quality import Labelled, ndcg, recall

VARIANTS: Mapping[str, Mapping[str, float]] = {
    "the model without its mean": {"_PULL": 0.0, "_PULL_OF_NOUNS": 0.0},
    "and WordNet's nouns": {"_PULL": 0.0},
    "and the taxonomy": {"_PULL_OF_NOUNS": 0.0},
    "and both": {},
}


def print_parts(loaded: Meaning, sets: Mapping[str, Labelled]) -> None:
    """A line for each part and set: nDCG@10 and recall@10 by the language of the need."""
    for name, found in sets.items():
        print(
            f"\n{name}: {len(found.needs)} needs over {len(found.offers)} offers, nDCG@10 / recall@10 by cosine alone"
        )
        print(f"{'':28}" + "".join(f"{language:>15}" for language in ("fr", "nl", "en", "all")))
        for variant, changed in VARIANTS.items():
            with ExitStack() as stack:
                for part, value in changed.items():
                    stack.enter_context(patch.object(meaning, part, value))
                figures = _figures(loaded, found)
            print(f"{variant:28}" + "".join(f"{one:9.3f} /{other:4.2f}" for one, other in figures))


def _figures(loaded: Meaning, found: Labelled) -> list[tuple[float, float]]:
    numbers = list(found.offers)
    offers = _vectors(loaded, [offer.title for offer in found.offers.values()])
    nearest = np.argsort(-(_vectors(loaded, [need.title for need, _ in found.needs]) @ offers.T), axis=1)
    ranked = [
        (need.language, [grades.get(numbers[place], 0) for place in nearest[row]][:10], grades)
        for row, (need, grades) in enumerate(found.needs)
    ]
    return [
        (
            statistics.fmean(ndcg(grades, wanted) for spoken, grades, wanted in ranked if language in ("", spoken)),
            statistics.fmean(recall(grades, wanted) for spoken, grades, wanted in ranked if language in ("", spoken)),
        )
        for language in ("fr", "nl", "en", "")
    ]


def _vectors(loaded: Meaning, texts: Sequence[str]) -> Floats:
    return np.vstack([loaded.of([text])[0].values for text in texts])
