"""Saved searches: what they find, whom they tell, how often, and what is left of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from contracts.booking import BusyChanged
from contracts.catalog import Audience
from contracts.federation import LinkChanged, LinkState
from contracts.identity import MemberChanged, MemberState
from contracts.matching import SearchesFound
from services.chassis.clock import Clock
from services.chassis.ids import new_id
from services.matching.commands import alerting
from services.matching.loops import Alerting, Proposing
from services.matching.member_tables import alerted, saved_searches
from services.matching.tables import outbox
from tests.services.matching.conftest import NAMUR, Matching
from tests.services.matching.test_index import PEER, received

LILLE = {"label": "Lille", "latitude": 50.63, "longitude": 3.06, "radius_km": 30}


class Later(Clock):
    """A clock that is ahead."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


async def save(matching: Matching, member_id: UUID, words: str = "découpeuse laser", **form: Any) -> str:
    body = {"name": words or "tout", "words": words, "how": "instant"} | form
    answer = await (await matching.client(member_id)).post("/saved-searches", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def told(
    matching: Matching, *, ahead: timedelta = timedelta(), a_day: int = 10, meaning: bool = False
) -> list[SearchesFound]:
    """Look at all that waits, tell what is due; all that was said until now."""
    await Proposing(matching.db, seconds=1, farthest_km=150, meaning=meaning).compare_all()
    await Alerting(matching.db, seconds=1, time_zone="Europe/Paris", a_day=a_day, clock=Later(ahead)).tell_all()
    async with matching.db.reading() as session:
        chosen = sa.select(outbox.c.data).where(outbox.c.type == SearchesFound.type).order_by(outbox.c.id)
        return [SearchesFound.model_validate_json(data) for data in (await session.execute(chosen)).scalars()]


def titles(said: list[SearchesFound], member_id: UUID) -> list[str]:
    return [
        thing.title
        for event in said
        if event.member_id == member_id
        for search in event.searches
        for thing in search.found
    ]


async def test_a_new_offer_is_told_once_with_the_search_that_found_it(matching: Matching) -> None:
    ana = new_id()
    search_id = await save(matching, ana)
    state = await matching.listing("Découpeuse laser 60 × 90")
    await matching.listing("Salle de réunion", kind="space")
    [event] = await told(matching)
    assert (event.member_id, event.how) == (ana, "instant")
    assert [(str(one.search_id), one.name, one.total) for one in event.searches] == [(search_id, "découpeuse laser", 1)]
    assert titles([event], ana) == ["Découpeuse laser 60 × 90"]
    await matching.publish(state.model_copy(update={"version": 2, "title": "Découpeuse laser 60 × 120"}))
    assert len(await told(matching)) == 1


async def test_two_searches_of_a_member_tell_of_the_same_offer_once(matching: Matching) -> None:
    ana, bea = new_id(), new_id()
    for member, words in ((ana, "découpeuse"), (ana, "laser"), (bea, "laser")):
        await save(matching, member, words)
    await matching.listing("Découpeuse laser")
    said = await told(matching)
    assert [len(titles(said, member)) for member in (ana, bea)] == [1, 1]


@pytest.mark.parametrize("kept", [["weekly", "instant", "daily"], ["instant", "weekly"]])
async def test_of_several_searches_the_one_that_tells_soonest_does(matching: Matching, kept: list[str]) -> None:
    ana = new_id()
    for how in kept:
        await save(matching, ana, name=how, how=how)
    await matching.listing("Découpeuse laser")
    [event] = await told(matching)
    assert (event.how, [one.name for one in event.searches]) == ("instant", ["instant"])
    assert titles(await told(matching, ahead=timedelta(days=8)), ana) == ["Découpeuse laser"]


async def test_what_was_there_before_is_not_told_also_when_it_is_booked(matching: Matching) -> None:
    ana = new_id()
    old = await matching.listing("Découpeuse laser")
    await told(matching)
    await save(matching, ana)
    busy = BusyChanged(
        offer_id=old.id, since=datetime.now(UTC), until=datetime.now(UTC) + timedelta(days=1), busy=[], version=2
    )
    await matching.tell(busy)
    assert await told(matching) == []
    await matching.publish(old.model_copy(update={"version": 2, "text": "Avec aspiration"}))
    assert titles(await told(matching), ana) == ["Découpeuse laser"]


async def test_ones_own_offers_and_those_of_ones_circles_are_no_news(matching: Matching) -> None:
    ana = new_id()
    circle = await matching.circle(ana)
    await save(matching, ana)
    await matching.listing("Découpeuse laser", owner_member_id=ana)
    await matching.listing("Découpeuse laser du cercle", owner_circle_id=circle)
    assert await told(matching) == []


async def test_nobody_is_told_of_what_is_not_for_them(matching: Matching) -> None:
    ana, bea = new_id(), new_id()
    circle = await matching.circle(bea)
    for member in (ana, bea):
        await save(matching, member)
    await matching.listing("Découpeuse laser", audience=Audience(scope="circle", circle_ids=[circle]))
    said = await told(matching)
    assert (titles(said, ana), titles(said, bea)) == ([], ["Découpeuse laser"])


async def test_what_a_member_may_no_longer_see_when_the_digest_goes_out_is_not_in_it(matching: Matching) -> None:
    ana = new_id()
    await save(matching, ana, how="daily")
    kept, narrowed, gone = [await matching.listing(f"Découpeuse laser {name}") for name in ("une", "deux", "trois")]
    assert await told(matching) == []
    circle = await matching.circle(new_id())
    audience = Audience(scope="circle", circle_ids=[circle])
    await matching.publish(narrowed.model_copy(update={"version": 2, "audience": audience}))
    await matching.withdraw(gone)
    said = await told(matching, ahead=timedelta(days=1))
    assert titles(said, ana) == [kept.title]
    assert said[0].how == "daily"


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        ({"kind": "machine"}, 3),
        ({"kind": "space"}, 0),
        ({"side": "need"}, 0),
        ({"around": LILLE}, 1),
        ({"around": LILLE | {"radius_km": 300}}, 2),
        ({"origin": "ours"}, 2),
        ({"origin": PEER}, 1),
        ({"words": '"découpeuse laser" -namur'}, 2),
        ({"words": ""}, 3),
        ({"words": "tricot"}, 0),
    ],
)
async def test_each_criterion_narrows_it(matching: Matching, criteria: dict[str, Any], found: int) -> None:
    ana = new_id()
    await save(matching, ana, **({"words": "découpeuse laser", "name": "une"} | criteria))
    await matching.listing("Découpeuse laser à Lille")
    await matching.listing("Découpeuse laser à Namur", place=NAMUR)
    await matching.tell(received(new_id(), "Découpeuse laser d'ailleurs"))
    assert len(titles(await told(matching), ana)) == found


