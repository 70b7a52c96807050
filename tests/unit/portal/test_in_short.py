"""A card shows a few reasons at once; the others are a tap away, and nothing is said twice."""

from services.portal.match_words import SHOWN, in_short


def reasons(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"code": code, "value": value} for code, value in pairs]


def test_what_helps_most_to_choose_comes_first_and_the_rest_is_folded() -> None:
    told = reasons(
        ("words", "laser"),
        ("kind", "machine"),
        ("topic", "Bois"),
        ("distance", "4"),
        ("meaning", "a ~ b"),
        ("owed", "x"),
    )
    shown, others = in_short(told)
    assert [one["code"] for one in shown] == ["meaning", "distance", "words"]
    assert [one["code"] for one in others] == ["topic", "kind", "owed"]


def test_few_reasons_are_not_folded() -> None:
    told = reasons(*((f"other{number}", "") for number in range(SHOWN + 1)))
    assert in_short(told) == (told, [])


def test_what_says_the_same_is_said_once() -> None:
    shown, _ = in_short(
        reasons(("topic", "Bois"), ("category", "Bois"), ("free", "2026-12-01"), ("days", "2026-12-01"))
    )
    assert [one["code"] for one in shown] == ["days", "topic"]
