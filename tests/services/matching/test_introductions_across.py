"""People of two cooperatives are put in touch: under pseudonyms, within limits, and ending alike for both."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.federation import (
    IntroductionAnswerReceived,
    IntroductionWithdrawalReceived,
    LinkChanged,
    LinkState,
    PersonForgotten,
)
from contracts.matching import IntroductionAnswered, IntroductionWithdrawn
from services.chassis.ids import new_id
from services.matching.commands import meeting
from services.matching.member_tables import introductions
from tests.services.matching.conftest import Matching
from tests.services.matching.test_index import PEER, received
from tests.services.matching.test_introductions import ask, count, reply, request, said
from tests.services.matching.test_matches import answer_for, need


async def test_all_people_of_a_peer_together_are_limited(matching: Matching, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = await matching.listing("Scie")
    for limit, value in (("MOST_OPEN_OF_A_PEER", 3), ("MOST_A_DAY_OF_A_PEER", 5)):
        await matching.tell(PersonForgotten(origin=PEER, origin_name="Namur", pseudonym="other"))
        async with matching.db.transaction() as session:
            await session.execute(sa.delete(introductions))
        with monkeypatch.context() as patched:
            patched.setattr(meeting, limit, value)
            for number in range(value + 1):
                await matching.tell(request(offer.id, pseudonym=f"{limit}{number}"))
        async with matching.db.reading() as session:
            rows = (await session.execute(sa.select(introductions.c.status).order_by(introductions.c.asked_at))).all()
        assert [row.status for row in rows] == ["asked"] * value + ["declined"]


async def test_a_peers_person_who_was_told_no_is_not_asked_about_again(matching: Matching) -> None:
    offer = await matching.listing("Scie")
    await matching.tell(request(offer.id))
    [read] = (await (await matching.client(offer.owner_member_id)).get("/introductions")).json()
    assert (await reply(matching, offer.owner_member_id, read, accepted=False)).status_code == 200
    await matching.tell(request(offer.id))
    await matching.tell(request(offer.id, pseudonym="p2"))
    async with matching.db.reading() as session:
        rows = await session.execute(sa.select(introductions.c.status).order_by(introductions.c.asked_at))
    assert rows.scalars().all() == ["declined", "declined", "asked"]


async def test_a_peers_person_asks_and_is_answered_under_a_pseudonym(matching: Matching) -> None:
    wanted = await need(matching, "Chaises", quantity=10)
    asked = request(wanted.id, quantity=4)
    for _ in range(2):
        await matching.tell(asked)
    client = await matching.client(wanted.owner_member_id)
    [read] = (await client.get("/introductions")).json()
    assert (read["peer"], read["asker"]["name"], read["asker"]["peer_name"]) == (PEER, None, "Namur")
    assert (await reply(matching, wanted.owner_member_id, read | {"peer": ""}, accepted=True)).status_code == 404
    assert (await reply(matching, wanted.owner_member_id, read, accepted=True)).status_code == 200
    [promise] = (await answer_for(matching, wanted))["promised"]
    assert (promise["quantity"], promise["peer"], promise["by"]["peer_name"]) == (4, PEER, "Namur")


async def test_only_the_peer_that_was_asked_answers(matching: Matching) -> None:
    ana, thing = new_id(), new_id()
    await matching.tell(received(thing, "Scie à ruban"))
    made = (await ask(matching, ana, thing, origin=PEER)).json()
    client = await matching.client(ana)
    answer: dict[str, Any] = {"introduction_id": UUID(made["id"]), "origin_name": "Namur", "accepted": True}
    await matching.tell(IntroductionAnswerReceived(origin="another", **answer))
    assert (await client.get(f"/introductions/{made['id']}")).json()["status"] == "asked"
    await matching.tell(IntroductionAnswerReceived(origin=PEER, **answer))
    assert (await client.get(f"/introductions/{made['id']}")).json()["status"] == "accepted"


@pytest.mark.parametrize(("accepted", "end"), [(True, "withdrawn"), (False, "declined")])
async def test_an_answer_that_crosses_a_withdrawal_ends_alike_for_both(
    matching: Matching, *, accepted: bool, end: str
) -> None:
    ana, thing = new_id(), new_id()
    await matching.tell(received(thing, "Scie à ruban"))
    made = (await ask(matching, ana, thing, origin=PEER)).json()
    await (await matching.client(ana)).post(f"/introductions/{made['id']}/withdraw")
    answer: dict[str, Any] = {"introduction_id": UUID(made["id"]), "origin_name": "Namur", "accepted": accepted}
    await matching.tell(IntroductionAnswerReceived(origin=PEER, **answer))
    assert (await (await matching.client(ana)).get(f"/introductions/{made['id']}")).json()["status"] == end
    assert not [one for one in await said(matching) if isinstance(one, IntroductionAnswered) and accepted]

    offer = await matching.listing("Scie")
    asked = request(offer.id)
    await matching.tell(asked)
    client = await matching.client(offer.owner_member_id)
    [read] = (await client.get("/introductions")).json()
    assert (await reply(matching, offer.owner_member_id, read, accepted=accepted)).status_code == 200
    await matching.tell(
        IntroductionWithdrawalReceived(origin=PEER, origin_name="Namur", introduction_id=asked.introduction_id)
    )
    assert (await client.get("/introductions")).json()[0]["status"] == end
    last = (await said(matching))[-1]
    assert isinstance(last, IntroductionAnswered | IntroductionWithdrawn)
    assert last.introduction.status == end


async def test_a_peers_person_asks_no_longer_and_is_forgotten(matching: Matching) -> None:
    offer, other = await matching.listing("Scie"), await matching.listing("Tour")
    one, two = request(offer.id), request(other.id, pseudonym="p2")
    for event in (one, two):
        await matching.tell(event)
    withdrawal: dict[str, Any] = {"introduction_id": one.introduction_id, "origin_name": "Namur"}
    await matching.tell(IntroductionWithdrawalReceived(origin="another", **withdrawal))
    client = await matching.client(offer.owner_member_id)
    assert (await client.get("/introductions")).json()[0]["status"] == "asked"
    await matching.tell(IntroductionWithdrawalReceived(origin=PEER, **withdrawal))
    assert (await client.get("/introductions")).json()[0]["status"] == "withdrawn"
    await matching.tell(PersonForgotten(origin=PEER, origin_name="Namur", pseudonym="p2"))
    assert await count(matching) == 1
    link = LinkState(link_id=new_id(), peer_id=PEER, peer_name="Namur", peer_web="", status="ended", version=9)
    await matching.tell(LinkChanged(link=link), at=datetime.now(UTC))
    assert await count(matching) == 0