async def test_it_finds_by_meaning_what_shares_no_word(matching: Matching) -> None:
    ana = new_id()
    await save(matching, ana, "cours de couture")
    await matching.listing("Atelier avec machines à coudre")
    assert await told(matching) == []
    await matching.encode()
    assert titles(await told(matching, meaning=True), ana) == ["Atelier avec machines à coudre"]


async def test_a_digest_gathers_until_the_morning_and_the_week_until_monday() -> None:
    paris = ZoneInfo("Europe/Paris")
    wednesday = datetime(2031, 3, 19, 6, 59, tzinfo=paris)
    due = alerting.due_at(wednesday, "Europe/Paris", a_day=10)
    assert (due.daily, due.weekly) == (
        datetime(2031, 3, 18, 7, tzinfo=paris),
        datetime(2031, 3, 17, 7, tzinfo=paris),
    )
    assert alerting.due_at(datetime(2031, 3, 31, 7, 0, tzinfo=paris), "Europe/Paris", a_day=1).weekly == datetime(
        2031, 3, 31, 7, tzinfo=paris
    )


async def test_beyond_the_limit_of_a_day_the_rest_comes_with_the_mornings_digest(matching: Matching) -> None:
    ana = new_id()
    await save(matching, ana)
    said: list[SearchesFound] = []
    for number in range(3):
        await matching.listing(f"Découpeuse laser {number}")
        said = await told(matching, a_day=2)
    assert [event.how for event in said] == ["instant", "instant"]
    said = await told(matching, a_day=2, ahead=timedelta(hours=23, minutes=59))
    assert [event.how for event in said[2:]] == ["daily"]
    assert len(set(titles(said, ana))) == 3


async def test_paused_it_tells_nothing_and_resumed_only_what_comes_from_then_on(matching: Matching) -> None:
    ana = new_id()
    search_id = await save(matching, ana, how="daily")
    await matching.listing("Découpeuse laser une")
    await told(matching)
    form = {"name": "Laser", "words": "découpeuse laser", "how": "instant"}
    client = await matching.client(ana)
    assert (await client.put(f"/saved-searches/{search_id}", json=form | {"paused": True})).status_code == 200
    await matching.listing("Découpeuse laser deux")
    assert await told(matching, ahead=timedelta(days=8)) == []
    assert (await client.put(f"/saved-searches/{search_id}", json=form | {"paused": False})).status_code == 200
    await matching.listing("Découpeuse laser trois")
    assert titles(await told(matching), ana) == ["Découpeuse laser trois"]


