"""A compact tree of categories in three languages, for kinds of resource and for skills.

`categories.csv`: a row for each, its code ("build.digging" stands below "build"), its names, and for leaves what people
do with such things, in French and English, as they would say it. It names things, and it teaches the model what goes
together: see `services.matching.meaning`.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contracts.identity import Locale

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Category:
    """One category. `uses` is empty for groups."""

    code: str
    names: dict[Locale, str]
    uses: tuple[str, ...]

    @property
    def group(self) -> str:
        """The code of the group that it belongs to (its own for a group)."""
        return self.code.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Concept:
    """Things or a trade with what they are asked for, by language; `code` of the leaf that they belong to."""

    code: str
    texts: dict[Locale, str]


@cache
def tree() -> dict[str, Category]:
    """All categories by code: each group before its leaves."""
    return {row["code"]: _category(row) for row in _rows("categories.csv")}


@cache
def leaves() -> tuple[Category, ...]:
    """The categories that things are put into, in the file's order."""
    return tuple(one for one in tree().values() if one.uses)


@cache
def concepts() -> tuple[Concept, ...]:
    """All concepts, in the file's order."""
    rows = _rows("concepts.csv")
    return tuple(Concept(code=row["code"], texts={"fr": row["fr"], "nl": row["nl"], "en": row["en"]}) for row in rows)


def name(code: str, language: Locale) -> str:
    """The name of a category; a code that is not in the tree names itself."""
    found = tree().get(code)
    return found.names[language] if found else code


def _rows(file_name: str) -> list[dict[str, str]]:
    with (FOLDER / file_name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _category(row: dict[str, str]) -> Category:
    uses = tuple(text for text in (row["uses_fr"], row["uses_en"]) if text)
    return Category(code=row["code"], names={"fr": row["fr"], "nl": row["nl"], "en": row["en"]}, uses=uses)
