"""Searches that a member keeps, and is told of what is new for them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalog import Kind, Side
from contracts.identity import Locale
from services.chassis.auth import CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.matching import asking, words
from services.matching.commands import searches
from services.matching.domain import How
from services.matching.queries import saved
from services.matching.settings import MatchingSettings

router = APIRouter()

_ONE_LINE = r"^[^\x00-\x1f\x7f\u0085\u2028\u2029]*$"
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_ONE_LINE)]


class Around(BaseModel):
    """Where a search looks: degrees (WGS 84), at most `radius_km` away, and how people call the place."""

    label: str = Field(default="", max_length=200)
    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)
    radius_km: float = Field(default=50, gt=0, le=20_100, allow_inf_nan=False)


class SearchForm(BaseModel):
    """A search to keep. `words`: as in a search; None leaves a criterion open. `origin`: "ours" or a peer's id."""

    name: Name
    words: str = Field(default="", max_length=500)
    side: Side | None = "offer"
    kind: Kind | None = None
    origin: str | None = Field(default=None, max_length=200)
    around: Around | None = None
    how: How = "daily"
    paused: bool = False


class SavedSearchView(BaseModel):
    """A search that the reader keeps. `found`: how many things it has found since it was made."""

    id: UUID
    name: str
    words: str
    side: Side | None
    kind: Kind | None
    origin: str | None
    around: Around | None
    how: How
    paused: bool
    found: int
    made_at: datetime


class NameView(BaseModel):
    """What a search is called."""

    name: str


async def _settings(request: Request) -> MatchingSettings:
    settings: MatchingSettings = request.app.state.settings
    return settings


SettingsDep = Annotated[MatchingSettings, Depends(_settings)]
Key = Annotated[str, Query(max_length=100)]


@router.get("/saved-searches")
async def read_saved_searches(actor: CurrentMember, db: DatabaseDep) -> list[SavedSearchView]:
    """The reader's own, the newest first."""
    async with db.reading() as session:
        return await _all(session, actor.id)


@router.post("/saved-searches", status_code=201)
async def save_search(
    form: SearchForm, actor: CurrentMember, db: DatabaseDep, clock: ClockDep, settings: SettingsDep
) -> SavedSearchView:
    """Keep a search. 409 beyond a member's limit."""
    values = await _values(form, actor.locale, by_meaning=settings.meaning)
    async with db.transaction() as session:
        made = await searches.save(session, values, by=actor, now=clock.now(), most=settings.saved_searches)
        return next(one for one in await _all(session, actor.id) if one.id == made)


@router.put("/saved-searches/{search_id}")
async def change_search(  # noqa: PLR0917 - what FastAPI hands in
    search_id: UUID,
    form: SearchForm,
    actor: CurrentMember,
    db: DatabaseDep,
    clock: ClockDep,
    settings: SettingsDep,
) -> SavedSearchView:
    """Change, pause or resume one. With other criteria, or resumed, it looks at what is published from now on."""
    values = await _values(form, actor.locale, by_meaning=settings.meaning)
    async with db.transaction() as session:
        await searches.change(session, search_id, values, paused=form.paused, by=actor, now=clock.now())
        return next(one for one in await _all(session, actor.id) if one.id == search_id)


@router.delete("/saved-searches/{search_id}", status_code=204)
async def remove_search(search_id: UUID, actor: CurrentMember, db: DatabaseDep) -> Response:
    """Keep it no longer."""
    async with db.transaction() as session:
        await searches.remove(session, search_id, by=actor)
    return Response(status_code=204)


@router.get("/saved-searches/{search_id}/stop")
async def read_what_to_stop(search_id: UUID, db: DatabaseDep, key: Key = "") -> NameView:
    """What the link of a mail would stop. Without an account: the key is in the mail."""
    async with db.reading() as session:
        return NameView(name=await searches.name_of(session, search_id, key))


@router.post("/saved-searches/{search_id}/stop")
async def stop_search(search_id: UUID, db: DatabaseDep, key: Key = "") -> NameView:
    """Pause the search whose mail had this link. Without an account: the key is in the mail."""
    async with db.transaction() as session:
        return NameView(name=await searches.stop(session, search_id, key))


@router.get("/me/data")
async def export_my_data(actor: CurrentMember, db: DatabaseDep) -> dict[str, Any]:
    """All that matching keeps of the reader beside their offers and needs, to take along."""
    async with db.reading() as session:
        found = await saved.alerts_of(session, actor.id)
        return {
            "saved_searches": [one.model_dump(mode="json") for one in await _all(session, actor.id)],
            "alerts": [
                {"search_id": row["search_id"], "thing_id": row["thing_id"], "found_at": row["found_at"]}
                for row in found
            ],
        }


async def _all(session: AsyncSession, member_id: UUID) -> list[SavedSearchView]:
    return [_view(dict(row)) for row in await saved.searches_of(session, member_id)]


def _view(row: dict[str, Any]) -> SavedSearchView:
    around = None
    if row["latitude"] is not None:
        names = ("latitude", "longitude", "radius_km")
        around = Around(label=row["place_label"] or "", **{name: row[name] for name in names})
    return SavedSearchView.model_validate(row | {"around": around})


async def _values(form: SearchForm, language: Locale, *, by_meaning: bool) -> dict[str, Any]:
    text = form.words.replace("\0", " ").strip()
    wanted = words.parsed(text).wanted
    vector = await asking.vector_of(wanted, language) if by_meaning and wanted else None
    around = form.around
    return {
        "name": form.name,
        "words": text,
        "language": language,
        "side": form.side,
        "kind": form.kind,
        "origin": form.origin,
        "place_label": around.label if around else None,
        "latitude": around.latitude if around else None,
        "longitude": around.longitude if around else None,
        "radius_km": around.radius_km if around else None,
        "how": form.how,
        "model": await asking.version() if vector is not None else None,
        "vector": vector.packed() if vector is not None else None,
    }
