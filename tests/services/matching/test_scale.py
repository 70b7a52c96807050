"""What must hold among very many things: filters before scores, circles, counts that are honest, work beside search."""

import asyncio
import random
from dataclasses import asdict
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.catalog import Audience
from services.chassis.clock import Clock
from services.chassis.ids import new_id
from services.matching import asking, cells, meaning, reindex, taxonomy, words
from services.matching.commands import encoding
from services.matching.domain import Point, distance_km
from services.matching.queries import browsing, candidates
from services.matching.queries.filters import Filters, conditions_of
from services.matching.tables import meanings, things, to_encode
from services.matching.terms import Terms
from tests.bench.matching_circles import disagreements
from tests.services.matching.conftest import LILLE, NAMUR, Matching
from tests.services.matching.test_matches import answer_for, need

NANTES = Point(latitude=47.22, longitude=-1.55)


async def _again(matching: Matching, thing_id: object, times: int) -> None:
    """Let there be `times` more like this one, vectors and all."""
    async with matching.db.transaction() as session:
        ids = [new_id() for _ in range(times)]
        for table in (things, meanings):
            given = [column for column in table.c if column.computed is None]
            rows = (await session.execute(sa.select(*given).where(table.c.id == thing_id))).mappings().all()
            for row in rows:
                await session.execute(sa.insert(table), [{**row, "id": one} for one in ids])


async def test_a_circle_is_the_exact_one_whatever_its_cells(matching: Matching) -> None:
    wrong, held = await disagreements(matching.db, 4000)
    assert wrong == 0
    assert held > 1000


async def test_filters_come_before_the_nearest_are_chosen(matching: Matching) -> None:
    """Hundreds of nearer things that a filter leaves out do not push out the one that it lets through."""
    crowd = await matching.listing("Tondeuse à gazon autoportée", category="Jardin")
    await matching.listing("Grasmaaier", language="nl", place=NAMUR, tags=["Voisins, rue"])
    await matching.encode()
    await _again(matching, crowd.id, candidates.BY_WORDS + 20)
    await matching.count_words()
    asked: dict[str, Any] = {"q": "couper l'herbe d'une pelouse"}
    assert await matching.titles(**asked, spoken="nl") == ["Grasmaaier"]
    assert await matching.titles(**asked, near="50.4674,4.8719", radius_km=30) == ["Grasmaaier"]
    assert await matching.titles(**asked, tag="voisins, rue") == ["Grasmaaier"]
    assert await matching.titles(tag="voisins, RUE") == ["Grasmaaier"]


async def test_what_is_for_a_circle_is_found_by_meaning_where_it_is_and_by_its_kind(matching: Matching) -> None:
    member = new_id()
    audience = Audience(scope="circle", circle_ids=[await matching.circle(member)])
    for title, kind, place in (("Grasmaaier", "machine", NAMUR), ("Grastrimmer", "equipment", LILLE)):
        await matching.listing(title, language="nl", kind=kind, place=place, audience=audience)
    await matching.encode()
    asked: dict[str, Any] = {"q": "couper l'herbe d'une pelouse"}
    assert set(await matching.titles(member, **asked)) == {"Grasmaaier", "Grastrimmer"}
    near = {"near": "50.4674,4.8719", "radius_km": 30}
    assert await matching.titles(member, **asked, **near) == ["Grasmaaier"]
    assert await matching.titles(member, **asked, kind="equipment") == ["Grastrimmer"]
    assert await matching.titles(member, **asked, **near, kind="machine") == ["Grasmaaier"]
    assert await matching.titles(member, **asked, **near, kind="equipment") == []
    assert await matching.titles(new_id(), **asked) == []


async def test_among_very_many_a_need_is_met_by_other_kinds_too(
    matching: Matching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "SMALL", 0)
    await matching.listing("Grasmaaier", language="nl", kind="equipment")
    wanted = await need(matching, "Couper l'herbe d'une pelouse", kind="machine")
    await matching.encode()
    await matching.count_words()
    assert [item["title"] for item in (await answer_for(matching, wanted))["items"]] == ["Grasmaaier"]


async def test_among_very_many_equipment_is_looked_for_beyond_the_nearest_category(
    matching: Matching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "SMALL", 0)
    loaded = meaning.load()
    assert loaded is not None
    asked = loaded.of(["Couper l'herbe d'une pelouse"])[0]
    names = {code: taxonomy.name(code, "fr") for code in meaning.around(asked, 6)[1:]}
    code, title = next((code, name) for code, name in names.items() if loaded.of([name])[0].topics[0] == code)
    made = {kind: await matching.listing(title, kind=kind) for kind in ("equipment", "training")}
    await matching.encode()
    for likely, kinds in (("machine", ["equipment"]), ("training", ["equipment", "training"])):
        assert await _kinds_met(matching, asked, likely) == kinds, (code, likely, made)


