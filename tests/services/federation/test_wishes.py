"""Members of a hub that want to be linked: which of their wishes counts, when older ones are said again."""

from datetime import datetime, timedelta
from uuid import UUID

from contracts.link import MemberTold
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.federation import linking, members, offers, sorting
from services.federation.documents import Offer
from services.federation.hub_tables import directory
from services.federation.sealed import LIFETIME
from services.federation.tables import links, peer_calls, positions
from tests.services.federation.test_what_a_hub_carries import LILLE, NOW, US, at, db, linked, rows
from tests.services.federation.test_whom_to_blame import HUB, boxed, said

__all__ = ["db"]


async def in_a_hub_with_lille(db: Database) -> UUID:
    hub = await linked(db, HUB, "hub")
    told = MemberTold(
        member=new_id(),
        instance_id=LILLE.instance_id,
        name="Lille",
        summary="",
        web="",
        status="member",
        key_set=LILLE.key_set(NOW),
    )
    async with db.transaction() as session:
        link = await linking.get_for_update(session, hub)
        assert await members.hear(session, link, told, us=US.instance_id, now=NOW) == []
    return hub


async def wishes(
    db: Database, hub: UUID, link_id: UUID, *, minute: int, yours: UUID | None = None, over: bool = False
) -> None:
    """Lille wants the link that it calls `link_id`, or (`over`) no longer."""
    issued = NOW + timedelta(minutes=minute)
    wish = Offer(
        audience=US.instance_id,
        link_id=link_id,
        your_link_id=yours,
        over=over,
        issued_at=issued,
        expires_at=issued + LIFETIME,
    )
    await sorting.take(at(db, issued), hub, [boxed(LILLE.sign(wish).encode())])


async def accepted(db: Database, hub: UUID, now: datetime = NOW) -> UUID:
    """Our coordinator wants it, too. Returns our id of the link."""
    (entry,) = await rows(db, directory)
    async with db.transaction() as session:
        return await offers.accept(session, (hub, entry["member"]), US, by="Hugo", now=now)


async def waiting(db: Database) -> UUID | None:
    """Lille's id of the link that waits for our coordinator."""
    (entry,) = await rows(db, directory)
    return entry["offered_link_id"]


async def relation(db: Database) -> tuple[UUID, UUID | None, str]:
    (link,) = [row for row in await rows(db, links) if row["kind"] == "behind" and row["status"] != "ended"]
    return link["id"], link["peer_link_id"], link["status"]


async def test_who_has_not_heard_that_a_link_has_ended_does_not_ask_for_a_new_one(db: Database) -> None:
    hub = await in_a_hub_with_lille(db)
    ours = await linked(db, LILLE, "behind", hub)
    theirs = (await relation(db))[1]
    assert theirs is not None
    async with db.transaction() as session:
        await linking.end(session, await linking.get_for_update(session, ours), reason=None, tell=False, now=NOW)
    await wishes(db, hub, theirs, yours=ours, minute=1)
    assert await waiting(db) is None
    assert [(row["link_id"], row["kind"]) for row in await rows(db, peer_calls)] == [(ours, "ended")]
    await wishes(db, hub, new := new_id(), minute=2)
    assert await waiting(db) == new


async def test_of_two_wishes_the_newer_counts_also_when_the_older_was_accepted(db: Database) -> None:
    hub = await in_a_hub_with_lille(db)
    older, newer = new_id(), new_id()
    await wishes(db, hub, older, minute=1)
    ours = await accepted(db, hub)
    assert await relation(db) == (ours, older, "active")
    assert await waiting(db) is None, "it is accepted, and must not be taken for another wish after the link's end"
    await wishes(db, hub, newer, minute=3)
    assert await relation(db) == (ours, newer, "active")
    assert await waiting(db) is None
    assert (ours, "confirmed") in [(row["link_id"], row["kind"]) for row in await rows(db, peer_calls)]
    await wishes(db, hub, older, minute=2, over=True)  # what comes late counts no longer
    assert await relation(db) == (ours, newer, "active")
    await sorting.take(at(db), hub, [boxed(said(LILLE, newer))])
    assert [row["last_received_at"] for row in await rows(db, positions) if row["link_id"] == ours] == [NOW]


async def test_who_begins_anew_on_a_link_that_was_in_use_has_ended_it(db: Database) -> None:
    hub = await in_a_hub_with_lille(db)
    await wishes(db, hub, older := new_id(), minute=1)
    ours = await accepted(db, hub)
    await sorting.take(at(db), hub, [boxed(said(LILLE, older))])
    await wishes(db, hub, newer := new_id(), minute=2)
    assert {row["id"]: row["status"] for row in await rows(db, links)}[ours] == "ended"
    assert await waiting(db) == newer


async def test_who_accepts_what_was_withdrawn_meanwhile_is_told_so(db: Database) -> None:
    hub = await in_a_hub_with_lille(db)
    ours = await accepted(db, hub)
    async with db.transaction() as session:
        await linking.end(session, await linking.get_for_update(session, ours), reason=None, tell=False, now=NOW)
    await wishes(db, hub, new_id(), yours=ours, minute=1)
    assert await waiting(db) is None
    assert [(row["link_id"], row["kind"]) for row in await rows(db, peer_calls)] == [(ours, "ended")]
