"""Search over HTTP, against PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from contracts.catalog import Audience
from services.chassis.ids import new_id
from services.matching.terms import Part, terms_of
from tests.services.matching.conftest import LILLE, NAMUR, Matching


async def test_words_are_found_whatever_accents_case_and_endings(matching: Matching) -> None:
    await matching.listing("Découpeuses laser", category="Fablab")
    await matching.listing("Salle de réunion", text="Avec vidéoprojecteur")
    await matching.count_words()
    assert await matching.titles(q="DECOUPEUSE") == ["Découpeuses laser"]
    assert await matching.titles(q="réunions") == ["Salle de réunion"]
    assert await matching.titles(q="je cherche un videoprojecteur, svp") == ["Salle de réunion"]
    assert await matching.titles(q="fablab") == ["Découpeuses laser"]


async def test_words_joined_by_signs_are_words(matching: Matching) -> None:
    await matching.listing("Cours de natation/monitrice")
    await matching.count_words()
    assert await matching.titles(q="monitrice") == ["Cours de natation/monitrice"]


@pytest.mark.parametrize(
    "name", ["MX500e", "Z6s", "Guillotineac66ce", "5dab7a", "1e5", "2e", "3D", "A4", "v2s", "10ers"]
)
async def test_names_with_figures_have_no_endings(matching: Matching, name: str) -> None:
    """Stems are cut from words; PostgreSQL's parser leaves what has a figure in it as it is."""
    await matching.listing(f"{name} pour papier")
    await matching.listing("Presse pour papier")
    async with matching.db.reading() as session:
        found = await terms_of(session, Part(text=name, language="fr"))
        kept = (await session.execute(sa.text("SELECT unnest(tsvector_to_array(words)) FROM things"))).scalars().all()
    assert found.terms
    assert {term.lexeme for term in found.terms} <= set(kept)


async def test_a_misspelt_word_finds_its_neighbour(matching: Matching) -> None:
    await matching.listing("Tronçonneuse thermique")
    await matching.listing("Perceuse à colonne")
    await matching.count_words()
    assert await matching.titles(q="tronconeuse") == ["Tronçonneuse thermique"]


async def test_rare_words_weigh_more_than_common_ones(matching: Matching) -> None:
    for number in range(8):
        await matching.listing(f"Machine à bois {number}")
    await matching.listing("Machine à broder")
    await matching.count_words()
    assert (await matching.titles(q="machine broder"))[0] == "Machine à broder"


async def test_a_radius_is_a_filter_and_the_nearest_come_first(matching: Matching) -> None:
    await matching.listing("Presse à pommes loin", place=NAMUR)
    await matching.listing("Presse à pommes ici", place=LILLE)
    await matching.listing("Presse à pommes quelque part", place=None)
    await matching.count_words()
    near: dict[str, Any] = {"q": "presse", "near": "50.63,3.06"}
    assert (await matching.titles(**near))[0] == "Presse à pommes ici"
    assert await matching.titles(**near, radius_km=20) == ["Presse à pommes ici"]
    answer = (await (await matching.client()).get("/search", params=near)).json()
    assert answer["total"] == 3
    assert {"code": "words", "value": "presse"} in answer["items"][0]["reasons"]
    assert 0 < answer["items"][0]["distance_km"] < 3


async def test_nobody_finds_what_is_not_meant_for_them(matching: Matching) -> None:
    ana, ben, owner = new_id(), new_id(), new_id()
    circle = await matching.circle(ana)
    for scope in ("public", "peers", "cooperative"):
        await matching.listing(scope, audience=Audience(scope=scope))
    await matching.listing("circle", audience=Audience(scope="circle", circle_ids=[circle]), owner_member_id=owner)
    assert sorted(await matching.titles()) == ["public"]
    assert sorted(await matching.titles(ben)) == ["cooperative", "peers", "public"]
    assert sorted(await matching.titles(ana)) == ["circle", "cooperative", "peers", "public"]
    assert sorted(await matching.titles(owner)) == ["circle", "cooperative", "peers", "public"]


async def test_what_has_ended_or_not_begun_is_not_found(matching: Matching) -> None:
    now = datetime.now(UTC)
    await matching.listing("ended", valid_until=now - timedelta(seconds=1))
    await matching.listing("not yet", valid_from=now + timedelta(hours=1))
    gone = await matching.listing("withdrawn")
    await matching.withdraw(gone)
    assert await matching.titles() == []


async def test_pages_have_a_total_and_no_repetition(matching: Matching) -> None:
    for number in range(5):
        await matching.listing(f"Établi {number}")
    client = await matching.client()
    first = (await client.get("/search", params={"q": "etabli", "limit": 3})).json()
    second = (await client.get("/search", params={"q": "etabli", "limit": 3, "cursor": first["next"]})).json()
    assert first["total"] == second["total"] == 5
    assert len({item["id"] for item in first["items"] + second["items"]}) == 5
    assert second["next"] is None


async def test_odd_questions_have_an_answer(matching: Matching) -> None:
    await matching.listing("Tour à bois")
    for query in ("🪵🪵", "le la les", "''' | & ! \\ :* <->", "\0", "a" * 10_000, "mot " * 2_000, "  "):
        answer = await (await matching.client()).get("/search", params={"q": query})
        assert answer.status_code == 200, (query[:20], answer.text)
    for query in (
        {"near": "x"},
        {"near": "91,0"},
        {"near": "nan,0"},
        {"radius_km": 5},
        {"cursor": "zzz"},
        {"cursor": "WyJhIl0"},
    ):
        answer = await (await matching.client()).get("/search", params=query)
        assert answer.status_code == 422, (query, answer.text)
