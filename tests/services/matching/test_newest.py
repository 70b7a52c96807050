"""The newest and nearest of what passes filters, found in indexes: the same as comparing with everything."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.chassis.ids import new_id
from services.matching import cells
from services.matching.commands import labelling
from services.matching.domain import Point, distance_km
from services.matching.loops import Labelling
from services.matching.queries import browsing, nearest
from services.matching.ranking import Circle
from services.matching.tables import labels, things
from tests.services.matching.conftest import Matching

_LILLE = Point(latitude=50.63, longitude=3.06)
_KM = 12
_EAST = (0.0, 3.06, 179.99, -179.95, 180.0, -180.0, 179.5)
Spot = dict[str, Any]


async def _scattered(matching: Matching, count: int) -> list[Spot]:
    """Offers around Lille, changed at different times; a third have a tag."""
    first = await matching.listing("Remorque", category="Prêt", tags=["Été"])
    chance = random.Random(11)
    made: list[Spot] = []
    async with matching.db.transaction() as session:
        row = (await session.execute(sa.select(things).where(things.c.id == first.id))).mappings().one()
        for number in range(count):
            here = Point(latitude=chance.gauss(50.63, 0.1), longitude=chance.gauss(3.06, 0.15))
            key = new_id()
            spot = {
                "id": key,
                "latitude": here.latitude,
                "longitude": here.longitude,
                "cell": cells.cell_of(here),
                "changed_at": datetime.now(UTC) - timedelta(minutes=number),
                "kind": chance.choice(["equipment", "space"]),
                "tags": ["Été"] if chance.random() < 1 / 3 else [],
                "category": "",
            }
            made.append(spot)
            await session.execute(sa.insert(things).values(**{**row, **spot}))
            await labelling.keep(session, "", key)
        await session.execute(sa.delete(things).where(things.c.id == first.id))
    return made


def _inside(made: list[Spot], km: float) -> list[Spot]:
    return [one for one in made if _km(one) <= km]


def _km(one: Spot) -> float:
    return distance_km(_LILLE, Point(latitude=one["latitude"], longitude=one["longitude"]))


async def _asked(matching: Matching, **filters: Any) -> list[UUID]:
    asked = {"limit": 200, **filters}
    return [UUID(item["id"]) for item in (await (await matching.client()).get("/search", params=asked)).json()["items"]]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """No more than these are ranked."""
    monkeypatch.setattr(browsing, "MOST", 40)
    return 40


@pytest.mark.parametrize("sooner", [1000, 1])
async def test_the_newest_in_a_circle_are_those(
    matching: Matching, monkeypatch: pytest.MonkeyPatch, sooner: int, few: int
) -> None:
    """By its cells, and met among the newest of all where very many lie in it."""
    monkeypatch.setattr(browsing, "_SOONER", sooner)
    made = await _scattered(matching, 400)
    await matching.count_words()
    here = {"near": "50.63,3.06", "sort": "newest"}
    assert await _asked(matching, **here, radius_km=_KM) == [one["id"] for one in _inside(made, _KM)][:few]
    assert await _asked(matching, **here, radius_km=700) == [one["id"] for one in made][:few]
    spaces = [one["id"] for one in _inside(made, _KM) if one["kind"] == "space"]
    assert await _asked(matching, **here, radius_km=_KM, kind="space", side="offer") == spaces[:few]
    assert await _asked(matching, **here, radius_km=_KM, kind="space", side="need") == []
    assert await _asked(matching, **here, radius_km=_KM, spoken="nl") == []


async def test_what_is_listed_goes_on_until_enough_may_be_seen(
    matching: Matching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of the newest passes the other filters: older ones that do are still found."""
    monkeypatch.setattr(browsing, "_SPARE", 0.004)
    made = await _scattered(matching, 200)
    async with matching.db.transaction() as session:
        newest = [one["id"] for one in made[:150]]
        await session.execute(sa.update(things).where(things.c.id.in_(newest)).values(scope="circle"))
    older = [one["id"] for one in _inside(made[150:], _KM)]
    found = await _asked(matching, near="50.63,3.06", sort="newest", radius_km=_KM)
    assert found == older


async def test_tags_and_categories_are_listed_in_each_order(matching: Matching, few: int) -> None:
    made = await _scattered(matching, 200)
    tagged = [one for one in made if one["tags"]]
    assert await _asked(matching, tag="ete") == [one["id"] for one in tagged][:few]
    assert (
        await _asked(matching, tag="ÉTÉ", kind="space") == [one["id"] for one in tagged if one["kind"] == "space"][:few]
    )
    near = sorted(tagged, key=_km)
    assert await _asked(matching, tag="été", near="50.63,3.06") == [one["id"] for one in near][:few]
    inside = [one["id"] for one in near if one in _inside(tagged, _KM)]
    assert await _asked(matching, tag="été", near="50.63,3.06", radius_km=_KM) == inside[:few]
    assert await _asked(matching, tag="été", spoken="nl") == []
    assert await _asked(matching, tag="été", side="need") == []


