"""A request as weighted word stems: rare words weigh more, misspelt ones become the nearest known ones."""

import math
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import Locale
from services.matching import words
from services.matching.queries.skills import synonyms

TOTAL = ""
"""In the table of lexemes: how many things there are."""

SIMILAR_ENOUGH = 0.4
SIMILAR_WEIGHT = 0.7
_MOST_WORDS = 40
_MOST_RANKED = 600


@dataclass(frozen=True, kw_only=True)
class Term:
    """One stem of the request. `word`: the word it comes from, as written; `weight`: what a thing with it earns."""

    word: str
    lexeme: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class Terms:
    """All stems of a request. `full`: what a thing earns that has every word in its title.

    `total`: about how many things there are. `rare`: the stems that few of them have. `says_nothing`: there are only
    words without a meaning of their own ("le la les"). `skilled`: names of skills were imported, or it is not known.
    """

    terms: tuple[Term, ...] = ()
    full: float = 1.0
    total: int = 0
    rare: tuple[str, ...] = ()
    says_nothing: bool = False
    skilled: bool = True

    @property
    def are_rare(self) -> bool:
        """Whether so few things have one of the stems that all can be ranked."""
        return bool(self.rare)

    @property
    def query(self) -> str:
        """A tsquery that takes whatever has at least one of the stems; of very common ones, whatever has all words."""
        if self.rare:
            return " | ".join(quoted(lexeme) for lexeme in self.rare)
        return self.every

    @property
    def any(self) -> str:
        """A tsquery that takes whatever has at least one of the stems, however common it is."""
        return " | ".join(sorted({quoted(term.lexeme) for term in self.terms}))

    @property
    def every(self) -> str:
        """A tsquery that takes whatever has all words, in one form or another."""
        ways: dict[str, list[str]] = {}
        for term in self.terms:
            ways.setdefault(term.word, []).append(quoted(term.lexeme))
        return " & ".join(f"({' | '.join(lexemes)})" for lexemes in ways.values())


def quoted(lexeme: str) -> str:
    """A lexeme as an operand of a tsquery."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A piece of a request: `text` in `language`, whose words count `weight` times their rarity."""

    text: str
    language: Locale
    weight: float = 1.0


_STEMS = sa.text(
    """
    WITH asked AS (SELECT word, lower(unaccent(word)) AS plain FROM unnest(CAST(:words AS text[])) AS word),
    stems AS (
        SELECT word, plain, stem, language
          FROM asked,
               LATERAL (VALUES ('fr', 'french_stem'), ('nl', 'dutch_stem'), ('en', 'english_stem'))
                   AS l(language, endings),
               -- PostgreSQL's parser leaves what has a figure in it as it is, and so does the index
               LATERAL ts_lexize(CASE WHEN plain ~ '[0-9]' THEN 'simple' ELSE endings END::regdictionary, plain) AS stem
    )
    SELECT s.word, s.language, s.stem[1] AS lexeme, l.documents,
           (SELECT documents FROM lexemes WHERE lexeme = '') AS total, EXISTS (SELECT FROM skills) AS skilled
      FROM stems s LEFT JOIN lexemes l ON l.lexeme = s.stem[1]
    """
)
_SIMILAR = sa.text(
    """
    SELECT word, n.lexeme, n.documents, n.similarity
      FROM unnest(CAST(:words AS text[])) AS word,
           LATERAL (
               SELECT lexeme, documents, similarity(lexeme, lower(unaccent(word))) AS similarity
                 FROM lexemes WHERE lexeme % lower(unaccent(word)) AND lexeme <> ''
                ORDER BY similarity DESC LIMIT 3
           ) AS n
     WHERE n.similarity >= :enough
    """
)


_SMALLEST = 100


def rarity(documents: int, total: int) -> float:
    """The weight of a word that `documents` of `total` things have (the idf of BM25, never negative).

    A new cooperative counts as having `_SMALLEST` things: among three, the one word that fits would seem common.
    """
    return math.log(1 + (max(total, documents, _SMALLEST) - documents + 0.5) / (documents + 0.5))


