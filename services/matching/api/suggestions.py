"""What is proposed while somebody types."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from contracts.catalog import Side
from services.chassis.auth import MaybeMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.problems import language_of
from services.matching import asking, taxonomy
from services.matching.queries import suggestions
from services.matching.settings import MatchingSettings
from services.matching.views import CategoryView, SuggestionsView

router = APIRouter()
_FEWEST_LETTERS = 3
_MOST_CATEGORIES = 3


@router.get("/suggestions")
async def suggest(
    *,
    request: Request,
    actor: MaybeMember,
    db: DatabaseDep,
    clock: ClockDep,
    q: Annotated[str, Query(max_length=200)] = "",
    side: Side | None = None,
) -> SuggestionsView:
    """Titles that begin like this, of what the reader may see, and categories by name."""
    language = actor.locale if actor else language_of(request.headers.get("accept-language"))
    member_id = actor.id if actor else None
    async with db.autocommit() as session:
        titles = await suggestions.titles(
            session, q, language=language, side=side, member_id=member_id, now=clock.now()
        )
    return SuggestionsView(titles=titles, categories=suggestions.categories(q, language))


@router.get("/categories")
async def read_categories(
    request: Request, actor: MaybeMember, text: Annotated[str, Query(max_length=2000)] = ""
) -> list[CategoryView]:
    """The tree of categories; with `text`, the few that such an offer or need belongs to, the nearest first."""
    settings: MatchingSettings = request.app.state.settings
    language = actor.locale if actor else language_of(request.headers.get("accept-language"))
    if not text.strip():
        return [suggestions.category(one.code, language) for one in taxonomy.tree().values()]
    vector = (
        await asking.vector_of(text, language) if settings.meaning and len(text.strip()) >= _FEWEST_LETTERS else None
    )
    if vector is None:
        return suggestions.categories(text, language)
    return [suggestions.category(code, language) for code in vector.topics[:_MOST_CATEGORIES]]
