"""How sure what authors are told without asking is, and how much of what fits is shown at all.

In memory, by titles and kinds alone: nothing is near, free or rested. An offer that no label names counts as wrong,
though some would do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.catalog import ListingState
from services.matching.commands.proposing import MOST_AT_ONCE
from services.matching.domain import Fit, Need, Offer, fit
from services.matching.meaning import Meaning, similarities
from services.matching.telling import worth_telling
from tests.bench.matching_quality import Labelled


@dataclass(frozen=True)
class Judged:
    """An offer that may fit a need, and whether its label says so."""

    fit: Fit
    right: bool


def print_telling(loaded: Meaning, sets: Mapping[str, Labelled]) -> None:
    """A line for each set and language of needs."""
    heads = (("told a need", 22), ("right", 8), ("needs told a right one", 24), ("told nothing", 14))
    print(
        "\n" + "".join(f"{head:>{width}}" for head, width in heads) + f"{'shown of what fits':>20}{'of the rest':>13}"
    )
    for name, found in sets.items():
        needs = _judged(loaded, found)
        for language in ("fr", "nl", "en", ""):
            some = [
                (one, grades)
                for one, (need, grades) in zip(needs, found.needs, strict=True)
                if language in ("", need.language)
            ]
            _print_line(name if not language else f"  {language}", some, len(found.offers))


def _print_line(name: str, needs: Sequence[tuple[list[Judged], dict[int, int]]], offers: int) -> None:
    if not needs:
        return
    told = [_told(some) for some, _ in needs]
    every = [right for some in told for right in some]
    shown = [one.right for some, _ in needs for one in some]
    fitting = sum(len(grades) for _, grades in needs)
    others = len(needs) * offers - fitting
    figures = (
        f"{len(every) / len(told):12.2f}{sum(every) / max(1, len(every)):8.2f}",
        f"{sum(any(some) for some in told) / len(told):24.2f}{sum(not some for some in told) / len(told):14.2f}",
        f"{sum(shown) / fitting:16.2f}{(len(shown) - sum(shown)) / others:13.2f}",
    )
    print(f"{name:10}" + "".join(figures), flush=True)


def _told(some: list[Judged]) -> list[bool]:
    """Whether what the author is told of is right."""
    worth = worth_telling([one.fit for one in some])
    return [one.right for one, told in zip(some, worth, strict=True) if told][:MOST_AT_ONCE]


def _judged(loaded: Meaning, found: Labelled) -> list[list[Judged]]:
    """For each need what may fit, the best first."""
    offers = [one.packed() for one in loaded.of([offer.title for offer in found.offers.values()])]
    now = datetime.now(UTC)
    judged: list[list[Judged]] = []
    for wanted, grades in found.needs:
        near = similarities(loaded.of([wanted.title], [wanted.language])[0], offers)
        some = [
            Judged(judgement, number in grades)
            for (number, offer), one in zip(found.offers.items(), near, strict=True)
            if (judgement := _fit(wanted, offer, one or 0.0, now)) is not None
        ]
        judged.append(sorted(some, key=lambda one: -one.fit.score))
    return judged


def _fit(wanted: ListingState, offer: ListingState, meaning: float, now: datetime) -> Fit | None:
    need = Need(kind=wanted.kind, category="", quantity=1, point=None, window=None)
    other = Offer(kind=offer.kind, category="", quantity=1, point=None, coverage=0.0, shared=(), meaning=meaning)
    return fit(need, other, now=now, farthest_km=150)
