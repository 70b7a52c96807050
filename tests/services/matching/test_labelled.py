"""What has a tag or a category is found by meaning among very many things, whatever is nearer and has it not."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BIT

from contracts.catalog import Audience
from services.chassis.clock import Clock
from services.chassis.ids import new_id
from services.matching.loops import Labelling
from services.matching.queries import candidates, labelled, search
from services.matching.tables import labels, meanings
from tests.services.matching.conftest import LILLE, NAMUR, Matching

_MOWING: dict[str, Any] = {"q": "couper l'herbe d'une pelouse"}


@pytest.fixture(autouse=True)
def very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (candidates, search):
        monkeypatch.setattr(module, "SMALL", 0)


@pytest.fixture
def filled(matching: Matching) -> Callable[[], Awaitable[None]]:
    """Makes vectors and counts words of what was listed, with mowers beside it that no label has."""

    async def fill() -> None:
        for number in range(3):
            await matching.listing(f"Tondeuse à gazon {number}")
        await matching.encode()
        await matching.count_words()

    return fill


async def test_the_nearest_with_a_label_are_of_whatever_category(
    matching: Matching, filled: Callable[[], Awaitable[None]]
) -> None:
    await matching.listing("Boekhouding", language="nl", kind="expertise", tags=["Voisins"], place=NAMUR)
    await matching.listing("Belastingen", language="nl", kind="training", category="Voisins", place=LILLE)
    await filled()
    assert await matching.titles(**_MOWING, tag="voisins") == ["Boekhouding"]
    assert await matching.titles(**_MOWING, category="VOISINS") == ["Belastingen"]
    assert await matching.titles(**_MOWING, tag="voisins", kind="expertise", spoken="nl") == ["Boekhouding"]
    assert await matching.titles(**_MOWING, tag="voisins", near="50.4674,4.8719", radius_km=30) == ["Boekhouding"]
    near_lille: dict[str, Any] = {"near": "50.63,3.06", "radius_km": 30}
    others: list[dict[str, Any]] = [{"kind": "training"}, {"spoken": "fr"}, {"side": "need"}, near_lille]
    others.append({"origin": str(new_id())})
    for other in others:
        assert await matching.titles(**_MOWING, tag="voisins", **other) == [], other


async def test_what_is_for_few_is_shown_to_them_alone(
    matching: Matching, filled: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it take the place of what everybody may see."""
    monkeypatch.setattr(candidates, "AMONG_MANY", 1)
    member = new_id()
    few = Audience(scope="circle", circle_ids=[await matching.circle(member)])
    await matching.listing("Grasmaaier", language="nl", tags=["Voisins"], audience=few)
    here = Audience(scope="cooperative")
    await matching.listing("Heggenschaar", language="nl", tags=["Voisins"], audience=here)
    await matching.listing("Boekhouding", language="nl", kind="expertise", tags=["Voisins"])
    await filled()
    assert await matching.titles(**_MOWING, tag="voisins") == ["Boekhouding"]
    assert await matching.titles(new_id(), **_MOWING, tag="voisins") == ["Heggenschaar"]
    assert set(await matching.titles(member, **_MOWING, tag="voisins")) == {"Heggenschaar", "Grasmaaier"}


async def test_what_is_not_valid_yet_takes_no_place(
    matching: Matching, filled: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "AMONG_MANY", 1)
    next_year = Clock().now() + timedelta(days=365)
    await matching.listing("Grasmaaier", language="nl", tags=["Voisins"], valid_from=next_year)
    await matching.listing("Boekhouding", language="nl", tags=["Voisins"])
    await filled()
    assert await matching.titles(**_MOWING, tag="voisins") == ["Boekhouding"]


async def test_vectors_of_another_model_take_no_place(
    matching: Matching, filled: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "AMONG_MANY", 1)
    old = await matching.listing("Grasmaaier", language="nl", tags=["Voisins"])
    await matching.listing("Boekhouding", language="nl", tags=["Voisins"])
    await filled()
    async with matching.db.transaction() as session:
        for table in (labels, meanings):
            await session.execute(sa.update(table).where(table.c.id == old.id).values(model="of before"))
    assert await matching.titles(**_MOWING, tag="voisins") == ["Boekhouding"]


@pytest.mark.parametrize("most", [60_000, 0])
async def test_what_else_is_asked_for_beside_a_label_comes_first(
    matching: Matching, filled: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """A second label, a category of ours, a phrase, a word that must not be there: of few things all are compared."""
    monkeypatch.setattr(candidates, "AMONG_MANY", 1)
    monkeypatch.setattr(labelled, "MOST", most)
    for title in ("Grasmaaier met zitje", "Grasmaaier groot"):
        await matching.listing(title, language="nl", tags=["Voisins"])
    await matching.listing("Boekhouding", language="nl", tags=["Voisins"], category="Bureau")
    await filled()
    assert await matching.titles(**_MOWING, tag="voisins", category="bureau") == ["Boekhouding"]
    without: dict[str, Any] = {"q": "couper l'herbe d'une pelouse -grasmaaier"}
    assert await matching.titles(**without, tag="voisins") == ["Boekhouding"]
    phrase: dict[str, Any] = {"q": 'couper l\'herbe "boekhouding"'}
    assert await matching.titles(**phrase, tag="voisins") == ["Boekhouding"]


async def test_a_changed_thing_keeps_its_place_among_those_with_its_label(
    matching: Matching, filled: Callable[[], Awaitable[None]]
) -> None:
    """Before its new vector is made, and after."""
    one = await matching.listing("Boekhouding", language="nl", tags=["Voisins"])
    await filled()
    await matching.publish(one.model_copy(update={"tags": ("Rue",), "version": one.version + 1}))
    await matching.count_words()
    assert await matching.titles(**_MOWING, tag="rue") == ["Boekhouding"]
    await matching.encode()
    assert await matching.titles(**_MOWING, tag="rue") == ["Boekhouding"]


@pytest.mark.parametrize("unknown", ["open", "model"])
async def test_what_another_version_has_not_written_is_completed_at_the_start(
    matching: Matching, filled: Callable[[], Awaitable[None]], unknown: str
) -> None:
    await matching.listing("Boekhouding", language="nl", tags=["Voisins"])
    await filled()
    async with matching.db.transaction() as session:
        await session.execute(sa.update(labels).values({unknown: None}))
    assert await matching.titles(**_MOWING, tag="voisins") == []
    await Labelling(matching.db, seconds=1).run()
    assert await matching.titles(**_MOWING, tag="voisins") == ["Boekhouding"]


async def test_signs_that_another_version_has_changed_are_repeated_at_the_start(
    matching: Matching, filled: Callable[[], Awaitable[None]]
) -> None:
    await matching.listing("Boekhouding", language="nl", tags=["Voisins"])
    await filled()
    async with matching.db.transaction() as session:
        await session.execute(sa.update(labels).values(bits=sa.cast(sa.cast("1" * 384, sa.Text), BIT(384))))
    await Labelling(matching.db, seconds=1).run()
    async with matching.db.reading() as session:
        same = sa.select(sa.func.count()).where(labels.c.id == meanings.c.id, labels.c.bits == meanings.c.bits)
        assert (await session.execute(same)).scalar_one() == 1
