"""How much texts have to do with a request, by words and meaning, and from where they count."""

FITTING_WORDS = 0.2
"""The share of a need's words, weighed by rarity, from which an offer is about the same thing."""

FITTING_MEANING = 0.2
"""How near (`meaning.similarities`) an offer may be for a need: 19 in 20 that are do, and one in four of the others."""

FITTING_OF_KIND = 0.15
"""The same for an offer of the kind that was ticked."""

FOUND_MEANING = 0.25
"""How near a search finds a thing by meaning: 19 in 20 that are meant, one in seven of the others."""

ALERTING_RELEVANCE = 0.3
"""How relevant a thing is to a saved search to be told of, at the least: of those that are, three in five are right."""

_WORDS_BESIDE_MEANING = 0.2
_WORDS_ALONE, _NO_WORDS = 0.7, 0.1
_UNRELATED = 0.25
"""How near things are that have nothing to do with each other, at the most, as a rule."""


def relevance(coverage: float, meaning: float | None) -> float:
    """How much a text has to do with a request, from about 0 (nothing; a little below: even less) to 1.

    Meaning and words add up (fusing ranks hurts where few words are shared); words alone count in full only where the
    meaning is not known.
    """
    if meaning is None:
        return coverage
    return max(_WORDS_ALONE * coverage - _NO_WORDS, meaning - _UNRELATED + _WORDS_BESIDE_MEANING * coverage)


def is_about(coverage: float, meaning: float | None, *, of_kind: bool = False) -> bool:
    """Whether a text may be about what a request asks for. `of_kind`: it is of the kind that was ticked."""
    enough = FITTING_OF_KIND if of_kind else FITTING_MEANING
    return coverage >= FITTING_WORDS or (meaning is not None and meaning >= enough)
