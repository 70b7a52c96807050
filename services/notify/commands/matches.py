"""What members are told of their matches, and of what their saved searches have found."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.matching import FoundThing, MatchesProposed, NeedUnanswered, OutcomeAsked, SearchesFound
from services.notify.commands.telling import tell
from services.notify.domain import About, Message, Told, Weight


async def matches_proposed(session: AsyncSession, event: MatchesProposed, *, now: datetime) -> None:
    """Tell the need's author which offers may answer it, and why."""
    if not event.proposals:
        return
    message = Message(
        template="matches-proposed",
        weight=Weight.NEWS,
        about=About(type="need", id=str(event.need_id)),
        url=f"/needs/{event.need_id}",
        facts={
            "need": event.need_title,
            "proposals": [proposal.model_dump(mode="json") for proposal in event.proposals],
        },
    )
    await tell(session, Told(message=message, readers=frozenset({event.need_owner_id})), now=now)


async def searches_found(session: AsyncSession, event: SearchesFound, *, now: datetime) -> None:
    """Tell the member what is new, search by search."""
    if not event.searches:
        return
    only = event.searches[0] if len(event.searches) == 1 else None
    message = Message(
        template="searches-found",
        weight=Weight.NEWS,
        about=About(type="searches", id=str(only.search_id) if only else str(event.member_id)),
        url=f"/searches/{only.search_id}" if only else "/searches",
        facts={
            "how": event.how,
            "total": sum(one.total for one in event.searches),
            "searches": [
                one.model_dump(mode="json", include={"name", "total"})
                | {"found": [_thing(thing) for thing in one.found], "stop": f"/searches/{one.search_id}/stop/{one.key}"}
                for one in event.searches
            ],
        },
    )
    await tell(session, Told(message=message, readers=frozenset({event.member_id})), now=now)


async def outcome_asked(session: AsyncSession, event: OutcomeAsked, *, now: datetime) -> None:
    """Ask the need's author whether an accepted match worked out; each answer is a link."""
    message = Message(
        template="outcome-asked",
        weight=Weight.NEWS,
        about=About(type="need", id=str(event.need_id)),
        url=f"/outcomes/{event.key}",
        facts={
            "need": event.need_title,
            "offer": event.offer_title,
            "origin_name": event.origin_name,
            "key": event.key,
        },
    )
    await tell(session, Told(message=message, readers=frozenset({event.member_id})), now=now)


async def need_unanswered(session: AsyncSession, event: NeedUnanswered, *, now: datetime) -> None:
    """Ask the need's author whether it may be widened; nothing has changed yet."""
    message = Message(
        template="need-unanswered",
        weight=Weight.NEWS,
        about=About(type="need", id=str(event.need_id)),
        url=f"/needs/{event.need_id}#widen",
        facts={
            "need": event.need_title,
            "days": event.days,
            "radius": round(event.radius_km) if event.radius_km is not None else None,
            "scope": event.scope,
        },
    )
    await tell(session, Told(message=message, readers=frozenset({event.member_id})), now=now)


def _thing(thing: FoundThing) -> dict[str, Any]:
    return thing.model_dump(mode="json", include={"title", "origin_name", "place_label"})
