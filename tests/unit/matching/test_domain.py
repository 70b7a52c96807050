"""How an offer fits a need."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching import words
from services.matching.domain import Need, Offer, Point, distance_km, fit, same_words
from services.matching.terms import rarity
from tests.unit.matching.test_free_time import NOW

LILLE, NAMUR, MARSEILLE = (
    Point(latitude=50.6372, longitude=3.0633),
    Point(latitude=50.4674, longitude=4.8719),
    Point(latitude=43.3, longitude=5.4),
)
POINT = st.builds(Point, latitude=st.floats(-90, 90), longitude=st.floats(-180, 180))


def need(**changes: Any) -> Need:
    values: dict[str, Any] = {"kind": "machine", "category": "", "quantity": 1, "point": LILLE, "window": None}
    return Need(**(values | changes))


def offer(**changes: Any) -> Offer:
    values: dict[str, Any] = {"kind": "machine", "category": "", "quantity": 1, "point": LILLE, "coverage": 1.0}
    values |= {"shared": ("scie",), "rules": None, "busy": []}
    return Offer(**(values | changes))


def test_the_way_from_lille_to_namur_is_about_129_km() -> None:
    assert distance_km(LILLE, NAMUR) == pytest.approx(129, abs=1)


@given(POINT, POINT)
def test_a_way_is_as_long_there_as_back_and_at_most_half_the_earth(one: Point, other: Point) -> None:
    assert distance_km(one, other) == pytest.approx(distance_km(other, one), abs=1e-6)
    assert 0 <= distance_km(one, other) < 20_016


def test_a_thing_too_far_is_missed_but_a_person_travels() -> None:
    for kind, missing in (("machine", ["distance"]), ("space", ["distance"]), ("expertise", []), ("training", [])):
        found = fit(need(), offer(kind=kind, point=MARSEILLE), now=NOW, farthest_km=150)
        assert found is not None
        assert [term.code for term in found.missing] == missing


def test_few_shared_words_are_about_something_else() -> None:
    assert fit(need(), offer(coverage=0.1), now=NOW, farthest_km=150) is None


def test_nearer_and_of_the_same_kind_is_better() -> None:
    scores: list[float] = []
    for other in (offer(), offer(point=NAMUR), offer(point=NAMUR, kind="help")):
        found = fit(need(), other, now=NOW, farthest_km=150)
        assert found is not None
        scores.append(found.score)
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3


def test_categories_are_the_same_whatever_their_signs() -> None:
    assert same_words("Impression 3D", "impression-3d")
    assert not same_words("Couture", "Coutures")


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_rarer_is_never_worth_less(documents: int, total: int) -> None:
    assert rarity(documents, total) >= rarity(documents + 1, max(total, documents + 1)) - 1e-9
    assert rarity(documents, total) > 0


def test_words_that_only_ask_go_unless_nothing_is_left() -> None:
    asked = "Bonjour, je cherche quelqu'un pour l'atelier vélo"
    assert words.meaningful(asked, "fr") == ["je", "un", "pour", "atelier", "vélo"]
    assert words.meaningful("besoin d'aide", "fr") == ["besoin", "d", "aide"]
    assert words.meaningful("", "fr") == []


@given(st.text())
def test_spaced_text_has_only_letters_digits_and_single_spaces(text: str) -> None:
    assert all(part.isalnum() or not part.isascii() for part in words.spaced(text).split(" ") if part)
    assert "  " not in words.spaced(text)
