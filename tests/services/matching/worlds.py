"""A random world of members, circles, audiences and peers, told to matching; and who may see what of it.

Who may see what is worked out here, from what was published, by none of the service's own code.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.booking import Interval
from contracts.catalog import Audience, ListingState
from contracts.federation import LinkChanged, LinkState, ListingGone, ListingReceived
from contracts.identity import CircleChanged, CircleState
from contracts.shared import SharedListing
from services.chassis.ids import new_id
from tests.services.matching.conftest import LILLE, NAMUR, Matching, state_of
from tests.services.matching.test_matches import bookable

THINGS = 30
_TITLES = ("Tente de réception", "Grande tente pliante", "Tente et chapiteau", "Barnum, tente de fête")
_TAGS = ("fête", "jardin", "été")


@dataclass
class World:
    """What was said. `gone`: keys (origin, id) that were taken back; `taken`: offers that are never free."""

    members: list[UUID] = field(default_factory=lambda: [new_id() for _ in range(6)])
    circles: dict[UUID, set[UUID]] = field(default_factory=dict[UUID, set[UUID]])
    ours: list[ListingState] = field(default_factory=list[ListingState])
    copies: list[tuple[str, SharedListing]] = field(default_factory=list[tuple[str, SharedListing]])
    ended: set[str] = field(default_factory=set[str])
    gone: set[UUID] = field(default_factory=set[UUID])
    taken: set[UUID] = field(default_factory=set[UUID])

    def may_see(self, member: UUID | None) -> list[tuple[str, ListingState | SharedListing]]:
        """What the member (None: somebody without an account) may see, with where it comes from ("ours", a peer)."""
        now = datetime.now(UTC)
        seen: list[tuple[str, ListingState | SharedListing]] = [
            (origin, one) for origin, one in self.copies if origin not in self.ended and (member or one.public)
        ]
        for one in self.ours:
            if (one.valid_until and one.valid_until <= now) or (one.valid_from and one.valid_from > now):
                continue
            mine = member is not None and (
                one.owner_member_id == member
                or (one.owner_circle_id is not None and member in self.circles[one.owner_circle_id])
            )
            named = any(member in self.circles[circle] for circle in one.audience.circle_ids)
            wide = one.audience.scope == "public" or (member is not None and one.audience.scope != "circle")
            if wide or mine or (one.audience.scope == "circle" and named):
                seen.append(("ours", one))
        return [(origin, one) for origin, one in seen if one.id not in self.gone]


async def make(matching: Matching, chance: random.Random) -> World:
    """Things of every audience; then people leave circles, things are taken back, and links end."""
    world = World()
    for _ in range(4):
        people = chance.sample(world.members, chance.randrange(1, 4))
        world.circles[await matching.circle(*people)] = set(people)
    peers = {f"peer-{number}": chance.random() < 0.4 for number in range(3)}
    for number in range(THINGS):
        if chance.random() < 0.3:
            await _copy(matching, world, chance, chance.choice(list(peers)), number)
        else:
            await _own(matching, world, chance, number)
    await _change(matching, world, chance, [peer for peer, ends in peers.items() if ends])
    await matching.count_words()
    await matching.encode()
    return world


def _fields(chance: random.Random, number: int) -> dict[str, Any]:
    return {
        "title": f"{chance.choice(_TITLES)} zq{number}",
        "kind": chance.choice(["equipment", "machine"]),
        "language": chance.choice(["fr", "fr", "nl"]),
        "place": chance.choice([LILLE, NAMUR]),
        "tags": (chance.choice(_TAGS), f"tag{number}"),
        "category": f"cat{number}",
    }


async def _own(matching: Matching, world: World, chance: random.Random, number: int) -> None:
    scope = chance.choice(["circle", "circle", "circle", "cooperative", "peers", "public"])
    circles = chance.sample(list(world.circles), chance.randrange(1, 3)) if scope == "circle" else []
    now = datetime.now(UTC)
    state = state_of(
        **_fields(chance, number),
        side=chance.choice(["offer", "offer", "need"]),
        audience=Audience.model_validate({"scope": scope, "circle_ids": circles}),
        owner_member_id=chance.choice(world.members),
        owner_circle_id=chance.choice([None, None, *world.circles]),
        valid_until=chance.choice([None, None, None, now - timedelta(days=1)]),
        valid_from=chance.choice([None, None, None, now + timedelta(days=1)]),
        quantity=chance.choice([1, 1, 3]),
    )
    await matching.publish(state)
    world.ours.append(state)
    if state.side == "offer" and chance.random() < 0.6:
        taken = chance.random() < 0.5
        whole = Interval(start=now - timedelta(days=1), end=now + timedelta(days=89))
        await bookable(matching, state.id, [whole] if taken else [])
        world.taken |= {state.id} if taken else set()


async def _copy(matching: Matching, world: World, chance: random.Random, peer: str, number: int) -> None:
    fields = state_of(**_fields(chance, number)).model_dump(mode="json")
    values = {name: value for name, value in fields.items() if name in SharedListing.model_fields}
    copy = SharedListing.model_validate(values | {"public": chance.random() < 0.4})
    event = {"origin": peer, "origin_name": peer, "epoch": 1, "listing": copy.model_dump(mode="json")}
    await matching.tell(ListingReceived.model_validate(event), at=datetime.now(UTC) - timedelta(minutes=1))
    world.copies.append((peer, copy))


async def _change(matching: Matching, world: World, chance: random.Random, ending: list[str]) -> None:
    circle, people = chance.choice([*world.circles.items()])
    left = set(chance.sample(sorted(people), len(people) - 1))
    state = CircleState(id=circle, name="", purpose="", member_ids=list(left), status="active", version=2)
    await matching.tell(CircleChanged(circle=state))
    world.circles[circle] = left
    for one in chance.sample(world.ours, 2):
        await matching.withdraw(one)
        world.gone.add(one.id)
    for origin, copy in chance.sample(world.copies, min(2, len(world.copies))):
        gone = ListingGone(origin=origin, origin_name=origin, epoch=1, id=copy.id, version=2)
        await matching.tell(gone, at=datetime.now(UTC) - timedelta(seconds=30))
        world.gone.add(copy.id)
    for peer in ending:
        link = LinkState(link_id=new_id(), peer_id=peer, peer_name=peer, peer_web="", status="ended", version=9)
        await matching.tell(LinkChanged(link=link))
        world.ended.add(peer)