async def test_the_link_of_a_mail_stops_its_search_alone_and_only_with_its_key(matching: Matching) -> None:
    ana = new_id()
    search_id, other_id = await save(matching, ana), await save(matching, ana, "scie")
    await matching.listing("Découpeuse laser")
    key = (await told(matching))[0].searches[0].key
    nobody = await matching.client()
    path = f"/saved-searches/{search_id}/stop"
    assert (await nobody.get(path, params={"key": key})).json() == {"name": "découpeuse laser"}
    for wrong in ("", "x" * len(key), key + "é"):
        assert (await nobody.post(path, params={"key": wrong})).status_code == 404
    assert (await nobody.post(f"/saved-searches/{other_id}/stop", params={"key": key})).status_code == 404
    assert (await nobody.post(path, params={"key": key})).status_code == 200
    listed = (await (await matching.client(ana)).get("/saved-searches")).json()
    assert {one["name"]: one["paused"] for one in listed} == {"découpeuse laser": True, "scie": False}


async def test_searches_are_their_members_alone_and_limited(matching: Matching) -> None:
    ana = new_id()
    search_id = await save(matching, ana)
    stranger = await matching.client(new_id(), role="administrator")
    form = {"name": "Laser", "words": "", "how": "daily"}
    assert (await stranger.put(f"/saved-searches/{search_id}", json=form)).status_code == 404
    assert (await stranger.delete(f"/saved-searches/{search_id}")).status_code == 404
    assert (await stranger.get("/saved-searches")).json() == []
    client = await matching.client(ana)
    for wrong in ({"name": " "}, {"how": "hourly"}, {"around": {"latitude": 91, "longitude": 0}}):
        assert (await client.post("/saved-searches", json=form | wrong)).status_code == 422
    codes = [(await client.post("/saved-searches", json=form)).status_code for _ in range(20)]
    assert codes == [201] * 19 + [409]
    assert (await client.delete(f"/saved-searches/{search_id}")).status_code == 204
    assert (await client.post("/saved-searches", json=form)).status_code == 201


async def test_who_leaves_leaves_no_search_and_the_export_has_them_before(matching: Matching) -> None:
    ana = new_id()
    await save(matching, ana)
    await matching.listing("Découpeuse laser")
    await told(matching)
    taken = (await (await matching.client(ana)).get("/me/data")).json()
    assert [one["words"] for one in taken["saved_searches"]] == ["découpeuse laser"]
    assert len(taken["alerts"]) == 1
    left = MemberState(id=ana, name="Ana", role="member", status="left", locale="fr", version=9)
    await matching.tell(MemberChanged(member=left))
    async with matching.db.reading() as session:
        for table in (saved_searches, alerted):
            assert (await session.execute(sa.select(sa.func.count()).select_from(table))).scalar_one() == 0


async def test_nothing_of_a_peer_is_told_after_its_link_has_ended(matching: Matching) -> None:
    ana = new_id()
    await save(matching, ana, how="daily")
    await matching.tell(received(new_id(), "Découpeuse laser"))
    await told(matching)
    link = LinkState(link_id=new_id(), peer_id=PEER, peer_name="Namur", peer_web="", status="ended", version=9)
    await matching.tell(LinkChanged(link=link))
    assert await told(matching, ahead=timedelta(days=1)) == []


async def test_a_member_is_told_by_one_replica_at_a_time(matching: Matching) -> None:
    ana, bea = new_id(), new_id()
    for member in (ana, bea):
        await save(matching, member)
    await matching.listing("Découpeuse laser")
    await Proposing(matching.db, seconds=1, farthest_km=150, meaning=False).compare_all()
    due = alerting.due_at(datetime.now(UTC) + timedelta(minutes=1), "Europe/Paris", a_day=10)
    async with matching.db.transaction() as one, matching.db.transaction() as other, matching.db.transaction() as third:
        assert await alerting.tell_next(one, due)
        assert await alerting.tell_next(other, due)
        assert not await alerting.tell_next(third, due)
    said = await told(matching)
    assert sorted(event.member_id for event in said) == sorted([ana, bea])
