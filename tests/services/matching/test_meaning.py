"""Found by meaning: needs without a word in common, backlogs, other models, facets and suggestions."""

import functools
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from contracts.catalog import Audience
from services.chassis.ids import new_id
from services.matching import meaning, shelves
from services.matching.commands import encoding, proposing
from services.matching.tables import meanings, things, to_encode, to_match
from tests.services.matching.conftest import LILLE, NAMUR, Matching


async def _some_offers(matching: Matching) -> None:
    await matching.listing("Cuisine professionnelle agréée, créneaux le lundi", kind="space")
    await matching.listing("Expert-comptable spécialisé en Scop", kind="expertise", place=NAMUR)
    await matching.listing("Bétonnière 160 litres", kind="machine")
    await matching.count_words()
    await matching.encode()


async def test_what_shares_no_word_is_found_by_meaning_and_the_reason_names_the_category(matching: Matching) -> None:
    await _some_offers(matching)
    answer = await (await matching.client()).get("/search", params={"q": "préparer des plats à vendre"})
    found = answer.json()
    assert found["by_meaning"] is True
    assert found["nearest"] is False
    assert found["items"][0]["title"].startswith("Cuisine")
    assert {"code": "topic", "value": "Cuisine professionnelle"} in found["items"][0]["reasons"]
    dutch = await matching.titles(q="boekhouder gezocht")
    assert dutch[0].startswith("Expert-comptable")


async def test_where_nothing_fits_the_nearest_in_meaning_are_shown_and_said_to_be(matching: Matching) -> None:
    await _some_offers(matching)
    found = (await (await matching.client()).get("/search", params={"q": "xkqz wvjh", "kind": "machine"})).json()
    assert [item["title"] for item in found["items"]] == ["Bétonnière 160 litres"]
    assert found["nearest"] is True


async def test_a_backlog_of_vectors_never_blocks_words_and_both_sides_are_told_afterwards(matching: Matching) -> None:
    wanted = await matching.listing(
        "Préparer des plats à vendre", side="need", kind="space", audience=Audience(scope="cooperative")
    )
    await matching.listing("Cuisine professionnelle agréée", kind="space")
    await matching.listing("Plats jetables en carton", kind="material")
    await matching.count_words()
    assert await matching.titles(q="cuisine", side="offer") == ["Cuisine professionnelle agréée"]
    before = {proposal.title for event in await matching.propose() for proposal in event.proposals}
    assert "Cuisine professionnelle agréée" not in before
    await matching.encode()
    said = [event for event in await matching.propose() if event.need_id == wanted.id]
    assert "Cuisine professionnelle agréée" in {proposal.title for event in said for proposal in event.proposals}


async def test_a_need_comes_before_an_import_that_waits_and_so_does_the_latest_offer(matching: Matching) -> None:
    loaded = meaning.load()
    assert loaded is not None
    await matching.listing("Lieu importé le premier")
    wanted = await matching.listing("Couper du bois de chauffage", side="need")
    for number in range(encoding.BATCH + 4):
        await matching.listing(f"Lieu importé {number}")
    latest = await matching.listing("Tronçonneuse")
    await matching.db.run(encoding.encode_some, loaded)
    await matching.db.run(proposing.compare_next, now=datetime.now(UTC), farthest_km=150)
    async with matching.db.reading() as session:
        encoded = set((await session.execute(sa.select(meanings.c.id))).scalars())
        waiting = set((await session.execute(sa.select(to_match.c.id))).scalars())
    assert {wanted.id, latest.id} < encoded
    assert wanted.id not in waiting
    assert latest.id in waiting


async def test_vectors_of_another_model_do_not_count_and_are_made_again(matching: Matching) -> None:
    await _some_offers(matching)
    async with matching.db.transaction() as session:
        await session.execute(sa.update(meanings).values(model="another"))
    assert await matching.titles(q="préparer des plats à vendre") == []
    await matching.encode()
    assert (await matching.titles(q="préparer des plats à vendre"))[0].startswith("Cuisine")


async def test_vectors_stand_where_they_are_looked_for(matching: Matching) -> None:
    """The database counts the numbers of shelves, also after a change of what is in them."""
    state = await matching.listing("Bétonnière 160 litres")
    await matching.listing(
        "Couper du bois de chauffage", side="need", audience=Audience(scope="circle", circle_ids=[new_id()])
    )
    await matching.encode()
    await matching.publish(state.model_copy(update={"version": 2, "kind": "training"}))
    async with matching.db.reading() as session:
        rows = (await session.execute(sa.select(meanings))).all()
    for row in rows:
        of = functools.partial(shelves.numbers, row.model, [row.side], [row.kind], is_open=row.open)
        assert ([row.aisle], [row.shelf]) == (of(None), of([row.topic]))
    assert {row.open: row.kind for row in rows}[True] == "training"
    assert len({row.aisle for row in rows}) == len({row.shelf for row in rows}) == len(rows) == 2


