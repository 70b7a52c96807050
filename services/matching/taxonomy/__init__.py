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


@cache
def tree() -> dict[str, Category]:
    """All categories by code: each group before its leaves."""
    with (FOLDER / "categories.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["code"]: _category(row) for row in rows}


@cache
def leaves() -> tuple[Category, ...]:
    """The categories that things are put into, in the file's order."""
    return tuple(one for one in tree().values() if one.uses)


def name(code: str, language: Locale) -> str:
    """The name of a category; a code that is not in the tree names itself."""
    found = tree().get(code)
    return found.names[language] if found else code


def _category(row: dict[str, str]) -> Category:
    uses = tuple(text for text in (row["uses_fr"], row["uses_en"]) if text)
    return Category(code=row["code"], names={"fr": row["fr"], "nl": row["nl"], "en": row["en"]}, uses=uses)
