"""Later: whether matches worked out, and needs that nobody answered, widened only by their author."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from contracts.catalog import Audience
from contracts.identity import Place
from contracts.matching import NeedUnanswered, NeedWidened, OutcomeAsked
from services.chassis.ids import new_id
from services.matching.commands.following_up import Patience
from services.matching.loops import FollowingUp
from services.matching.tables import proposals
from tests.services.matching.conftest import Matching
from tests.services.matching.test_introductions import ask, match_status, said
from tests.services.matching.test_matches import answer_for, need
from tests.services.matching.test_saved_searches import Later

COOPERATIVE = Audience(scope="cooperative")
FAR_AWAY = Place(label="Lyon", latitude=45.76, longitude=4.84)


async def follow_up(matching: Matching, *, days: float = 0) -> None:
    patience = Patience(days=7, farthest_km=300)
    await FollowingUp(matching.db, seconds=1, patience=patience, clock=Later(timedelta(days=days))).ask_all()


async def widenings(matching: Matching) -> list[NeedUnanswered]:
    return [event for event in await said(matching) if isinstance(event, NeedUnanswered)]


async def test_a_week_after_a_yes_its_author_is_asked_once_and_answers_by_the_link_alone(matching: Matching) -> None:
    offer = await matching.listing("Découpeuse laser")
    wanted = await need(matching, "Découpeuse laser")
    await matching.count_words()
    client = await matching.client(wanted.owner_member_id)
    await client.put(f"/needs/{wanted.id}/matches/{offer.id}", json={"status": "accepted"})
    await follow_up(matching, days=6.9)
    assert [event for event in await said(matching) if isinstance(event, OutcomeAsked)] == []
    for _ in range(2):
        await follow_up(matching, days=7.1)
    [asked] = [event for event in await said(matching) if isinstance(event, OutcomeAsked)]
    assert (asked.member_id, asked.offer_title) == (wanted.owner_member_id, offer.title)
    nobody = await matching.client()
    assert (await nobody.get(f"/outcomes/{asked.key}")).json() == {
        "need_title": wanted.title,
        "offer_title": offer.title,
        "outcome": None,
    }
    for wrong in ("x" * len(asked.key), "None"):
        assert (await nobody.put(f"/outcomes/{wrong}", json={"worked": False})).status_code == 404
    assert (await nobody.put(f"/outcomes/{asked.key}", json={"worked": False})).status_code == 204
    async with matching.db.reading() as session:
        assert (await session.execute(sa.select(proposals.c.outcome))).scalar_one() is False


async def test_what_a_page_shows_is_seen_and_never_steps_back(matching: Matching) -> None:
    one, other = [await matching.listing(f"Découpeuse laser {name}") for name in ("une", "deux")]
    circle = await matching.circle(new_id())
    hidden = await matching.listing("Scie", audience=Audience(scope="circle", circle_ids=[circle]))
    wanted = await need(matching, "Découpeuse laser")
    await matching.count_words()
    client = await matching.client(wanted.owner_member_id)
    await client.put(f"/needs/{wanted.id}/matches/{one.id}", json={"status": "accepted"})
    shown = {"offers": [{"offer_id": str(offer.id)} for offer in (one, other, hidden)]}
    assert (await client.post(f"/needs/{wanted.id}/seen", json=shown)).status_code == 204
    assert await match_status(matching, wanted, one.id) == ("accepted", None)
    assert await match_status(matching, wanted, other.id) == ("seen", None)
    async with matching.db.reading() as session:
        assert (await session.execute(sa.select(sa.func.count()).select_from(proposals))).scalar_one() == 2
    stranger = await matching.client(new_id(), role="coordinator")
    assert (await stranger.post(f"/needs/{wanted.id}/seen", json=shown)).status_code == 403


async def test_a_need_that_nobody_answered_is_asked_about_once_and_stays_as_it_is(matching: Matching) -> None:
    wanted = await need(matching, "Découpeuse laser", audience=COOPERATIVE)
    await follow_up(matching, days=6.9)
    assert await widenings(matching) == []
    for _ in range(2):
        await follow_up(matching, days=7.1)
    [event] = await widenings(matching)
    assert (event.member_id, event.days, event.radius_km, event.scope) == (wanted.owner_member_id, 7, 600, "peers")
    assert [event for event in await said(matching) if isinstance(event, NeedWidened)] == []
    view = (await answer_for(matching, wanted))["widening"]
    assert (view["widened"], view["scope"]) == (None, "peers")


async def test_answered_needs_and_those_that_could_go_no_farther_are_left_alone(matching: Matching) -> None:
    offer = await matching.listing("Découpeuse laser")
    answered = await need(matching, "Découpeuse laser", audience=COOPERATIVE)
    helped = await need(matching, "Chaises", audience=COOPERATIVE)
    await need(matching, "Une formation", kind="training", audience=Audience(scope="peers"))
    await need(matching, "Un conseil", kind="expertise", place=None, audience=Audience(scope="public"))
    await matching.count_words()
    await ask(matching, answered.owner_member_id, offer.id, need_id=str(answered.id))
    await ask(matching, new_id(), helped.id, quantity=2)
    await follow_up(matching, days=8)
    assert await widenings(matching) == []


async def test_once_somebody_came_to_help_nobody_is_asked_to_widen_any_more(matching: Matching) -> None:
    wanted = await need(matching, "Chaises", audience=COOPERATIVE)
    await follow_up(matching, days=8)
    assert (await answer_for(matching, wanted))["widening"]["widened"] is None
    await ask(matching, new_id(), wanted.id, quantity=2)
    assert (await answer_for(matching, wanted))["widening"] is None


async def test_only_its_author_widens_it_and_then_farther_offers_count(matching: Matching) -> None:
    far = await matching.listing("Découpeuse laser", place=FAR_AWAY)
    wanted = await need(matching, "Découpeuse laser", audience=COOPERATIVE)
    await matching.count_words()
    assert [one["missing"]["code"] for one in (await answer_for(matching, wanted))["near_misses"]] == ["distance"]
    await follow_up(matching, days=8)
    assert (await answer_for(matching, wanted))["items"] == []
    assert await _widen(matching, new_id(), wanted.id, widen=True) == 403
    assert await _widen(matching, wanted.owner_member_id, wanted.id, widen=True) == 204
    assert [one["id"] for one in (await answer_for(matching, wanted))["items"]] == [str(far.id)]
    [event] = [event for event in await said(matching) if isinstance(event, NeedWidened)]
    assert (event.by, event.scope) == (wanted.owner_member_id, "peers")
    assert await _widen(matching, wanted.owner_member_id, wanted.id, widen=False) == 204
    assert (await answer_for(matching, wanted))["widening"]["widened"] is True


async def test_a_no_to_widening_stays_a_no(matching: Matching) -> None:
    await matching.listing("Découpeuse laser", place=FAR_AWAY)
    wanted = await need(matching, "Découpeuse laser", audience=COOPERATIVE)
    await matching.count_words()
    assert await _widen(matching, wanted.owner_member_id, wanted.id, widen=True) == 404
    await follow_up(matching, days=8)
    assert await _widen(matching, wanted.owner_member_id, wanted.id, widen=False) == 204
    assert await _widen(matching, wanted.owner_member_id, wanted.id, widen=True) == 204
    await follow_up(matching, days=30)
    assert [event for event in await said(matching) if isinstance(event, NeedWidened)] == []
    assert len(await widenings(matching)) == 1
    assert (await answer_for(matching, wanted))["items"] == []


async def _widen(matching: Matching, member: UUID, need_id: UUID, *, widen: bool) -> int:
    client = await matching.client(member, role="administrator")
    return (await client.post(f"/needs/{need_id}/widening", json={"widen": widen})).status_code
