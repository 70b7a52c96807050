"""How an offer fits a need."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.matching import words
from services.matching.domain import (
    FITTING_MEANING,
    NEAR_TIE,
    TELLING_SCORE,
    Fit,
    Need,
    Offer,
    Point,
    Uses,
    distance_km,
    fit,
    kind_gain,
    same_words,
)
from services.matching.relevance import FITTING_OF_KIND
from services.matching.telling import worth_telling
from services.matching.terms import rarity
from tests.unit.matching.test_free_time import NOW, RULES

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


def test_the_author_is_told_of_what_is_likely_however_near_or_rested_the_rest_is() -> None:
    """A thing next door that only may be meant comes high in the list, but nobody is written to about it."""
    close = {"coverage": 0.0, "shared": (), "asked": 0}
    assert _fit(offer(meaning=0.5, point=NAMUR, coverage=0.0)).is_likely
    perhaps = _fit(offer(meaning=0.4, **close))
    assert perhaps.score > TELLING_SCORE
    assert not perhaps.is_likely
    assert not _fit(offer(meaning=0.5, kind="help", **close)).is_likely
    doubled = fit(need(), offer(meaning=0.4, **close), now=NOW, farthest_km=150, factors={"relevance": 2.0})
    assert doubled is not None
    assert doubled.is_likely


def test_equipment_is_a_little_near_to_every_kind_and_nothing_else_is() -> None:
    same, near, other = (kind_gain("machine", offered) for offered in ("machine", "equipment", "help"))
    assert same > near > other == 0
    assert kind_gain("equipment", "expertise") == near
    assert _fit(offer(kind="equipment")).gains["kind"] == near
    assert [term.code for term in _fit(offer(kind="equipment")).reasons].count("kind") == 0
    assert "kind" not in _fit(offer(kind="help")).gains


def test_what_only_its_kind_lets_in_has_to_fit_in_all_else() -> None:
    weak = {"coverage": 0.0, "shared": (), "meaning": FITTING_OF_KIND}
    assert _fit(offer(**weak)).reasons[0].code == "kind"
    assert fit(need(), offer(**weak, kind="help"), now=NOW, farthest_km=150) is None
    assert fit(need(), offer(**weak, point=MARSEILLE), now=NOW, farthest_km=150) is None
    assert _fit(offer(**(weak | {"meaning": FITTING_MEANING}), point=MARSEILLE)).missing


def test_only_what_is_about_as_good_as_the_best_is_told() -> None:
    def told(*near: float | None) -> list[bool]:
        return worth_telling([_fit(offer(meaning=one, coverage=0.0 if one else 1.0, shared=())) for one in near])

    assert told(0.56, 0.5, 0.52, 0.4) == [True, False, True, False]
    assert told(0.5) == [True]
    assert told(0.95, 0.7, 0.58) == [True, True, False]  # two that are surely meant
    assert told(None, 0.7, 0.5) == [True, True, False]
    missed = _fit(offer(meaning=0.65, coverage=0.0, shared=(), point=MARSEILLE))
    assert worth_telling([missed, _fit(offer(meaning=0.5, coverage=0.0, shared=()))]) == [False, True]
    assert worth_telling([]) == []


OFFER = st.builds(
    offer,
    kind=st.sampled_from(["machine", "help", "space"]),
    point=st.sampled_from([LILLE, NAMUR, MARSEILLE, None]),
    coverage=st.floats(0.2, 1),
    meaning=st.none() | st.floats(-1, 1),
    asked=st.none() | st.integers(0, 500),
    uses=st.none() | st.builds(Uses, given=st.integers(0, 10_000), received=st.integers(0, 10_000)),
)
FACTORS = st.dictionaries(
    st.sampled_from(["relevance", "kind", "distance", "rested", "balance"]), st.floats(0.25, 3), max_size=5
)


def _judged(other: Offer, factors: dict[str, float]) -> tuple[float, float]:
    """The score, and what it is without fairness."""
    found = fit(need(), other, now=NOW, farthest_km=150, factors=factors)
    plain = fit(need(), replace(other, asked=None, uses=None), now=NOW, farthest_km=150, factors=factors)
    assert found is not None
    assert plain is not None
    return found.score, plain.score


@given(OFFER, OFFER, FACTORS)
@example(
    offer(asked=0, uses=Uses(given=10**6, received=0)),
    offer(asked=9, uses=Uses(given=0, received=10**6)),
    {"rested": 3.0, "balance": 3.0},
)
def test_fairness_never_turns_an_order_that_is_no_near_tie(one: Offer, other: Offer, factors: dict[str, float]) -> None:
    (one_score, one_plain), (other_score, other_plain) = _judged(one, factors), _judged(other, factors)
    assert abs((one_score - one_plain) - (other_score - other_plain)) <= NEAR_TIE + 1e-9
    if one_plain - other_plain > NEAR_TIE + 1e-9:
        assert one_score > other_score
    if other_plain - one_plain > NEAR_TIE + 1e-9:
        assert other_score > one_score


def _fit(other: Offer) -> Fit:
    found = fit(need(), other, now=NOW, farthest_km=150)
    assert found is not None
    return found


def test_of_two_alike_the_one_asked_less_and_the_peer_who_borrowed_more_come_first() -> None:
    assert _fit(offer(asked=0)).score > _fit(offer(asked=1)).score > _fit(offer(asked=4)).score
    assert _fit(offer(asked=4)).score == _fit(offer(asked=400)).score
    owed, even = offer(peer="OpenFlow", uses=Uses(given=5, received=1)), offer(uses=Uses(given=3, received=3))
    owing = offer(peer="OpenFlow", uses=Uses(given=0, received=2))
    assert _fit(owed).score > _fit(even).score == _fit(offer()).score > _fit(owing).score
    assert [term.code for term in _fit(owed).reasons if term.value == "OpenFlow"] == ["owed"]
    assert [term.code for term in _fit(owing).reasons if term.value == "OpenFlow"] == ["owing"]


def test_what_nearly_fits_says_by_how_much() -> None:
    found = fit(need(quantity=5), offer(point=NAMUR, quantity=2), now=NOW, farthest_km=100)
    assert found is not None
    assert [(term.code, term.value, term.by) for term in found.missing] == [
        ("distance", "129", "29"),
        ("quantity", "2", "3"),
    ]


def test_more_of_the_days_asked_for_is_better_and_named() -> None:
    window = (NOW, NOW + timedelta(days=3))
    rules, taken = RULES, [(NOW, NOW + timedelta(days=2))]
    wanted = need(window=window)
    some = fit(wanted, offer(rules=rules, busy=taken), now=NOW, farthest_km=150)
    every = fit(wanted, offer(rules=rules), now=NOW, farthest_km=150)
    assert some is not None
    assert every is not None
    assert every.score > some.score
    days = next(term.value for term in every.reasons if term.code == "days")
    assert len(days.split(",")) >= 3
    past = fit(need(window=(NOW - timedelta(days=3), NOW)), offer(rules=rules), now=NOW, farthest_km=150)
    assert past is not None
    assert past.missing == []


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
