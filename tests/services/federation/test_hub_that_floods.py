"""A hub, or whoever uses it, that would fill our disk: with members that it makes up, with what waits for a key."""

from typing import Any

import pytest
import sqlalchemy as sa

from contracts.link import MemberTold
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.federation import members, receiving, sorting
from services.federation.gate import Refused
from services.federation.hub_tables import directory
from services.federation.keys import Keys
from services.federation.public_stream import PUBLIC, stream_of
from services.federation.tables import key_sets, links, quarantine
from tests.services.federation.test_what_a_hub_carries import GAND, LILLE, NOW, US, at, db, linked, rows, somebody
from tests.services.federation.test_whom_to_blame import HUB, OTHER_HUB, boxed, counted, known, said, stream_with

__all__ = ["db"]


async def told(db: Database, hub_link: Any, keys: Keys, name: str) -> list[Refused]:
    """The hub says that there is a member with these keys."""
    word = MemberTold(
        member=new_id(), instance_id=keys.instance_id, name=name, summary="", web="", status="member",
        key_set=keys.key_set(NOW),
    )  # fmt: skip
    async with db.transaction() as session:
        hub = (await session.execute(sa.select(links).where(links.c.id == hub_link))).mappings().one()
        return await members.hear(session, hub, word, us=US.instance_id, now=NOW)


async def test_a_hub_that_makes_up_members_is_believed_so_many_and_no_more(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MEMBERS_AT_MOST", 2)
    hub, other = await linked(db, HUB, "hub"), await linked(db, OTHER_HUB, "hub")
    made_up = [somebody() for _ in range(4)]
    reasons = [[one.reason for one in await told(db, hub, keys, "Encore une")] for keys in made_up]
    assert reasons == [[], [], ["too_much"], ["too_much"]]
    wanted = {keys.instance_id for keys in made_up[:2]}
    assert {row["instance_id"] for row in await rows(db, directory)} == wanted
    assert {row["peer_id"] for row in await rows(db, key_sets)} == wanted
    assert await told(db, hub, made_up[0], "Sous un autre nom") == []  # one that is known is still heard of
    assert await told(db, other, made_up[3], "Ailleurs") == []


@pytest.mark.parametrize(("bound", "value"), [("QUARANTINED_AT_MOST", 2), ("QUARANTINED_OCTETS_AT_MOST", 1)])
async def test_what_waits_for_a_key_is_bounded_for_all_whose_names_a_hub_uses(
    db: Database, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(receiving, bound, value)
    await known(db, LILLE)
    hub = await linked(db, HUB, "hub")
    lille = await linked(db, LILLE, "behind", hub)
    private, public = await stream_with(db, lille), stream_of(LILLE.instance_id)
    for number in range(2):
        strange = somebody()
        mine, for_all = said(strange, private, number + 1), said(strange, public, number + 1, audience=PUBLIC)
        await sorting.take(at(db), hub, [boxed(mine), for_all])
    kept = len(await rows(db, quarantine))
    assert kept == (2 if bound == "QUARANTINED_AT_MOST" else 1)
    assert await counted(db) == {hub: 4 - kept}
    other = await linked(db, OTHER_HUB, "hub")
    await sorting.take(at(db), other, [said(GAND, public, audience=PUBLIC)])
    assert len(await rows(db, quarantine)) == kept + 1
