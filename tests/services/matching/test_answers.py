"""The life of a match: who may answer, what is kept, what it changes."""

import random
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from contracts.catalog import Audience, ListingState
from services.chassis.ids import new_id
from services.matching.commands import weighing
from services.matching.domain import SAME_KIND
from services.matching.queries.weights import factors_in_force
from services.matching.tables import proposals, weights
from tests.services.matching.conftest import Matching
from tests.services.matching.test_matches import answer_for, codes, need


async def _a_need_with_offers(matching: Matching) -> tuple[ListingState, list[ListingState]]:
    offers = [await matching.listing(f"Découpeuse laser {name}") for name in ("une", "deux")]
    wanted = await need(matching, "Découpeuse laser")
    await matching.count_words()
    return wanted, offers


async def _answer(matching: Matching, wanted: ListingState, offer: ListingState, **form: object) -> int:
    client = await matching.client(wanted.owner_member_id)
    return (await client.put(f"/needs/{wanted.id}/matches/{offer.id}", json=form)).status_code


async def test_a_declined_offer_is_not_shown_again_and_the_reason_is_kept(matching: Matching) -> None:
    wanted, (one, other) = await _a_need_with_offers(matching)
    assert await _answer(matching, wanted, one, status="declined", reason="too_far") == 204
    assert [item["id"] for item in (await answer_for(matching, wanted))["items"]] == [str(other.id)]
    async with matching.db.reading() as session:
        row = (await session.execute(sa.select(proposals))).mappings().one()
    assert (row["status"], row["reason"]) == ("declined", "too_far")
    assert row["gains"]["relevance"] > 0.5
    assert row["gains"]["kind"] == SAME_KIND


async def test_being_seen_is_no_step_back(matching: Matching) -> None:
    wanted, (one, _) = await _a_need_with_offers(matching)
    for status in ("seen", "contacted", "accepted", "seen"):
        assert await _answer(matching, wanted, one, status=status) == 204
    item = next(item for item in (await answer_for(matching, wanted))["items"] if item["id"] == str(one.id))
    assert item["status"] == "accepted"
    assert item["ask_outcome"] is False


async def test_a_week_after_it_was_accepted_the_outcome_is_asked_once(matching: Matching) -> None:
    wanted, (one, _) = await _a_need_with_offers(matching)
    client = await matching.client(wanted.owner_member_id)
    path = f"/needs/{wanted.id}/matches/{one.id}/outcome"
    refused = await client.put(path, json={"worked": True})
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("match-not-accepted")
    await _answer(matching, wanted, one, status="accepted")
    async with matching.db.transaction() as session:
        before = datetime.now(UTC) - timedelta(days=8)
        await session.execute(sa.update(proposals).values(changed_at=before))
    asked = next(item for item in (await answer_for(matching, wanted))["items"] if item["id"] == str(one.id))
    assert asked["ask_outcome"] is True
    assert (await client.put(path, json={"worked": False})).status_code == 204
    told = next(item for item in (await answer_for(matching, wanted))["items"] if item["id"] == str(one.id))
    assert (told["ask_outcome"], told["outcome"]) == (False, False)


async def test_nobody_else_answers_and_only_what_the_author_may_see(matching: Matching) -> None:
    wanted, (one, _) = await _a_need_with_offers(matching)
    stranger = await matching.client(new_id(), role="coordinator")
    path = f"/needs/{wanted.id}/matches"
    assert (await stranger.put(f"{path}/{one.id}", json={"status": "accepted"})).status_code == 403
    circle = await matching.circle(new_id())
    hidden = await matching.listing("Découpeuse laser", audience=Audience(scope="circle", circle_ids=[circle]))
    assert await _answer(matching, wanted, hidden, status="accepted") == 404
    assert await _answer(matching, wanted, one, status="dreamt") == 422


async def test_who_was_asked_lately_rests_where_two_fit_alike(matching: Matching) -> None:
    wanted, (one, other) = await _a_need_with_offers(matching)
    first = (await answer_for(matching, wanted))["items"][0]
    assert "rested" not in codes(first)
    busy, rested = (one, other) if first["id"] == str(one.id) else (other, one)
    another = await need(matching, "Découpeuse laser pour samedi")
    await matching.count_words()
    assert await _answer(matching, another, busy, status="contacted") == 204
    items = (await answer_for(matching, wanted))["items"]
    assert [item["id"] for item in items] == [str(rested.id), str(busy.id)]
    assert "rested" in codes(items[0])


async def test_what_was_learnt_counts_only_after_a_coordinators_yes(matching: Matching) -> None:
    wanted, _ = await _a_need_with_offers(matching)
    chance = random.Random(1)
    rows = [
        {
            "need_id": new_id(),
            "origin": "",
            "offer_id": new_id(),
            "told_at": datetime.now(UTC),
            "status": "accepted" if kind else "declined",
            "gains": {"relevance": chance.uniform(0.3, 0.6), **kind},
        }
        for kind in [*[{"kind": 0.2}] * 40, *[dict[str, float]()] * 40]
    ]
    async with matching.db.transaction() as session:
        await session.execute(sa.insert(proposals), rows)
    made = await matching.db.run(weighing.propose, now=datetime.now(UTC))
    assert made is not None
    assert made[1].factors["kind"] > 1
    before = (await answer_for(matching, wanted))["items"][0]["score"]
    member, coordinator = await matching.client(new_id()), await matching.client(new_id(), role="coordinator")
    assert (await member.get("/weights")).status_code == 403
    assert (await member.post(f"/weights/{made[0]}/accept")).status_code == 403
    assert (await answer_for(matching, wanted))["items"][0]["score"] == before
    assert (await coordinator.get("/weights")).json()[0]["report"]["answers"] == 80
    assert (await coordinator.post(f"/weights/{made[0]}/accept")).status_code == 204
    assert (await answer_for(matching, wanted))["items"][0]["score"] != before
    assert (await coordinator.post("/weights/999/accept")).status_code == 404


async def test_a_coordinator_can_say_no_and_come_back_to_it(matching: Matching) -> None:
    async with matching.db.transaction() as session:
        rows = [
            {"made_at": datetime.now(UTC), "factors": {"kind": 1.0 + number}, "report": {"answers": 40}}
            for number in range(2)
        ]
        await session.execute(sa.insert(weights), rows)
    member, coordinator = await matching.client(new_id()), await matching.client(new_id(), role="coordinator")
    newest, first = [one["id"] for one in (await coordinator.get("/weights")).json()]
    assert (await member.post(f"/weights/{newest}/decline")).status_code == 403
    assert (await coordinator.post("/weights/999/decline")).status_code == 404
    assert (await coordinator.post(f"/weights/{first}/accept")).status_code == 204
    refused = await coordinator.post(f"/weights/{first}/decline")
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "weights-already-used")
    assert (await coordinator.post(f"/weights/{newest}/decline")).status_code == 204
    declined = (await coordinator.get("/weights")).json()[0]
    assert declined["declined_at"] is not None
    assert declined["accepted_at"] is None
    async with matching.db.reading() as session:
        assert await factors_in_force(session) == {"kind": 1.0}
    assert (await coordinator.post(f"/weights/{newest}/accept")).status_code == 204
    again = (await coordinator.get("/weights")).json()[0]
    assert (again["declined_at"], again["declined_by"]) == (None, None)
    async with matching.db.reading() as session:
        assert await factors_in_force(session) == {"kind": 2.0}