@pytest.mark.parametrize("sooner", [1000, 1])
async def test_of_those_that_are_as_old_or_as_far_the_same_are_taken_wherever_they_are_looked_up(
    matching: Matching, monkeypatch: pytest.MonkeyPatch, sooner: int, few: int
) -> None:
    """A file of things has one date; what peers share lies in the middle of its square kilometre."""
    monkeypatch.setattr(browsing, "_SOONER", sooner)
    made = await _scattered(matching, 120)
    await matching.count_words()
    here = {"latitude": _LILLE.latitude, "longitude": _LILLE.longitude, "cell": cells.cell_of(_LILLE), "tags": ["Été"]}
    await _change(matching, made[::-1], **here)
    assert await _asked(matching, tag="été", near="50.63,3.06") == [one["id"] for one in made][:few]
    await _change(matching, made[::2] + made[1::2], changed_at=datetime.now(UTC))
    last = sorted(one["id"] for one in made)[-few:]
    for filters in ({}, {"tag": "été"}, {"tag": "été", "near": "50.63,3.06"}, {"near": "50.63,3.06", "radius_km": 9}):
        assert sorted(await _asked(matching, **filters)) == last, filters
        assert sorted(await _asked(matching, **filters, sort="newest")) == last, filters


async def _change(matching: Matching, made: list[Spot], **values: Any) -> None:
    """One after the other, so that they lie in that order."""
    async with matching.db.transaction() as session:
        for one in made:
            await session.execute(sa.update(things).where(things.c.id == one["id"]).values(**values))
            await labelling.keep(session, "", one["id"])


async def test_looking_farther_ends_where_all_that_is_near_is_at_one_point(matching: Matching, few: int) -> None:
    """At no distance at all from where one looks, and only few of them for everybody."""
    made = await _scattered(matching, 90)
    here = {"latitude": _LILLE.latitude, "longitude": _LILLE.longitude, "cell": cells.cell_of(_LILLE)}
    await _change(matching, made[: 2 * few], **here)
    await _change(matching, made[few // 2 : 2 * few], scope="cooperative")
    seen = made[: few // 2] + made[2 * few :]
    async with asyncio.timeout(30):
        for radius in ({}, {"radius_km": 400}):
            assert set(await _asked(matching, near="50.63,3.06", **radius)) == {one["id"] for one in seen}, radius
        assert set(await _asked(matching, near="50.63,3.06", radius_km=0.01)) == {one["id"] for one in seen[: few // 2]}


def test_circles_of_one_shape_share_their_statements_even_across_the_date_line() -> None:
    """Else each would have statements composed for it alone, which put the others out of memory."""
    for latitude, km in ((0.0, 10.0), (-17.0, 80.0), (10.0, 1000.0), (88.0, 90.0), (89.99, 5.0), (0.0, 20_100.0)):
        shared = {nearest.like(Circle(centre=Point(latitude=latitude, longitude=east), radius_km=km)) for east in _EAST}
        assert len(shared) <= 2, (latitude, km)  # across that line, and not


async def test_a_changed_thing_has_the_labels_of_now_and_a_withdrawn_one_none(matching: Matching) -> None:
    one = await matching.listing("Remorque", category="Transport", tags=["Vélo", " vélo ", "Été"])
    assert await _labels(matching) == {("category", "transport"), ("tag", "velo"), ("tag", "ete")}
    assert await matching.titles(category="TRANSPORT") == ["Remorque"]
    changed = one.model_copy(update={"tags": ("Hiver",), "category": "", "version": one.version + 1})
    await matching.publish(changed)
    assert await _labels(matching) == {("tag", "hiver")}
    assert await matching.titles(tag="été") == []
    await matching.withdraw(changed)
    assert await _labels(matching) == set()


async def test_what_was_written_without_labels_has_them_after_a_start(matching: Matching) -> None:
    await matching.listing("Remorque", category="Transport", tags=["Été"])
    await matching.listing("Table")
    gone = await matching.listing("Chaise", tags=["Hiver"])
    await matching.withdraw(gone)
    async with matching.db.transaction() as session:
        await session.execute(sa.delete(labels))
    await Labelling(matching.db, seconds=1).run()
    await Labelling(matching.db, seconds=1).run()
    assert await _labels(matching) == {("category", "transport"), ("tag", "ete")}


async def _labels(matching: Matching) -> set[tuple[str, str]]:
    async with matching.db.reading() as session:
        return {(row.what, row.label) for row in await session.execute(sa.select(labels.c.what, labels.c.label))}
