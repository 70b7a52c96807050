"""Titles and categories that begin as somebody types."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalog import Side
from contracts.identity import Locale
from services.matching import audience, taxonomy, words
from services.matching.tables import lexemes, things
from services.matching.terms import Part, quoted, terms_of
from services.matching.views import CategoryView

MOST = 6
_SHORTEST = 2
_MOST_STEMS = 6
_MOST_LOOKED_AT = 60


async def titles(
    session: AsyncSession, typed: str, *, language: Locale, side: Side | None, member_id: UUID | None, now: datetime
) -> list[str]:
    """Titles with all complete words of `typed` and one that begins like its last; nothing for one letter."""
    typed_words = words.of(typed)
    if not typed_words or len(typed_words[-1]) < _SHORTEST:
        return []
    beginning = words.folded(typed_words[-1])
    pattern = beginning.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    stems = sa.select(lexemes.c.lexeme).where(lexemes.c.lexeme.like(pattern), lexemes.c.lexeme != "")
    frequent = stems.order_by(lexemes.c.documents.desc()).limit(_MOST_STEMS)
    begun = list((await session.execute(frequent)).scalars())
    last = await terms_of(session, Part(text=typed_words[-1], language=language))
    ways = sorted({*begun, *(term.lexeme for term in last.terms)})
    if not ways:
        return []
    query = " | ".join(quoted(way) for way in ways)
    if len(typed_words) > 1:
        before = await terms_of(session, Part(text=" ".join(typed_words[:-1]), language=language))
        query = f"({before.every}) & ({query})" if before.terms else query
    chosen = sa.select(things.c.title).where(
        audience.visible_to(member_id, now), things.c.words.op("@@")(sa.literal(query, sa.Text).cast(TSQUERY))
    )
    if side is not None:
        chosen = chosen.where(things.c.side == side)
    found = (await session.execute(chosen.limit(_MOST_LOOKED_AT))).scalars().all()
    once = {words.folded(words.spaced(title)): title for title in found}
    return sorted(once.values(), key=lambda title: (beginning not in words.folded(title), len(title)))[:MOST]


def categories(typed: str, language: Locale) -> list[CategoryView]:
    """Leaves of the taxonomy in whose name or uses a word begins like this."""
    beginning = words.folded(words.spaced(typed))
    if len(beginning) < _SHORTEST:
        return []
    found = [
        (f" {beginning}" not in f" {words.folded(words.spaced(one.names[language]))}", one.code)
        for one in taxonomy.leaves()
        if any(f" {beginning}" in f" {words.folded(words.spaced(text))}" for text in (one.names[language], *one.uses))
    ]
    return [category(code, language) for _, code in sorted(found)[:MOST]]


def category(code: str, language: Locale) -> CategoryView:
    """A category in the reader's language."""
    one = taxonomy.tree()[code]
    return CategoryView(code=code, name=one.names[language], group=taxonomy.name(one.group, language))
