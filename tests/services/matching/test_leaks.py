"""Nothing appears outside its audience: random circles, members, audiences, peers and ended links, in every answer.

The expected side is worked out here, from what was published, by none of the service's own code.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.catalog import Audience, ListingState
from contracts.federation import LinkChanged, LinkState, ListingReceived
from contracts.shared import SharedListing
from services.chassis.ids import new_id
from services.matching import audience
from services.matching.tables import things
from tests.services.matching.conftest import Matching, state_of

_TITLES = ("Tente de réception", "Grande tente pliante", "Tente et chapiteau", "Barnum, tente de fête")
_ROUNDS = 3
_THINGS = 40


@dataclass
class World:
    """What was said. `ended`: peers whose link is over."""

    members: list[UUID] = field(default_factory=lambda: [new_id() for _ in range(6)])
    circles: dict[UUID, set[UUID]] = field(default_factory=dict[UUID, set[UUID]])
    ours: list[ListingState] = field(default_factory=list[ListingState])
    copies: list[tuple[str, SharedListing]] = field(default_factory=list[tuple[str, SharedListing]])
    ended: set[str] = field(default_factory=set[str])

    def may_see(self, member: UUID | None) -> set[UUID]:
        now = datetime.now(UTC)
        seen = {one.id for origin, one in self.copies if origin not in self.ended and (member or one.public)}
        for one in self.ours:
            if (one.valid_until and one.valid_until <= now) or (one.valid_from and one.valid_from > now):
                continue
            circles = [self.circles[circle] for circle in one.audience.circle_ids]
            mine = member is not None and (
                one.owner_member_id == member
                or (one.owner_circle_id is not None and member in self.circles[one.owner_circle_id])
            )
            named = one.audience.scope == "circle" and any(member in circle for circle in circles)
            wide = one.audience.scope == "public" or (member is not None and one.audience.scope != "circle")
            if wide or mine or named:
                seen.add(one.id)
        return seen


async def _make(matching: Matching, chance: random.Random) -> World:
    world = World()
    for _ in range(4):
        people = chance.sample(world.members, chance.randrange(1, 4))
        world.circles[await matching.circle(*people)] = set(people)
    peers = {f"peer-{number}": chance.random() < 0.4 for number in range(3)}
    for _ in range(_THINGS):
        if chance.random() < 0.3:
            await _copy(matching, world, chance, chance.choice(list(peers)))
        else:
            await _own(matching, world, chance)
    for peer, ends in peers.items():
        if ends:
            await matching.tell(LinkChanged(link=_link(peer)))
            world.ended.add(peer)
    await matching.count_words()
    await matching.encode()
    return world


async def _own(matching: Matching, world: World, chance: random.Random) -> None:
    scope = chance.choice(["circle", "circle", "circle", "cooperative", "peers", "public"])
    circles = chance.sample(list(world.circles), chance.randrange(1, 3)) if scope == "circle" else []
    now = datetime.now(UTC)
    state = await matching.listing(
        chance.choice(_TITLES),
        side=chance.choice(["offer", "offer", "need"]),
        kind=chance.choice(["equipment", "machine"]),
        audience=Audience.model_validate({"scope": scope, "circle_ids": circles}),
        owner_member_id=chance.choice(world.members),
        owner_circle_id=chance.choice([None, None, *world.circles]),
        valid_until=chance.choice([None, None, None, now - timedelta(days=1)]),
        valid_from=chance.choice([None, None, None, now + timedelta(days=1)]),
    )
    world.ours.append(state)


async def _copy(matching: Matching, world: World, chance: random.Random, peer: str) -> None:
    fields = state_of(chance.choice(_TITLES)).model_dump(mode="json")
    names = SharedListing.model_fields
    values = {name: value for name, value in fields.items() if name in names}
    copy = SharedListing.model_validate(values | {"public": chance.random() < 0.4})
    said = datetime.now(UTC) - timedelta(minutes=1)
    await matching.tell(
        ListingReceived.model_validate(
            {"origin": peer, "origin_name": peer, "epoch": 1, "listing": copy.model_dump(mode="json")}
        ),
        at=said,
    )
    world.copies.append((peer, copy))


def _link(peer: str) -> LinkState:
    return LinkState(link_id=new_id(), peer_id=peer, peer_name=peer, peer_web="", status="ended", version=9)


async def _answers(matching: Matching, member: UUID | None) -> set[UUID]:
    """The ids in every answer that this reader can get."""
    client = await matching.client(member)
    found: set[UUID] = set()
    for params in ({"q": "tente"}, {"q": "abri pour une fête dehors"}, {}, {"q": "tente", "kind": "equipment"}):
        cursor = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = (await client.get("/search", params={**params, **more, "limit": 100})).json()
            found |= {UUID(item["id"]) for item in page["items"]}
            cursor = page["next"]
            if cursor is None:
                break
    return found


async def _matched(matching: Matching, member: UUID, needs: list[ListingState]) -> set[UUID]:
    client = await matching.client(member)
    found: set[UUID] = set()
    for need in needs:
        answer = await client.get(f"/needs/{need.id}/matches")
        if answer.status_code == 200:
            items = answer.json()["items"] + answer.json()["near_misses"]
            found |= {UUID(item["id"]) for item in items}
    return found


async def _leaks(matching: Matching, world: World) -> int:
    """How many things were shown to somebody who may not see them."""
    leaks = 0
    needs = [one for one in world.ours if one.side == "need"]
    for member in [None, *world.members, new_id()]:
        allowed = world.may_see(member)
        seen = await _answers(matching, member)
        if member is not None:
            seen |= await _matched(matching, member, needs)
        leaks += len(seen - allowed)
    for event in await matching.propose():
        allowed = world.may_see(event.need_owner_id)
        leaks += len({proposal.offer_id for proposal in event.proposals} - allowed)
    return leaks


@pytest.mark.parametrize("seed", range(_ROUNDS))
async def test_nobody_is_shown_what_is_not_meant_for_them(matching: Matching, seed: int) -> None:
    chance = random.Random(seed)
    world = await _make(matching, chance)
    assert await _leaks(matching, world) == 0
    for member in world.members:
        assert world.may_see(member) <= await _answers(matching, member), "what is for them is found"


async def test_without_the_filter_this_test_fails(matching: Matching, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await _make(matching, random.Random(1))

    def everybody(member_id: UUID | None, now: datetime) -> sa.ColumnElement[bool]:
        return sa.not_(things.c.gone)

    monkeypatch.setattr(audience, "visible_to", everybody)
    assert await _leaks(matching, world) > 0
