"""How many of the right offers are found: labelled needs, through the very code that answers people."""

import csv
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from contracts.catalog import Audience, ListingState
from deploy.local.folders import CHECKOUT
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.matching import asking, words
from services.matching.commands import index, vocabulary
from services.matching.loops import Encoding
from services.matching.queries.judging import Match
from services.matching.queries.matches import matches_of, need_of
from services.matching.queries.search import Search, search

_KINDS = {
    "machine": "machine",
    "equipement": "equipment",
    "espace": "space",
    "expertise": "expertise",
    "formation": "training",
    "materiaux": "material",
    "benevolat": "help",
}
_TOP = 10
_CROWD = 1000
_SHOWN = 10
_LANGUAGES = ("fr", "nl", "en", "")

_Result = tuple[str, dict[int, int], tuple[Sequence[int], Sequence[int]]]
"""A need's language, its grades, and the grades of what was found: by its text alone, and with its kind."""


@dataclass(frozen=True)
class Labelled:
    """Offers by their number, and needs with the grade of each offer that fits (2 fits, 1 partly)."""

    offers: dict[int, ListingState]
    needs: Sequence[tuple[ListingState, dict[int, int]]]


HELD_BACK = Path(__file__).parent / "held_back"


def labelled() -> Labelled | None:
    """The labelled set beside this tree; None where there is none."""
    places = [above / "shared" / "data" for above in CHECKOUT.parents]
    folder = next((place for place in places if (place / "needs-labelled.csv").exists()), None)
    return None if folder is None else read(folder / "offers-fr.csv", folder / "needs-labelled.csv")


def sets() -> dict[str, Labelled]:
    """All labelled sets by name: the shared one where it is, and those of `held_back`.

    Where the shared one is, its offers are the crowd among which those of the last five are to be found.
    """
    shared = labelled()
    found = {} if shared is None else {"shared": shared}
    for name in ("subjects", "drawn", "trades", "places", "headwords", "signs"):
        found[name] = read(HELD_BACK / name / "offers.csv", HELD_BACK / name / "needs.csv")
    if shared is not None:
        crowd = {number + _CROWD: offer for number, offer in shared.offers.items()}
        for name in ("drawn", "trades", "places", "headwords", "signs"):
            found[name] = replace(found[name], offers=found[name].offers | crowd)
    return found


def read(offers_file: Path, needs_file: Path) -> Labelled:
    """A set from two CSV files: offers (id, title, kind, perhaps language), and needs (need, language, relevant_offers:
    "number:grade" with commas between). Raises OSError, KeyError, ValueError.
    """
    offers = {
        int(row["id"]): _listing("offer", row["kind"], row["title"], language=row.get("language", "fr"))
        for row in _rows(offers_file)
    }
    rows = _rows(needs_file)
    needs: list[tuple[ListingState, dict[int, int]]] = []
    for row in rows:
        grades = {int(number): int(grade) for number, _, grade in (p.partition(":") for p in _parts(row))}
        best = max(grades, key=lambda number: grades[number])
        kind = next(code for code, ours in _KINDS.items() if ours == offers[best].kind)
        needs.append((_listing("need", kind, row["need"], language=row["language"]), grades))
    return Labelled(offers, needs)


