"""Learning from answers."""

import random

from services.matching.learning import FEWEST, LEAST, MOST, TERMS, Answer, in_order, learn


def _answers(count: int, *, nearness: float) -> list[Answer]:
    """People who care for nearness `nearness` times as much as the score does, and for nothing else."""
    chance = random.Random(3)
    found: list[Answer] = []
    for _ in range(count):
        gains = {"relevance": chance.uniform(0.3, 0.7), "distance": chance.uniform(0, 0.1)}
        found.append(Answer(gains=gains, accepted=gains["relevance"] + nearness * gains["distance"] > 0.65))
    return found


def test_what_people_care_for_counts_more_and_puts_more_pairs_in_order() -> None:
    learnt = learn(_answers(400, nearness=3), {})
    assert learnt is not None
    assert learnt.factors["distance"] / learnt.factors["relevance"] > 1.05
    assert learnt.new >= learnt.old
    assert learnt.pairs > 100


def test_a_few_answers_change_nothing() -> None:
    assert learn(_answers(FEWEST - 1, nearness=3), {}) is None
    assert learn([Answer(gains={"relevance": 0.5}, accepted=True)] * 100, {}) is None


def test_factors_stay_within_bounds_and_near_those_in_force_where_answers_say_nothing() -> None:
    learnt = learn(_answers(200, nearness=1), {"category": 1.7})
    assert learnt is not None
    assert set(learnt.factors) == set(TERMS)
    assert all(LEAST <= factor <= MOST for factor in learnt.factors.values())
    assert learnt.factors["category"] == 1.7


def test_a_tie_is_half_a_pair() -> None:
    same = Answer(gains={"relevance": 0.5}, accepted=True)
    assert in_order([(same, same)], {}) == 0.5
    assert in_order([], {}) == 0.5
