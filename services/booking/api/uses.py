"""The accounts: who used what of whom; line by line, as a file, and in sums."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from contracts.booking import Party, UsedValue
from services.booking import queries, use_csv
from services.booking.api.texts import Instant
from services.booking.domain.deciding import Person
from services.booking.queries import accounts
from services.booking.settings import BookingSettings
from services.chassis import paging
from services.chassis.auth import CurrentMember
from services.chassis.database import Database, DatabaseDep
from services.chassis.paging import Limit, Page
from services.chassis.problems import FieldError, InvalidFields, Language, NotAllowed, Text, language_of

router = APIRouter(tags=["uses"])

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
EXPORT_PAGE = 500
MOST_MEMBERS = 500
_ENDS_FIRST = Text(
    fr="La fin de la période doit venir après son début.",
    en="The end of the period must come after its start.",
    nl="Het einde van de periode moet na het begin komen.",
)


class PeriodQuery(BaseModel):
    """Uses that ended in `[from, until)`; without bounds, from the first to the last. `mine`: my own only."""

    model_config = ConfigDict(extra="forbid")

    from_: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None
    mine: bool = False

    def wanted(self, person: Person, **more: Any) -> accounts.Wanted:
        """What `person` may look for: everything as coordinator, else their own. Raises InvalidFields."""
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise InvalidFields(FieldError("until", "ends_before_start", _ENDS_FIRST))
        everything = person.is_coordinator and not self.mine
        member_id = None if everything else person.id
        return accounts.Wanted(since=self.from_, until=self.until, member_id=member_id, **more)


class UsesQuery(PeriodQuery):
    """And with which linked cooperative (its instance id)."""

    peer: str | None = Field(default=None, max_length=200, min_length=1)


class UsePageQuery(UsesQuery):
    """And which page."""

    cursor: str | None = Field(default=None, max_length=500)
    limit: Limit = 50


class UseView(BaseModel):
    """A line. `given`, `received`: whether the person who asks gave or received it. Times are the real ones."""

    booking_id: UUID
    kind: Literal["use", "no_show"]
    offer_id: UUID
    offer_title: str
    borrower: Party
    owner: Party
    circle_id: UUID | None
    circle_name: str | None
    start: datetime
    end: datetime
    minutes: int
    quantity: int
    value: UsedValue | None
    given: bool
    received: bool


class SumView(BaseModel):
    """`minutes`: how long it was used; `time_minutes`: what was given one for one; `euros`: a decimal number."""

    uses: int
    no_shows: int
    minutes: int
    euros: Decimal
    time_minutes: int


class BothView(BaseModel):
    """What was given to, and received from, one cooperative; or by one member."""

    id: str
    name: str
    given: SumView
    received: SumView


class BalanceView(BaseModel):
    """`peers` and `within` (our members among themselves) are for coordinators; others see their own hours only.

    `more_members`: how many more there are than `members` shows (those with most hours).
    """

    peers: list[BothView]
    within: SumView | None
    members: list[BothView]
    more_members: int


@router.get("/uses")
async def list_uses(actor: CurrentMember, db: DatabaseDep, query: Annotated[UsePageQuery, Query()]) -> Page[UseView]:
    """Uses, the last first: all for coordinators, what they gave and received for members."""
    async with db.reading() as session:
        person = await queries.person_of(session, actor)
        wanted = query.wanted(person, peer_id=query.peer)
        after = _position(query.cursor) if query.cursor is not None else None
        rows = await accounts.lines(session, wanted, after=after, limit=query.limit + 1)
    shown = rows[: query.limit]
    last = shown[-1] if len(rows) > query.limit else None
    following = paging.encode(last.ended_at.isoformat(), str(last.booking_id)) if last else None
    return Page(items=[_view(row, person) for row in shown], next=following)


@router.get("/uses.csv", response_class=StreamingResponse)
async def export_uses(
    request: Request, actor: CurrentMember, db: DatabaseDep, query: Annotated[UsesQuery, Query()]
) -> StreamingResponse:
    """Uses of a period, with one cooperative or all, for spreadsheets (coordinators)."""
    if not actor.is_coordinator:
        raise NotAllowed
    async with db.reading() as session:
        person = await queries.person_of(session, actor)
    settings: BookingSettings = request.app.state.settings
    language = language_of(request.headers.get("accept-language"), settings.locale)
    lines = pieces(db, query.wanted(person, peer_id=query.peer), language, ZoneInfo(settings.time_zone))
    name = {"Content-Disposition": 'attachment; filename="uses.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=name)


@router.get("/balance")
async def balance(actor: CurrentMember, db: DatabaseDep, query: Annotated[PeriodQuery, Query()]) -> BalanceView:
    """What was given and received: with each cooperative and by each member, or one's own."""
    async with db.reading() as session:
        person = await queries.person_of(session, actor)
        wanted = query.wanted(person)
        if wanted.member_id is not None:
            mine = await accounts.by_member(session, wanted)
            return BalanceView(peers=[], within=None, members=[_both(one) for one in mine], more_members=0)
        members = await accounts.by_member(session, wanted)
        return BalanceView(
            peers=[_both(one) for one in await accounts.by_peer(session, wanted)],
            within=_sum(await accounts.within(session, wanted)),
            members=[_both(one) for one in members[:MOST_MEMBERS]],
            more_members=max(0, len(members) - MOST_MEMBERS),
        )