def _rows(path: Path) -> Sequence[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _parts(row: dict[str, str]) -> list[str]:
    return [part for part in row["relevant_offers"].split(",") if part]


def _listing(side: str, kind: str, title: str, language: str = "fr") -> ListingState:
    values: dict[str, Any] = {
        **dict.fromkeys(("place", "owner_circle_id", "valid_from", "valid_until", "window_start", "window_end")),
        "id": new_id(),
        "side": side,
        "kind": _KINDS.get(kind, kind),
        "title": title,
        "text": "",
        "category": "",
        "language": language,
        "quantity": 1,
        "unit": "",
        "owner_member_id": new_id(),
        "owner_name": "Ana",
        "audience": Audience(scope="cooperative"),
        "urgency": "normal",
        "version": 1,
        "changed_at": datetime.now(UTC),
    }
    return ListingState.model_validate(values)


Figures = dict[str, tuple[float, float, float, float]]
"""By language ("": all): nDCG@10 and recall@10 of the text alone, then with the kind."""


def print_together(found: dict[str, tuple[Labelled, Figures]]) -> None:
    """One table of all sets, by words and meaning together."""
    print(f"\n{'nDCG@10/recall@10':18}{'needs':>6}", end="")
    print("".join(f"{f'{way}, {language}':>16}" for way in ("text", "kind") for language in ("fr", "nl", "en", "all")))
    for name, (sets_needs, figures) in found.items():
        cells = [figures.get(language, (math.nan,) * 4)[at : at + 2] for at in (0, 2) for language in _LANGUAGES]
        print(
            f"{name:18}{len(sets_needs.needs):6}" + "".join(f"{f'{one:.3f}/{other:.3f}':>16}" for one, other in cells)
        )


async def measure(db: Database, found: Labelled, *, shown: int = _SHOWN) -> Figures:
    """Index it, ask for every need in both ways, and print; the first `shown` needs with their matches.

    Returns the figures of words and meaning together.
    """
    now = datetime.now(UTC)
    for listing in [*found.offers.values(), *(need for need, _ in found.needs)]:
        await db.run(index.keep_own, listing, said_at=now)
    await Encoding(db, seconds=1).encode_all()
    await db.run(vocabulary.count)
    figures = await _print(db, found, "words and meaning", shown=shown, by_meaning=True)
    await _print(db, found, "words alone", shown=0, by_meaning=False)
    await db.close()
    return figures


async def _print(db: Database, found: Labelled, name: str, *, shown: int, by_meaning: bool) -> Figures:
    numbers = {listing.id: number for number, listing in found.offers.items()}
    version = await asking.version() if by_meaning else ""
    print(f"\n{name}: {len(found.needs)} needs over {len(found.offers)} offers")
    print(f"{'':12}{'needs':>6}{'text alone: nDCG@10':>22}{'recall@10':>11}{'with kind: nDCG@10':>22}{'recall@10':>11}")
    results: list[_Result] = []
    for need, grades in found.needs:
        typed = await _typed(db, need, version)
        matches = await _matches(db, need.id, version)
        searched = [grades.get(numbers[thing_id], 0) for thing_id in typed]
        matched = [grades.get(numbers[match.row["id"]], 0) for match in matches[:_TOP]]
        results.append((need.language, grades, (searched, matched)))
        if len(results) <= shown:
            _print_need(need, matches)
    by_language = {language: figures for language in _LANGUAGES if (figures := _means(results, language)) is not None}
    for language, figures in by_language.items():
        some = sum(language in ("", row[0]) for row in results)
        label = language or "all"
        print(f"{label:12}{some:6}{figures[0]:22.3f}{figures[1]:11.3f}{figures[2]:22.3f}{figures[3]:11.3f}", flush=True)
    return by_language


def _means(results: Sequence[_Result], language: str) -> tuple[float, float, float, float] | None:
    """Of the needs in a language ("": of all); None where there are none."""
    some = [row for row in results if language in ("", row[0])]
    if not some:
        return None
    text, kind = (
        [statistics.fmean(figure(found[way], grades) for _, grades, found in some) for figure in (ndcg, recall)]
        for way in (0, 1)
    )
    return text[0], text[1], kind[0], kind[1]


async def _typed(db: Database, need: ListingState, version: str) -> list[UUID]:
    """The need's text, typed into the search."""
    query = words.parsed(need.title)
    vector = await asking.vector_of(query.wanted, need.language) if version else None
    wanted = Search(query=query, language=need.language, vector=vector, version=version, side="offer")
    async with db.reading() as session:
        page = await search(
            session, wanted, member_id=need.owner_member_id, now=datetime.now(UTC), offset=0, limit=_TOP
        )
    return [item.id for item in page.items]


async def _matches(db: Database, need_id: UUID, version: str) -> list[Match]:
    async with db.reading() as session:
        need = await need_of(session, need_id, now=datetime.now(UTC))
        assert need is not None
        return await matches_of(session, need, now=datetime.now(UTC), farthest_km=150, version=version)


def _print_need(need: ListingState, matches: list[Match]) -> None:
    print(f"\n  {need.title} ({need.kind})")
    for match in matches[:5]:
        reasons = "; ".join(f"{term.code}: {term.value}" for term in match.fit.reasons)
        print(f"    {match.fit.score:5.2f}  {match.row['title'][:58]:58}  {reasons}")


def ndcg(found: Sequence[int], grades: dict[int, int]) -> float:
    """How well the grades `found` are ordered, of 10 at the most: 1 is the best order there is."""
    ideal = sorted(grades.values(), reverse=True)[:_TOP]
    return _gain(found[:_TOP]) / _gain(ideal)


def _gain(grades: Sequence[int]) -> float:
    return sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def recall(found: Sequence[int], grades: dict[int, int]) -> float:
    """The share of what fits among the first 10."""
    return sum(grade > 0 for grade in found[:_TOP]) / len(grades)
