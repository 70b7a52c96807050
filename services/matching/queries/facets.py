"""How many of the results there are of each kind, category, cooperative, language and distance."""

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from contracts.identity import Locale
from services.matching import taxonomy, words
from services.matching.queries.candidates import Candidate
from services.matching.tables import OURS
from services.matching.views import FacetView

_MOST = 8
_KM = (5, 10, 25, 50, 100)
_FEWEST = 2
"""A choice of one is none."""


def of(found: Sequence[tuple[Candidate, float | None]], language: Locale) -> dict[str, list[FacetView]]:
    """Choices that narrow the results, the most frequent first. `found`: with the km of each, where known."""
    rows = [one.row for one, _ in found]
    names = {row["origin"]: row["origin_name"] or row["origin"] for row in rows if row["origin"] != OURS}
    counted = {
        "side": _views(Counter(row["side"] for row in rows)),
        "kind": _views(Counter(row["kind"] for row in rows)),
        "topic": [
            FacetView(value=code, label=taxonomy.name(code, language), count=count)
            for code, count in Counter(row["topics"][0] for row in rows if row["topics"]).most_common(_MOST)
        ],
        "tag": _tags(rows),
        "origin": [
            FacetView(value="ours" if origin == OURS else origin, label=names.get(origin, ""), count=count)
            for origin, count in Counter(row["origin"] for row in rows).most_common(_MOST)
        ],
        "spoken": _views(Counter(row["language"] for row in rows)),
    }
    near = [FacetView(value=str(km), label="", count=_within(found, km)) for km in _KM]
    near = [view for view in near if 0 < view.count < len(found)]
    return {name: views for name, views in counted.items() if len(views) >= _FEWEST} | ({"km": near} if near else {})


def _tags(rows: Sequence[sa.RowMapping]) -> list[FacetView]:
    """Tags as they are written most often, whatever their case and accents."""
    written = Counter(tag for row in rows for tag in row["tags"])
    counted = Counter(tag for row in rows for tag in {words.folded(tag) for tag in row["tags"]})
    spelt: dict[str, str] = {}
    for tag, _ in written.most_common():
        spelt.setdefault(words.folded(tag), tag)
    return [FacetView(value=spelt[tag], label=spelt[tag], count=count) for tag, count in counted.most_common(_MOST)]


def _views(counter: Counter[str]) -> list[FacetView]:
    return [FacetView(value=value, label="", count=count) for value, count in counter.most_common(_MOST)]


def _within(found: Sequence[tuple[Candidate, float | None]], km: int) -> int:
    return sum(far is not None and far <= km for _, far in found)