async def pieces(db: Database, wanted: accounts.Wanted, language: Language, zone: ZoneInfo) -> AsyncIterator[str]:
    """The file, a page of lines at a time, the first first: between pages a slow reader holds no connection."""
    yield use_csv.header(language)
    after: accounts.Position | None = None
    while True:
        async with db.reading() as session:
            rows = await accounts.lines(session, wanted, after=after, limit=EXPORT_PAGE, newest_first=False)
        if rows:
            yield "".join(use_csv.line(row, language, zone) for row in rows)
        if len(rows) < EXPORT_PAGE:
            return
        after = (rows[-1].ended_at, rows[-1].booking_id)


def _view(row: sa.Row[Any], person: Person) -> UseView:
    value = None if row.value is None else UsedValue(amount=_amount(row.value, row.unit), unit=row.unit)
    return UseView(
        booking_id=row.booking_id,
        kind=row.kind,
        offer_id=row.offer_id,
        offer_title=row.offer_title,
        borrower=Party(
            member_id=row.borrower_member_id,
            name=row.borrower_name,
            peer_id=row.borrower_peer_id,
            peer_name=row.borrower_peer_name,
            pseudonym=row.borrower_pseudonym,
        ),
        owner=Party(
            member_id=row.owner_member_id,
            name=row.owner_name,
            peer_id=row.owner_peer_id,
            peer_name=row.owner_peer_name,
        ),
        circle_id=row.circle_id,
        circle_name=row.circle_name,
        start=row.started_at,
        end=row.ended_at,
        minutes=row.minutes,
        quantity=row.quantity,
        value=value,
        given=row.owner_member_id == person.id and row.owner_peer_id is None,
        received=row.borrower_member_id == person.id,
    )


def _amount(value: Decimal, unit: str) -> str:
    return str(value) if unit == "EUR" else str(int(value))


def _both(both: accounts.Both) -> BothView:
    return BothView(id=str(both.id), name=both.name, given=_sum(both.given), received=_sum(both.received))


def _sum(found: accounts.Sum) -> SumView:
    return SumView(**asdict(found))


def _position(cursor: str) -> accounts.Position:
    """Where a page ended. Raises InvalidFields for a cursor that is not ours."""
    ended_at, booking_id = paging.decode(cursor, 2)
    try:
        return _INSTANT.validate_python(str(ended_at)), UUID(str(booking_id))
    except ValueError:
        paging.decode("not ours", 2)
        raise