async def test_what_changes_or_goes_takes_its_vector_along(matching: Matching) -> None:
    state = await matching.listing("Bétonnière 160 litres")
    await matching.encode()
    changed = state.model_copy(update={"title": "Leçons de piano", "version": 2, "kind": "training"})
    await matching.publish(changed)
    async with matching.db.reading() as session:
        assert (await session.execute(sa.select(meanings.c.kind))).scalars().all() == ["training"]
        assert (await session.execute(sa.select(sa.func.count()).select_from(to_encode))).scalar_one() == 1
    await matching.encode()
    async with matching.db.reading() as session:
        assert (await session.execute(sa.select(meanings.c.topic))).scalar_one() != "build.masonry"
    await matching.withdraw(changed)
    async with matching.db.reading() as session:
        assert (await session.execute(sa.select(sa.func.count()).select_from(meanings))).scalar_one() == 0
        assert (await session.execute(sa.select(things.c.gone))).scalar_one() is True


async def test_facets_count_what_was_found(matching: Matching) -> None:
    await matching.listing("Tente de réception", kind="equipment", place=LILLE)
    await matching.listing("Tente pliante", kind="equipment", place=NAMUR)
    await matching.listing("Montage de tente", kind="help", place=LILLE, language="nl")
    await matching.count_words()
    await matching.encode()
    answer = await (await matching.client()).get("/search", params={"q": "tente", "near": "50.63,3.06"})
    facets = {
        name: {choice["value"]: choice["count"] for choice in choices}
        for name, choices in answer.json()["facets"].items()
    }
    assert facets["kind"] == {"equipment": 2, "help": 1}
    assert facets["spoken"] == {"fr": 2, "nl": 1}
    assert facets["km"]["10"] == 2
    assert await matching.titles(q="tente", spoken="nl") == ["Montage de tente"]
    assert await matching.titles(q="tente", topic="event.tents", kind="equipment", near="50.63,3.06", radius_km=20) == [
        "Tente de réception"
    ]
    assert await matching.titles(q="tente", topic="food") == []


async def test_order_can_be_chosen(matching: Matching) -> None:
    await matching.listing("Tente ancienne", place=LILLE)
    await matching.listing("Tente tente récente", place=NAMUR)
    near: dict[str, Any] = {"q": "tente", "near": "50.63,3.06"}
    assert (await matching.titles(**near, sort="nearest"))[0] == "Tente ancienne"
    assert (await matching.titles(**near, sort="newest"))[0] == "Tente tente récente"


async def test_quotes_must_be_there_and_minus_must_not(matching: Matching) -> None:
    await matching.listing("Salle de réunion avec écran")
    await matching.listing("Réunion de la salle")
    await matching.listing("Vélo enfant")
    await matching.listing("Vélo adulte")
    await matching.count_words()
    await matching.encode()
    assert await matching.titles(q='"salle de réunion"') == ["Salle de réunion avec écran"]
    assert "Vélo enfant" not in await matching.titles(q="vélo -enfant")
    assert "Vélo adulte" in await matching.titles(q="vélo -enfant")


async def test_suggestions_begin_as_typed_and_show_nothing_that_is_not_for_the_reader(matching: Matching) -> None:
    circle = await matching.circle(new_id())
    await matching.listing("Découpeuse laser")
    await matching.listing("Découpe secrète", audience=Audience(scope="circle", circle_ids=[circle]))
    await matching.count_words()
    client = await matching.client()
    for typed in ("déc", "decoup", "découpeuse", "laser déc"):
        found = (await client.get("/suggestions", params={"q": typed})).json()
        assert found["titles"] == ["Découpeuse laser"], typed
    assert (await client.get("/suggestions", params={"q": "soud"})).json()["categories"][0][
        "name"
    ] == "Métal et soudure"
    for odd in ("", "%", "_", "\\", "'", "a", "😀"):
        assert (await client.get("/suggestions", params={"q": odd})).status_code == 200


async def test_a_title_has_its_category(matching: Matching) -> None:
    client = await matching.client()
    near = (await client.get("/categories", params={"text": "Bétonnière 160 litres"})).json()
    assert near[0]["name"] == "Maçonnerie et béton"
    everything = (await client.get("/categories")).json()
    assert len(everything) > 100
    loaded = meaning.load()
    assert loaded is not None
