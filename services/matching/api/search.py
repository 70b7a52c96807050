"""Search."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from contracts.catalog import Kind, Side
from contracts.identity import Locale
from services.chassis import paging
from services.chassis.auth import MaybeMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.problems import FieldError, InvalidFields, Text, language_of
from services.matching import asking, words
from services.matching.domain import Point
from services.matching.free_time import Interval
from services.matching.queries.search import MOST_RESULTS, Search, Sort, search
from services.matching.settings import MatchingSettings
from services.matching.views import SearchPage

router = APIRouter()

_FARTHEST_YEAR = 9990
NOT_A_POINT = Text(
    fr="Indiquez latitude et longitude, par exemple 50.63,3.06.",
    en="Give latitude and longitude, for example 50.63,3.06.",
    nl="Geef breedte- en lengtegraad, bijvoorbeeld 50.63,3.06.",
)
NOT_A_PERIOD = Text(
    fr="La fin doit venir après le début.",
    en="The end must come after the start.",
    nl="Het einde moet na het begin komen.",
)
NEAR_WHAT = Text(
    fr="Indiquez aussi le lieu autour duquel chercher.",
    en="Give the place to search around, too.",
    nl="Geef ook de plaats waarrond u zoekt.",
)


class Asked(BaseModel):
    """The parameters of a search.

    `q`: as in a web search, with "words that belong together" and -without; every other word is optional. `near`:
    "latitude,longitude" in degrees; `from` and `to`: free in between; `origin`: "ours" or a peer's id; `topic`: a code
    of the categories; `tag`: a word that authors added; `spoken`: the language of the text.
    """

    q: str = Field(default="", max_length=10_000)
    side: Side | None = None
    kind: Kind | None = None
    category: str | None = Field(default=None, max_length=200)
    topic: str | None = Field(default=None, max_length=60)
    tag: str | None = Field(default=None, max_length=60)
    origin: str | None = Field(default=None, max_length=200)
    spoken: Locale | None = None
    near: str | None = Field(default=None, max_length=60)
    radius_km: float | None = Field(default=None, gt=0, le=20_100, allow_inf_nan=False)
    start: AwareDatetime | None = Field(default=None, alias="from")
    end: AwareDatetime | None = Field(default=None, alias="to")
    sort: Sort = "relevance"
    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=20, ge=1, le=200)


@router.get("/search")
async def search_things(
    asked: Annotated[Asked, Query()], request: Request, actor: MaybeMember, db: DatabaseDep, clock: ClockDep
) -> SearchPage:
    """Offers and needs that the reader may see, by words, meaning, kind, category, distance and free time."""
    settings: MatchingSettings = request.app.state.settings
    language = actor.locale if actor else language_of(request.headers.get("accept-language"))
    wanted = await _wanted(asked, language, clock.now(), settings)
    offset = _offset(asked.cursor)
    async with db.asking() as session:  # a few statements, each of which applies the filters
        return await search(
            session,
            wanted,
            member_id=actor.id if actor else None,
            now=clock.now(),
            offset=offset,
            limit=asked.limit,
        )


async def _wanted(asked: Asked, language: Locale, now: datetime, settings: MatchingSettings) -> Search:
    point = _point(asked.near)
    if asked.radius_km is not None and point is None:
        raise InvalidFields(FieldError("near", "missing", NEAR_WHAT))
    query = words.parsed(asked.q)
    window = _window(asked.start, asked.end, now)
    return Search(
        query=query,
        language=language,
        vector=await asking.vector_of(query.wanted, language) if settings.meaning else None,
        version=await asking.version() if settings.meaning else "",
        side=asked.side,
        kind=asked.kind,
        category=_plain(asked.category),
        topic=_plain(asked.topic),
        tag=_plain(asked.tag),
        origin=_plain(asked.origin),
        spoken=asked.spoken,
        near=point,
        radius_km=asked.radius_km,
        window=window,
        zone=settings.time_zone,
        sort=asked.sort,
    )


def _plain(value: str | None) -> str | None:
    return value.replace("\0", "").strip() or None if value else None


def _point(near: str | None) -> Point | None:
    if not near or not near.strip():
        return None
    try:
        latitude, longitude = (float(part) for part in near.split(","))
    except ValueError as error:
        raise InvalidFields(FieldError("near", "not_a_point", NOT_A_POINT)) from error
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 - degrees
        raise InvalidFields(FieldError("near", "not_a_point", NOT_A_POINT))
    return Point(latitude=latitude, longitude=longitude)


def _window(start: datetime | None, end: datetime | None, now: datetime) -> Interval | None:
    """The period asked for; from now on, or for a year, where one side is open."""
    if start is None and end is None:
        return None
    begin = start or now
    if begin.year > _FARTHEST_YEAR or (end is not None and end <= begin):
        raise InvalidFields(FieldError("to", "not_a_period", NOT_A_PERIOD))
    return begin, end or begin.replace(year=begin.year + 1, day=1)


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    (value,) = paging.decode(cursor, 1)
    if not isinstance(value, int) or not 0 <= value <= MOST_RESULTS:
        paging.decode("", 1)
    return value
