"""Whatever is typed, missing or past: a sensible result, or a sentence that says what is wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from services.chassis.ids import new_id
from services.matching.tables import meanings
from tests.services.matching.conftest import NAMUR, Matching
from tests.services.matching.test_matches import answer_for, bookable, codes, need

HOSTILE = (
    "'; DROP TABLE things; --",
    "scie' | ! & <-> :* (((",
    '"""""""" «« »» ““',
    "- -- --- -scie -",
    '"scie à ruban' * 300,
    "\u202eeicsn\u202c \u0000 \ufffe",
    "%s %(q)s {{ 7*7 }} ${jndi}",
    "../../etc/passwd",
    "scie " * 2_000,
)


async def page(matching: Matching, status: int = 200, **params: Any) -> dict[str, Any]:
    answer = await (await matching.client(new_id())).get("/search", params=params)
    assert answer.status_code == status, (str(params)[:80], answer.text)
    return answer.json()


async def _some(matching: Matching) -> None:
    await matching.listing("Scie à ruban", kind="machine")
    await matching.listing("Cours de couture", kind="training")
    await matching.count_words()
    await matching.encode()


@pytest.mark.parametrize("typed", ["", "   ", "\t\n"])
async def test_nothing_typed_is_everything_the_newest_first(matching: Matching, typed: str) -> None:
    await _some(matching)
    found = await page(matching, q=typed)
    assert [one["title"] for one in found["items"]] == ["Cours de couture", "Scie à ruban"]
    assert found["nearest"] is False


@pytest.mark.parametrize("typed", ["🪚🪵", "!?…", "«»", "-"])
async def test_signs_alone_find_nothing(matching: Matching, typed: str) -> None:
    await _some(matching)
    found = await page(matching, q=typed)
    assert (found["items"], found["total"], found["nearest"]) == ([], 0, False)


@pytest.mark.parametrize("typed", ["le la les de du", "je cherche", "de het een", "the of and"])
async def test_words_that_say_nothing_find_the_nearest_at_most(matching: Matching, typed: str) -> None:
    await _some(matching)
    found = await page(matching, q=typed)
    assert found["items"] == [] or found["nearest"]


async def test_a_very_long_question_is_read_at_its_beginning_and_a_longer_one_refused(matching: Matching) -> None:
    await _some(matching)
    found = await page(matching, q=("scie à ruban " * 770)[:10_000])
    assert found["items"][0]["title"] == "Scie à ruban"
    refused = await page(matching, 422, q="x" * 10_001)
    assert refused["errors"][0]["field"] == "q"
    assert refused["errors"][0]["detail"]


@pytest.mark.parametrize("typed", HOSTILE)
async def test_hostile_questions_are_words_like_any_other(matching: Matching, typed: str) -> None:
    await _some(matching)
    await page(matching, q=typed)
    for path, params in (("/suggestions", {"q": typed[:200]}), ("/categories", {"text": typed[:2000]})):
        answer = await (await matching.client()).get(path, params=params)
        assert answer.status_code == 200, (path, typed[:40], answer.text)
    assert await matching.titles(tag=typed[:60], topic=typed[:60], category=typed[:200], origin=typed[:200]) == []
    wanted = await need(matching, typed[:100].replace("\0", " "), text=typed[:5000].replace("\0", " "))
    await answer_for(matching, wanted)


async def test_another_language_finds_by_meaning_and_is_said_to_where_it_is_only_near(matching: Matching) -> None:
    await _some(matching)
    for typed in ("band saw to cut wood", "lintzaag om hout te zagen"):
        found = await page(matching, q=typed)
        assert found["by_meaning"] is True
        assert found["items"][0]["title"] == "Scie à ruban"


async def test_a_thing_without_a_point_is_found_but_not_by_distance(matching: Matching) -> None:
    await matching.listing("Scie ici")
    await matching.listing("Scie quelque part", place={"label": "quelque part"})
    await matching.listing("Scie nulle part", place=None)
    wanted = await need(matching, "scie", place=None)
    await matching.count_words()
    near: dict[str, Any] = {"q": "scie", "side": "offer", "near": "50.63,3.06"}
    assert (await matching.titles(**near, sort="nearest"))[0] == "Scie ici"
    assert len(await matching.titles(**near)) == 3
    assert await matching.titles(**near, radius_km=20_000) == ["Scie ici"]
    items = (await answer_for(matching, wanted))["items"]
    assert len(items) == 3
    assert not any("distance" in codes(item) for item in items)


async def test_a_need_whose_period_is_over_gets_offers_and_says_so(matching: Matching) -> None:
    offer = await matching.listing("Scie à ruban")
    await bookable(matching, offer.id, [])
    now = datetime.now(UTC)
    past = await need(
        matching, "Scie à ruban", window_start=now - timedelta(days=9), window_end=now - timedelta(days=8), place=NAMUR
    )
    begun = await need(matching, "Scie à ruban", window_start=now - timedelta(days=9))
    await matching.count_words()
    found = await answer_for(matching, past)
    assert found["past"] is True
    assert [item["id"] for item in found["items"]] == [str(offer.id)]
    assert found["near_misses"] == []
    assert not codes(found["items"][0]) & {"free", "days"}
    running = await answer_for(matching, begun)
    assert running["past"] is False
    assert "free" in codes(running["items"][0])


@pytest.mark.parametrize("state", ["missing", "of another model"])
async def test_words_find_where_vectors_are_no_use(matching: Matching, state: str) -> None:
    offer = await matching.listing("Scie à ruban")
    wanted = await need(matching, "Scie à ruban")
    await matching.count_words()
    if state != "missing":
        await matching.encode()
        async with matching.db.transaction() as session:
            await session.execute(sa.update(meanings).values(model="another-model-1"))
    assert await matching.titles(q="scie", side="offer") == [offer.title]
    assert [item["id"] for item in (await answer_for(matching, wanted))["items"]] == [str(offer.id)]