async def terms_of(session: AsyncSession, *parts: Part) -> Terms:
    """The stems of `parts`; a word that comes twice counts with its heavier part."""
    weights: dict[str, float] = {}
    languages: dict[str, Locale] = {}
    for part in parts:
        for word in words.meaningful(part.text, part.language) if part.text else []:
            if part.weight > weights.get(word, 0):
                weights[word], languages[word] = part.weight, part.language
    chosen = dict(list(weights.items())[:_MOST_WORDS])
    if not chosen:
        return Terms()
    rows = (await session.execute(_STEMS, {"words": list(chosen)})).mappings().all()
    own = [row for row in rows if row["language"] == languages[row["word"]]]
    stop_words = {row["word"] for row in own if row["lexeme"] is None}
    if stop_words < set(chosen):
        rows = [row for row in rows if row["word"] not in stop_words]
    known = [row for row in rows if row["lexeme"] is not None]
    lost = {row["word"] for row in known} - {row["word"] for row in known if row["documents"]}
    skilled = any(row["skilled"] for row in rows)
    similar = [*await _similar(session, lost), *(await _synonyms(session, list(chosen)) if skilled else [])]
    found = replace(_weighed(known, similar, chosen), skilled=skilled)
    return replace(found, says_nothing=all(word in stop_words or words.folded(word) in words.SMALL for word in chosen))


async def _similar(session: AsyncSession, lost: set[str]) -> list[dict[str, Any]]:
    """Known stems that look like words that nothing has: typing errors, other endings."""
    asked = [word for word in lost if len(word) > 3]  # noqa: PLR2004 - shorter words look like anything
    if not asked:
        return []
    found = await session.execute(_SIMILAR, {"words": asked, "enough": SIMILAR_ENOUGH})
    return [dict(row) for row in found.mappings()]


async def _synonyms(session: AsyncSession, asked: list[str]) -> list[dict[str, Any]]:
    """Known stems of other names of the skills that are asked for, as alternatives to the words asked."""
    found = {one.word: one for one in await synonyms(session, asked)}
    if not found:
        return []
    rows = (await session.execute(_STEMS, {"words": list(found)})).mappings().all()
    known = {(row["word"], row["lexeme"]): row["documents"] for row in rows if row["documents"]}
    return [
        {"word": found[word].asked, "lexeme": lexeme, "documents": documents, "similarity": found[word].share}
        for (word, lexeme), documents in known.items()
    ]


def _weighed(known: list[Any], similar: list[dict[str, Any]], weights: dict[str, float]) -> Terms:
    total = max((row["total"] or 1 for row in known), default=1)
    best: dict[tuple[str, str], float] = {}
    whole: dict[str, float] = {}
    for row in known:
        weight = rarity(row["documents"] or 0, total) * weights[row["word"]]
        best[row["word"], row["lexeme"]] = weight
        if row["documents"] or row["word"] not in whole:
            whole[row["word"]] = min(weight, whole.get(row["word"], weight))
    for row in similar:
        weight = rarity(row["documents"], total) * row["similarity"] * SIMILAR_WEIGHT * weights[row["word"]]
        best.setdefault((row["word"], row["lexeme"]), weight)
    found = tuple(Term(word=word, lexeme=lexeme, weight=weight) for (word, lexeme), weight in best.items())
    documents = {row["lexeme"]: row["documents"] or 0 for row in [*similar, *known]}
    return Terms(terms=found, full=sum(whole.values()) or 1.0, total=total, rare=_rare(documents))


def _rare(documents: dict[str, int]) -> tuple[str, ...]:
    """The rarest stems, as many as `_MOST_RANKED` things can have among them; none when even the rarest is common."""
    rising = sorted(documents.items(), key=lambda pair: pair[1])
    upto = accumulate(count for _, count in rising)
    return tuple(lexeme for (lexeme, _), things in zip(rising, upto, strict=True) if things <= _MOST_RANKED)
