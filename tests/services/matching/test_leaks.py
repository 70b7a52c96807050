"""Nothing appears outside its audience: no result, count, suggestion, match, near miss or line of a file.

Random circles, members, audiences, peers, ended links and things taken back; see `worlds.py` for who may see what.
"""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from contracts.catalog import ListingState
from contracts.shared import SharedListing
from services.chassis.ids import new_id
from services.matching import audience
from services.matching.tables import skills, things
from services.matching.words import folded
from tests.services.matching.conftest import LILLE, Matching
from tests.services.matching.worlds import THINGS, World, make

_ROUNDS = 3
Seen = list[tuple[str, ListingState | SharedListing]]
Leaks = Counter[str]
"""How much was shown to somebody who may not see it, by where it was shown."""

_COUNTED: dict[str, Callable[[str, Any], set[str]]] = {
    "side": lambda _, one: {one.side},
    "kind": lambda _, one: {one.kind},
    "spoken": lambda _, one: {one.language},
    "origin": lambda origin, _: {origin},
    "tag": lambda _, one: {folded(tag) for tag in one.tags},
}


async def _pages(client: httpx.AsyncClient, leaks: Leaks, seen: Seen) -> set[UUID]:
    """The ids in every answer of a search that this reader can get."""
    allowed, found = {one.id for _, one in seen}, set[UUID]()
    for params in ({"q": "tente"}, {"q": "abri pour une fête dehors"}, {}, {"q": "tente", "kind": "equipment"}):
        cursor = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = (await client.get("/search", params={**params, **more, "limit": 17})).json()
            found |= {UUID(item["id"]) for item in page["items"]}
            leaks["total"] += page["total"] > len(allowed)
            cursor = page["next"]
            if cursor is None:
                break
    leaks["results"] += len(found - allowed)
    return found


async def _counts(client: httpx.AsyncClient, leaks: Leaks, seen: Seen, world: World) -> None:
    """Counts of choices are those of what the reader may see, and no more."""
    near = {"near": f"{LILLE.latitude},{LILLE.longitude}"}
    for params in ({"q": "tente"}, near):
        page = (await client.get("/search", params=params)).json()
        leaks["total"] += page["total"] != len(seen)
        facets = {name: {one["value"]: one["count"] for one in views} for name, views in page["facets"].items()}
        for name, values_of in _COUNTED.items():
            true = Counter(value for origin, one in seen for value in values_of(origin, one))
            leaks[name] += sum(count != true[folded(value)] for value, count in facets.get(name, {}).items())
        leaks["topic"] += sum(facets.get("topic", {}).values()) > len(seen)
        at_home = sum(one.place is not None and one.place.label.endswith("Lille") for _, one in seen)
        leaks["km"] += sum(count != at_home for count in facets.get("km", {}).values())
        free = sum(one.id not in world.taken for _, one in seen)
        leaks["free"] += sum(count != free for count in facets.get("free", {}).values())


async def _suggested(client: httpx.AsyncClient, leaks: Leaks, seen: Seen) -> None:
    titles = {one.title for _, one in seen}
    hidden = [number for number in range(THINGS) if not any(title.endswith(f" zq{number}") for title in titles)]
    for typed in ("tente", "grande t", *(f"tente zq{number}" for number in hidden[:6])):
        answer = await client.get("/suggestions", params={"q": typed})
        assert answer.status_code == 200, answer.text
        leaks["suggestions"] += len(set(answer.json()["titles"]) - titles)


async def _matched(client: httpx.AsyncClient, leaks: Leaks, seen: Seen, needs: list[ListingState]) -> None:
    allowed = {str(one.id) for _, one in seen}
    for need in needs:
        answer = await client.get(f"/needs/{need.id}/matches")
        if answer.status_code == 200:
            found = answer.json()
            leaks["matches"] += len({item["id"] for item in found["items"]} - allowed)
            leaks["near misses"] += len({item["id"] for item in found["near_misses"]} - allowed)
        leaks["needs"] += answer.status_code == 200 and str(need.id) not in allowed
        pledges = await client.get(f"/needs/{need.id}/pledges")
        assert pledges.status_code == 200 or str(need.id) not in allowed, pledges.text
        leaks["pledges"] += pledges.status_code == 200 and str(need.id) not in allowed


async def _exported(client: httpx.AsyncClient, leaks: Leaks, seen: Seen) -> None:
    allowed = {str(one.id) for _, one in seen}
    lines = (await client.get("/skills.csv")).text.splitlines()[1:]
    assert len(lines) >= len(allowed)
    leaks["file"] += len({line.split(";")[1] for line in lines} - allowed)


async def _coded(client: httpx.AsyncClient, leaks: Leaks, seen: Seen, world: World) -> None:
    """The codes of one thing: none of what the reader may not see."""
    allowed = {one.id for _, one in seen}
    for one in world.ours:
        leaks["codes"] += one.id not in allowed and (await client.get(f"/skills/{one.id}")).json() != []


async def _leaks(matching: Matching, world: World) -> Leaks:
    leaks, needs = Leaks(), [one for one in world.ours if one.side == "need"]
    for member in [None, *world.members[:3], new_id()]:
        client, seen = await matching.client(member), world.may_see(member)
        await _pages(client, leaks, seen)
        await _counts(client, leaks, seen, world)
        await _suggested(client, leaks, seen)
        await _coded(client, leaks, seen, world)
        if member is not None:
            await _exported(client, leaks, seen)
    for member in world.members:
        await _matched(await matching.client(member), leaks, world.may_see(member), needs)
    for event in await matching.propose():
        allowed = {one.id for _, one in world.may_see(event.need_owner_id)}
        leaks["proposals"] += len({proposal.offer_id for proposal in event.proposals} - allowed)
    return +leaks


async def _name_all(matching: Matching) -> None:
    """A skill that everything is called like, so that the file of codes has a line for each thing."""
    names = [f"cat{number}" for number in range(THINGS)]
    row = {"scheme": "rome", "code": "1", "shown": "A1101", "language": "fr", "source": "x", "label": "x"}
    async with matching.db.transaction() as session:
        await session.execute(sa.insert(skills).values(**row, names=names, import_id=new_id()))


@pytest.mark.parametrize("seed", range(_ROUNDS))
async def test_nobody_is_shown_what_is_not_meant_for_them(matching: Matching, seed: int) -> None:
    world = await make(matching, random.Random(seed))
    await _name_all(matching)
    assert await _leaks(matching, world) == {}
    for member in world.members[:3]:
        seen = world.may_see(member)
        found = await _pages(await matching.client(member), Leaks(), seen)
        assert {one.id for _, one in seen} <= found, "what is for them is found"


async def test_without_the_filter_every_part_of_this_test_fails(
    matching: Matching, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await make(matching, random.Random(1))
    await _name_all(matching)

    def everybody(member_id: UUID | None, now: datetime) -> sa.ColumnElement[bool]:
        return sa.not_(things.c.gone)

    monkeypatch.setattr(audience, "visible_to", everybody)
    leaks = await _leaks(matching, world)
    parts = {
        "results",
        "total",
        "suggestions",
        "matches",
        "file",
        "codes",
        "pledges",
        "proposals",
        "side",
        "kind",
        "spoken",
        "origin",
        "tag",
    }
    assert parts <= set(leaks), leaks
