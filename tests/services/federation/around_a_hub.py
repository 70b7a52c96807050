"""Three cooperatives that are linked with a hub, and with each other only through it."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from contracts.catalog import ListingState, ListingWithdrawn
from contracts.matching import IntroductionParty, IntroductionState
from services.chassis.clock import Clock
from services.chassis.ids import new_id
from services.federation.mending_tables import copies
from services.federation.tables import border_outbox, links, own_listings, shares
from tests.servers import Servers
from tests.services.federation.pair import Line, Post, eventually, pause, published
from tests.services.federation.running_posts import Wire, posts

PEOPLE = {"hub": "Hugo", "lille": "Léa", "namur": "Nora", "gand": "Griet"}
PATIENCE = 90.0


@dataclass
class Region:
    """A hub and its members."""

    hub: Post
    lille: Post
    namur: Post
    gand: Post
    line: Line

    @property
    def members(self) -> tuple[Post, Post, Post]:
        return self.lille, self.namur, self.gand


async def link_of(post: Post, peer: Post) -> Any:
    """The living link of `post` with `peer`, as its coordinator sees it."""
    found = await post.call("GET", "/links")
    return next((one for one in found if one["peer_id"] == peer.border.us and one["status"] != "ended"), None)


async def link_directly(host: Post, guest: Post) -> None:
    """By the ordinary invitation."""
    code = (await host.call("POST", "/invitations", expect=201))["code"]
    await guest.call("POST", "/links", json={"code": code}, expect=201)
    await host.call("POST", f"/links/{(await link_of(host, guest))['link_id']}/confirm")
    await until_active(host, guest)


async def until_active(one: Post, other: Post) -> None:
    async def active() -> bool:
        both = [await link_of(one, other), await link_of(other, one)]
        return [link and link["status"] for link in both] == ["active", "active"]

    await eventually(active, seconds=PATIENCE)


async def entry_of(post: Post, peer: Post) -> Any:
    """What `post` sees of `peer` behind the hub; None while the hub has not told it."""
    return next((one for one in await post.call("GET", "/members") if one["peer_id"] == peer.border.us), None)


async def until_known(post: Post, peer: Post) -> Any:
    async def known() -> bool:
        return await entry_of(post, peer) is not None

    await eventually(known, seconds=PATIENCE)
    return await entry_of(post, peer)


async def accept(post: Post, peer: Post) -> Any:
    entry = await until_known(post, peer)
    return await post.call("POST", f"/members/{entry['hub_link_id']}/{entry['member']}/accept", expect=201)


async def link_through_hub(one: Post, other: Post) -> None:
    """Both coordinators accept."""
    await accept(one, other)
    await accept(other, one)
    await until_active(one, other)


async def id_of_link(post: Post, peer: Post) -> UUID:
    return UUID((await link_of(post, peer))["link_id"])


@contextlib.asynccontextmanager
async def paused(post: Post, peer: Post) -> AsyncGenerator[None]:
    """What `peer` says to `post` waits meanwhile; it goes on also when the story breaks off, for the next one."""
    link_id = await id_of_link(post, peer)
    await pause(post, link_id)
    try:
        yield
    finally:
        await post.call("POST", f"/links/{link_id}/resume")


async def holds_of(post: Post, origin: Post) -> dict[UUID, int]:
    """What the services of `post` hold of `origin`: ids and versions, whatever way they came."""
    mine = {row["id"] for row in await post.rows(links) if row["peer_id"] == origin.border.us}
    found: dict[UUID, int] = {}
    for row in await post.rows(copies):
        if row["link_id"] in mine and not row["gone"]:
            found[row["thing_id"]] = max(found.get(row["thing_id"], 0), row["listing_version"])
    return found


async def until_holds(post: Post, origin: Post, wanted: dict[UUID, int]) -> None:
    async def equal() -> bool:
        return await holds_of(post, origin) == wanted

    with contextlib.suppress(AssertionError):
        await eventually(equal, seconds=PATIENCE)
    assert await holds_of(post, origin) == wanted


@contextlib.asynccontextmanager
async def a_region(servers: Servers, folder: Path) -> AsyncGenerator[Region]:
    """Everybody linked with the hub; nobody with each other."""
    line = Line()
    async with posts(servers, folder, PEOPLE, line, Wire(), hub="hub") as (hub, lille, namur, gand):
        region = Region(hub, lille, namur, gand, line)
        for member in region.members:
            await link_directly(hub, member)
        yield region


def wish_for(offer: ListingState, owner: Post, asker: UUID) -> IntroductionState:
    """As whoever asks has it: the owner is a peer's."""
    return IntroductionState(
        id=new_id(), thing_id=offer.id, thing_origin=owner.border.us, thing_title=offer.title, need_id=None,
        asker=IntroductionParty(member_id=asker, name="Omar"), owner=IntroductionParty(peer_id=owner.border.us),
        message="Bonjour", quantity=None, status="asked", reason=None, version=1, changed_at=Clock().now(),
    )  # fmt: skip


def as_owner_has_it(wish: IntroductionState, asker: Post, **changes: Any) -> IntroductionState:
    ours = {
        "thing_origin": None,
        "asker": IntroductionParty(peer_id=asker.border.us, pseudonym="p1"),
        "owner": IntroductionParty(member_id=new_id(), name="Ana"),
    }
    return wish.model_copy(update=ours | changes)


async def say(post: Post, *things: ListingState) -> None:
    """Publish, and wait until `post` has it among its own: what is compared from here on includes it."""
    for thing in things:
        await post.say("catalog", published(thing))

    async def are_known() -> bool:
        return {one.id for one in things} <= {row["id"] for row in await post.rows(own_listings)}

    await eventually(are_known, seconds=PATIENCE)


async def withdraw(post: Post, thing: UUID, version: int) -> None:
    """Take a listing back, and wait until `post` no longer has it among its own."""
    await post.say("catalog", ListingWithdrawn(id=thing, side="offer", version=version, reason="withdrawn"))

    async def is_withdrawn() -> bool:
        return [row["withdrawn"] for row in await post.rows(own_listings) if row["id"] == thing] == [True]

    await eventually(is_withdrawn, seconds=PATIENCE)


async def own(post: Post, *scopes: str) -> dict[UUID, int]:
    """The originals: what `post` would like others to hold."""
    rows = await post.rows(own_listings)
    return {row["id"]: row["version"] for row in rows if not row["withdrawn"] and row["scope"] in scopes}


async def until_taken(post: Post, *things: ListingState) -> None:
    """All of it was said and has left `post`."""

    async def is_said() -> bool:
        shared = {row["thing_id"] for row in await post.rows(shares)}
        return {one.id for one in things} <= shared and not await post.rows(border_outbox)

    await eventually(is_said, seconds=PATIENCE)


async def until_waiting(hub: Post, link_id: UUID) -> None:
    """Something for the member of this link lies in its queue."""

    async def waits() -> bool:
        links = await hub.call("GET", "/links")
        return next(one["waiting"] or 0 for one in links if one["link_id"] == str(link_id)) > 0

    await eventually(waits, seconds=PATIENCE)
