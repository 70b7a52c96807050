"""Names of ESCO and ROME: as synonyms of what is asked, and as codes of what is called so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import words
from services.matching.tables import skills
from services.matching.views import SkillView

_LONGEST_NAME = 5
_MOST_WORDS = 12
_MOST_FOUND = 12
_MOST_SYNONYMS = 24
_SHORTEST = 3
MOST_CODES = 4

Key = tuple[str, Any]
Thing = Mapping[str, Any] | sa.RowMapping


@dataclass(frozen=True)
class Synonym:
    """A word in a name of the same skill as the word that was asked; `share`: 1 alone, less beside others."""

    asked: str
    word: str
    share: float


async def synonyms(session: AsyncSession, asked: Sequence[str]) -> list[Synonym]:
    """Other words for `asked` (the words of a request, in their order), from names of skills that it says whole."""
    grams = _grams(asked[:_MOST_WORDS])
    if not grams:
        return []
    chosen = sa.select(skills.c.names).where(skills.c.names.overlap(_texts(grams))).limit(_MOST_FOUND)
    found: dict[str, Synonym] = {}
    known = {words.folded(word) for word in asked}
    for names in (await session.execute(chosen)).scalars():
        key = max((name for name in names if name in grams), key=len)
        for name in names:
            said = [word for word in name.split() if len(word) >= _SHORTEST and word not in known]
            for word in said:
                found.setdefault(word, Synonym(grams[key], word, 1 / len(said)))
    return sorted(found.values(), key=lambda one: -one.share)[:_MOST_SYNONYMS]


async def codes(session: AsyncSession, things: Iterable[Thing]) -> dict[Key, list[sa.RowMapping]]:
    """The skills that things are called like by title, category or tag, by (origin, id); empty without a thing."""
    named = {(thing["origin"], thing["id"]): _names(thing) for thing in things}
    every = sorted(set[str]().union(*named.values()))
    if not named:
        return {}
    chosen = sa.select(skills).where(skills.c.names.overlap(_texts(every))).order_by(skills.c.scheme, skills.c.code)
    rows = (await session.execute(chosen.limit(MOST_CODES * len(named) * 2))).mappings().all()
    return {key: [row for row in rows if names & set(row["names"])][:MOST_CODES] for key, names in named.items()}


def views(rows: Sequence[sa.RowMapping]) -> list[SkillView]:
    """Each skill once, in one of its languages: of ROME by the code that people know."""
    found: dict[tuple[str, str], SkillView] = {}
    for row in rows:
        code = row["shown"] if row["scheme"] == "rome" else row["code"]
        found.setdefault((row["scheme"], code), SkillView(scheme=row["scheme"], code=code, label=row["label"]))
    return list(found.values())


def _names(thing: Thing) -> set[str]:
    texts = (thing["title"], thing["category"], *thing["tags"])
    return {name for text in texts if (name := words.called(text))}


def _grams(asked: Sequence[str]) -> dict[str, str]:
    """Every run of up to five words, folded, with its longest word as it was asked."""
    found: dict[str, str] = {}
    for start in range(len(asked)):
        for end in range(start + 1, min(len(asked), start + _LONGEST_NAME) + 1):
            run = asked[start:end]
            found[words.called(" ".join(run))] = max(run, key=len)
    return found


def _texts(names: Iterable[str]) -> sa.ColumnElement[Any]:
    return sa.literal(list(names), ARRAY(sa.Text))
