"""Being put in touch: who may ask and answer, what it does to the match, what peers' people may do, what is left."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from contracts.catalog import Audience, ListingState
from contracts.envelope import Event
from contracts.federation import (
    IntroductionRequestReceived,
)
from contracts.identity import MemberChanged, MemberState
from contracts.matching import IntroductionAnswered, IntroductionAsked, IntroductionWithdrawn
from contracts.registry import EVENTS
from services.chassis.ids import new_id
from services.matching.commands.introducing import MOST_A_DAY, MOST_OPEN, REST_DAYS
from services.matching.domain import SAME_KIND
from services.matching.member_tables import introductions
from services.matching.tables import outbox, proposals
from tests.services.matching.conftest import Matching
from tests.services.matching.test_index import PEER
from tests.services.matching.test_matches import answer_for, need


async def ask(matching: Matching, asker: UUID, thing: UUID, **form: Any) -> Any:
    body = {"thing_id": str(thing), "message": "Bonjour, une planche à couper."} | form
    return await (await matching.client(asker)).post("/introductions", json=body)


async def reply(matching: Matching, owner: UUID, made: Any, **form: Any) -> Any:
    peer = made["peer"] or ""
    client = await matching.client(owner)
    return await client.post(f"/introductions/{made['id']}/answer", params={"peer": peer}, json=form)


async def said(matching: Matching) -> list[Event]:
    async with matching.db.reading() as session:
        rows = (await session.execute(sa.select(outbox).order_by(outbox.c.id))).mappings().all()
    return [EVENTS[row["type"]].model_validate_json(row["data"]) for row in rows]


async def match_status(matching: Matching, wanted: ListingState, offer: UUID) -> tuple[str, str | None]:
    async with matching.db.reading() as session:
        chosen = sa.select(proposals).where(proposals.c.need_id == wanted.id, proposals.c.offer_id == offer)
        row = (await session.execute(chosen)).mappings().one()
    return row["status"], row["reason"]


def request(thing: UUID, **changes: Any) -> IntroductionRequestReceived:
    values = {
        "origin": PEER, "origin_name": "Namur", "introduction_id": new_id(), "thing_id": thing, "pseudonym": "p1",
        "message": "Bonjour",
    }  # fmt: skip
    return IntroductionRequestReceived.model_validate(values | changes)


async def test_the_other_side_is_asked_and_its_yes_makes_the_match(matching: Matching) -> None:
    offer = await matching.listing("Découpeuse laser")
    wanted = await need(matching, "Découpeuse laser")
    await matching.count_words()
    made = (await ask(matching, wanted.owner_member_id, offer.id, need_id=str(wanted.id))).json()
    assert (made["status"], made["mine"], made["asker"]["name"]) == ("asked", True, "Ana")
    assert await match_status(matching, wanted, offer.id) == ("contacted", None)
    async with matching.db.reading() as session:
        assert (await session.execute(sa.select(proposals.c.gains))).scalar_one()["kind"] == SAME_KIND
    again = (await ask(matching, wanted.owner_member_id, offer.id)).json()
    assert again["id"] == made["id"]
    [asked] = [event for event in await said(matching) if isinstance(event, IntroductionAsked)]
    assert asked.introduction.owner.member_id == offer.owner_member_id
    read = (await (await matching.client(offer.owner_member_id)).get("/introductions")).json()
    assert [(one["id"], one["mine"]) for one in read] == [(made["id"], False)]
    answered = await reply(matching, offer.owner_member_id, made, accepted=True, quantity=3)
    assert (answered.json()["status"], answered.json()["quantity"]) == ("accepted", 3)
    assert await match_status(matching, wanted, offer.id) == ("accepted", None)
    view = await answer_for(matching, wanted)
    assert view["items"][0]["introduction"] == {"id": made["id"], "status": "accepted"}
    assert [(one["quantity"], one["by"]["name"]) for one in view["promised"]] == [(3, "Ana")]
    [event] = [event for event in await said(matching) if isinstance(event, IntroductionAnswered)]
    assert event.introduction.status == "accepted"


async def test_a_no_is_told_and_the_offer_is_not_shown_again(matching: Matching) -> None:
    offer = await matching.listing("Découpeuse laser")
    wanted = await need(matching, "Découpeuse laser")
    await matching.count_words()
    made = (await ask(matching, wanted.owner_member_id, offer.id, need_id=str(wanted.id))).json()
    assert (await reply(matching, offer.owner_member_id, made, accepted=False, reason="too_far")).status_code == 200
    assert await match_status(matching, wanted, offer.id) == ("declined", "gone")
    assert (await answer_for(matching, wanted))["items"] == []
    refused = await reply(matching, offer.owner_member_id, made, accepted=True)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:maillage:problem:introduction-settled")
    [event] = [event for event in await said(matching) if isinstance(event, IntroductionAnswered)]
    assert (event.introduction.status, event.introduction.reason) == ("declined", "too_far")


async def test_only_who_is_concerned_asks_answers_and_reads(matching: Matching) -> None:
    ana, eve = new_id(), new_id()
    offer = await matching.listing("Découpeuse laser")
    circle = await matching.circle(new_id())
    hidden = await matching.listing("Scie", audience=Audience(scope="circle", circle_ids=[circle]))
    foreign_need = await need(matching, "Découpeuse laser")
    assert (await ask(matching, ana, hidden.id)).status_code == 404
    assert (await ask(matching, offer.owner_member_id, offer.id)).status_code == 409
    assert (await ask(matching, ana, offer.id, need_id=str(foreign_need.id))).status_code == 403
    for wrong in ({"message": " "}, {"quantity": 0}):
        assert (await ask(matching, ana, offer.id, **wrong)).status_code == 422
    made = (await ask(matching, ana, offer.id)).json()
    for stranger in (ana, eve):
        assert (await reply(matching, stranger, made, accepted=True)).status_code == 404
    client = await matching.client(eve, role="administrator")
    assert (await client.get(f"/introductions/{made['id']}")).status_code == 404
    assert (await client.post(f"/introductions/{made['id']}/withdraw")).status_code == 404


async def test_asking_no_longer_is_told_and_cannot_be_answered(matching: Matching) -> None:
    ana = new_id()
    offer = await matching.listing("Découpeuse laser")
    made = (await ask(matching, ana, offer.id)).json()
    assert (await (await matching.client(ana)).post(f"/introductions/{made['id']}/withdraw")).status_code == 204
    assert (await reply(matching, offer.owner_member_id, made, accepted=True)).status_code == 409
    assert [type(event) for event in await said(matching)] == [IntroductionAsked, IntroductionWithdrawn]
    assert (await ask(matching, ana, offer.id)).json()["id"] != made["id"]


async def test_after_a_no_the_same_is_not_asked_again_for_a_month(matching: Matching) -> None:
    ana = new_id()
    offer, other = await matching.listing("Scie"), await matching.listing("Scie à ruban")
    made = (await ask(matching, ana, offer.id)).json()
    assert (await reply(matching, offer.owner_member_id, made, accepted=False)).status_code == 200
    refused = await ask(matching, ana, offer.id)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:maillage:problem:introduction-declined-lately")
    assert "30 jours" in refused.json()["detail"]
    assert (await ask(matching, ana, other.id)).status_code == 201
    assert (await ask(matching, new_id(), offer.id)).status_code == 201
    await earlier(matching, timedelta(days=REST_DAYS, minutes=1))
    assert (await ask(matching, ana, offer.id)).status_code == 201


async def test_questions_of_a_day_are_limited_also_when_they_are_withdrawn(matching: Matching) -> None:
    ana = new_id()
    offers = [await matching.listing(f"Scie {number}") for number in range(2)]
    client = await matching.client(ana)
    for number in range(MOST_A_DAY):
        made = (await ask(matching, ana, offers[number % 2].id)).json()
        assert (await client.post(f"/introductions/{made['id']}/withdraw")).status_code == 204
    refused = await ask(matching, ana, offers[0].id)
    assert (refused.status_code, refused.json()["type"]) == (429, "urn:maillage:problem:too-many-introductions-today")
    await earlier(matching, timedelta(days=1, minutes=1))
    assert (await ask(matching, ana, offers[0].id)).status_code == 201


async def earlier(matching: Matching, by: timedelta) -> None:
    """As if everything had been asked and answered `by` earlier."""
    async with matching.db.transaction() as session:
        values = {name: introductions.c[name] - by for name in ("asked_at", "changed_at")}
        await session.execute(sa.update(introductions).values(values))


async def test_questions_that_wait_are_limited(matching: Matching) -> None:
    ana = new_id()
    offers = [await matching.listing(f"Scie {number}") for number in range(MOST_OPEN + 1)]
    codes = [(await ask(matching, ana, offer.id)).status_code for offer in offers]
    assert codes == [201] * MOST_OPEN + [409]


async def test_what_was_promised_is_counted_for_all_and_received_by_its_author(matching: Matching) -> None:
    wanted = await need(matching, "Chaises", quantity=10)
    await matching.tell(request(wanted.id, quantity=4))
    owner, other = await matching.client(wanted.owner_member_id), await matching.client(new_id())
    [read] = (await owner.get("/introductions")).json()
    path, here = f"/needs/{wanted.id}/pledges", {"peer": PEER}
    nothing = {"wanted": 10, "unit": "", "promised": 0, "received": 0, "missing": 10, "people": 0}
    assert (await other.get(path)).json() == nothing
    assert (await owner.put(f"{path}/{read['id']}", params=here, json={"received": True})).status_code == 404
    await reply(matching, wanted.owner_member_id, read, accepted=True)
    promised = nothing | {"promised": 4, "missing": 6, "people": 1}
    assert (await other.get(path)).json() == promised
    assert (await other.put(f"{path}/{read['id']}", params=here, json={"received": True})).status_code == 403
    for has_come in (True, True, False, True):
        told = await owner.put(f"{path}/{read['id']}", params=here, json={"received": has_come})
        assert told.status_code == 204
        assert (await other.get(path)).json() == promised | {"received": 4 * has_come}
    assert (await owner.put(f"{path}/{read['id']}", json={"received": True})).status_code == 404
    hidden = await need(matching, "Tables", audience=Audience(scope="circle", circle_ids=[new_id()]))
    assert (await other.get(f"/needs/{hidden.id}/pledges")).status_code == 404


async def test_what_is_gone_and_what_is_too_much_is_declined_at_once(matching: Matching) -> None:
    offer = await matching.listing("Scie")
    await matching.withdraw(offer)
    await matching.tell(request(offer.id))
    [event] = await said(matching)
    assert isinstance(event, IntroductionAnswered)
    assert (event.introduction.status, event.introduction.reason) == ("declined", "gone")
    others = [await matching.listing(f"Scie {number}") for number in range(MOST_OPEN + 1)]
    for one in others:
        await matching.tell(request(one.id))
    answers = [event for event in await said(matching) if isinstance(event, IntroductionAnswered)]
    assert [event.introduction.thing_id for event in answers] == [offer.id, others[-1].id]


async def test_who_leaves_answers_no_and_leaves_nothing(matching: Matching) -> None:
    ana = new_id()
    offer = await matching.listing("Scie")
    await ask(matching, ana, offer.id)
    left = MemberState(id=offer.owner_member_id, name="Ana", role="member", status="left", locale="fr", version=9)
    await matching.tell(MemberChanged(member=left))
    [event] = [event for event in await said(matching) if isinstance(event, IntroductionAnswered)]
    assert (event.introduction.asker.member_id, event.introduction.status) == (ana, "declined")
    assert await count(matching) == 0


async def count(matching: Matching) -> int:
    async with matching.db.reading() as session:
        return (await session.execute(sa.select(sa.func.count()).select_from(introductions))).scalar_one()
