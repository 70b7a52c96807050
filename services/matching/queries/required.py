"""What must be said in so many words (a phrase, a tag, a category): where few things say it, all are compared.

Among very many things a tag or a category is looked up here only beside something else (`labelled.py`).

Other filters stand in the indexes of places, dates and vectors; these are found by the index of words.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching import ranking, words
from services.matching.queries.filters import Filters
from services.matching.tables import things

_FEW = 2_000


@dataclass(frozen=True, kw_only=True)
class Required:
    """The rarest text that must be there, and about how many things have it (more, never much fewer)."""

    text: str
    things: int
    total: int

    @property
    def is_rare(self) -> bool:
        """Whether all that have it can be compared."""
        return self.things <= _FEW


_RAREST = sa.text(
    """
    WITH counted AS (
        SELECT asked.text, languages.name,
               (SELECT min(coalesce(l.documents, 0))
                  FROM unnest(tsvector_to_array(to_tsvector(languages.name::regconfig, asked.text))) AS stem
                       LEFT JOIN lexemes l ON l.lexeme = stem) AS documents
          FROM unnest(CAST(:texts AS text[])) AS asked(text), unnest(CAST(:languages AS text[])) AS languages(name)
    )
    SELECT text, max(documents) AS things, (SELECT documents FROM lexemes WHERE lexeme = '') AS total
      FROM counted GROUP BY text HAVING count(documents) = count(*) ORDER BY things LIMIT 1
    """
)
"""A text of small words alone in some language stands in no index of it, and is left out."""


async def rarest(session: AsyncSession, filters: Filters) -> Required | None:
    """The one by which things are found best; None where nothing is required."""
    asked = [*filters.query.phrases, filters.tag, filters.category]
    texts = [spaced for text in asked if text and (spaced := words.spaced(text))]
    if not texts:
        return None
    languages = [name for name, _ in words.CONFIGURATIONS.values()]
    row = (await session.execute(_RAREST, {"texts": texts, "languages": languages})).one_or_none()
    return None if row is None else Required(text=row.text, things=row.things, total=row.total or 0)


def places() -> sa.Select[Any]:
    """Where the things lie that say what is required, found by the index of words."""
    said = sa.select(ranking.PLACE.label("place")).where(ranking.says(sa.bindparam("required", type_=sa.Text)))
    return said.select_from(things).offset(sa.literal_column("0"))


def values(found: Required | None) -> dict[str, Any]:
    """What `places` is to be given."""
    return {} if found is None else {"required": found.text}