async def _kinds_met(matching: Matching, vector: meaning.Vector, likely: str) -> list[str]:
    now = Clock().now()
    filters = Filters(query=words.parsed(""), side="offer")
    wanted = candidates.Wanted(
        conditions=conditions_of(filters, member_id=new_id(), now=now),
        now=now,
        terms=Terms(),
        vector=vector,
        version=await asking.version(),
        total=1,
        side="offer",
        likely_kind=likely,
    )
    async with matching.db.reading() as session:
        return sorted(one.row["kind"] for one in await candidates.candidates(session, wanted))


async def test_what_was_not_counted_to_its_end_is_said_to_be_more(
    matching: Matching, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = await matching.listing("Remorque")
    client = await matching.client()
    few = (await client.get("/search", params={"q": "remorque"})).json()
    assert (few["total"], few["at_least"]) == (1, False)
    await _again(matching, crowd.id, candidates.BY_WORDS + 10)
    await matching.count_words()
    many = (await client.get("/search", params={"q": "remorque"})).json()
    assert many["at_least"] is True
    assert many["total"] == candidates.BY_WORDS
    everything = (await client.get("/search")).json()
    assert (everything["total"], everything["at_least"]) == (candidates.BY_WORDS + 11, False)
    await _again(matching, crowd.id, browsing.MOST)
    everything = (await client.get("/search")).json()
    assert (everything["total"], everything["at_least"]) == (browsing.MOST, True)
    monkeypatch.setattr(browsing, "SMALL", 200)
    await matching.count_words()
    everything = (await client.get("/search")).json()
    assert (everything["total"], everything["at_least"]) == (browsing.AMONG_MANY, True)


async def test_the_nearest_come_first_without_a_word_and_what_has_no_place_last(matching: Matching) -> None:
    for title, place in (("nulle part", None), ("Namur", NAMUR), ("Lille", LILLE)):
        await matching.listing(title, place=place)
    assert await matching.titles(near="50.63,3.06") == ["Lille", "Namur", "nulle part"]
    assert await matching.titles(near="50.63,3.06", radius_km=200) == ["Lille", "Namur"]
    assert await matching.titles(near="50.63,3.06", radius_km=2) == ["Lille"]


async def test_the_nearest_of_many_are_the_nearest_wherever_one_stands(matching: Matching) -> None:
    """In the middle of a town, at its edge, and far from all: the same as comparing with everything."""
    crowd, chance = await matching.listing("Salle"), random.Random(3)
    await _again(matching, crowd.id, browsing.MOST + 200)
    spots: dict[UUID, Point] = {}
    async with matching.db.transaction() as session:
        for thing_id in (await session.execute(sa.select(things.c.id))).scalars():
            spots[thing_id] = Point(latitude=chance.gauss(50.63, 0.1), longitude=chance.gauss(3.06, 0.15))
            where = {**asdict(spots[thing_id]), "cell": cells.cell_of(spots[thing_id])}
            await session.execute(sa.update(things).where(things.c.id == thing_id).values(where))
    for here in (Point(latitude=50.63, longitude=3.06), Point(latitude=50.8, longitude=3.4), NANTES):
        nearest = sorted(spots, key=lambda one: distance_km(here, spots[one]))
        for circle in ({}, {"radius_km": 12}):
            asked = {"near": f"{here.latitude},{here.longitude}", "limit": 200, **circle}
            found = (await (await matching.client()).get("/search", params=asked)).json()["items"]
            inside = [one for one in nearest if distance_km(here, spots[one]) <= circle.get("radius_km", 20_000)]
            assert [UUID(item["id"]) for item in found] == inside[:200]


async def test_a_common_word_in_one_town_is_found_there(matching: Matching) -> None:
    crowd = await matching.listing("Salle", kind="space")
    await _again(matching, crowd.id, 650)
    await matching.listing("Grande salle", kind="space", place=NAMUR)
    await matching.listing("Chaises de salle", kind="equipment", place=NAMUR)
    await matching.count_words()
    asked: dict[str, Any] = {"q": "salle", "near": "50.4674,4.8719", "radius_km": 30}
    assert sorted(await matching.titles(**asked)) == ["Chaises de salle", "Grande salle"]
    assert await matching.titles(**asked, kind="space") == ["Grande salle"]


async def test_words_are_found_while_vectors_are_made_and_while_all_is_indexed_anew(matching: Matching) -> None:
    await matching.listing("Scie à ruban")
    await matching.count_words()
    async with matching.db.transaction() as session:  # somebody makes vectors and has not ended
        await session.execute(sa.select(to_encode).with_for_update())
        await matching.listing("Scie sauteuse")
        assert sorted(await matching.titles(q="scie")) == ["Scie sauteuse", "Scie à ruban"]
    work = asyncio.create_task(reindex.reindex(matching.db))
    answers = [await matching.titles(q="scie")]
    while not work.done():
        answers.append(await matching.titles(q="scie"))
    assert await work == 2
    assert {tuple(sorted(one)) for one in answers} == {("Scie sauteuse", "Scie à ruban")}
    loaded = meaning.load()
    if loaded is not None:
        assert await matching.db.run(encoding.encode_some, loaded) == 0
