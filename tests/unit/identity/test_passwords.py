"""Which passwords are accepted."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.problems import InvalidFields
from services.identity.domain.common_passwords import COMMON, WALKS
from services.identity.domain.passwords import LONGEST, SHORTEST, check_password

CONTEXT = ["claire.delattre@opteos.example", "Claire Delattre", "Optéos"]


def code(password: str, context: list[str] | None = None) -> str | None:
    """None when it is accepted."""
    try:
        check_password(password, context=CONTEXT if context is None else context)
    except InvalidFields as refused:
        return refused.errors[0].code
    return None


@pytest.mark.parametrize(
    "password",
    [
        "trois girafes sous la pluie",
        "correct cheval pile agrafe",
        "k4vrYqPzt2bW",
        "        espaces aux bords   ",
        "ça coûte 3 € à Noël",
        "паролььдлинный",
        "🦒🦒🐘🌧️🚜🧵🪡🍲🎈🧶🪴🧰",
        "claire mange des pommes vertes",
        "849302847561",
    ],
)
def test_long_enough_and_unusual_is_accepted_whatever_it_is_made_of(password: str) -> None:
    assert code(password) is None


@pytest.mark.parametrize(
    "password",
    [
        "motdepasse2026",
        "MotDePasse2026!",
        "Mot De Passe 26",
        "p@ssw0rd12345",
        "azertyuiop123",
        "AZERTYUIOPQS",
        "qwertyuiop[]",
        "abcdefghijkl",
        "123456789012",
        "098765432109",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "ababababababa",
        "clairedelattre",
        "Claire.Delattre59",
        "delattre-1984-delattre",
        "OPTÉOS-optéos",
        "Bonjour Lille 59!",
        "1234567890qwerty",
        "christopher1",
        "liverpool123",
        "mercedesbenz",
        "unbelievable",
        "Fo0tball2024!",
        "SupermanBatman",
        "claire+optéos=1",
        *sorted(word for word in COMMON if len(word) >= SHORTEST),
    ],
)
def test_what_guessers_try_first_is_refused(password: str) -> None:
    assert code(password) == "too-common"


@pytest.mark.parametrize(("length", "expected"), [(11, "too-short"), (12, None), (128, None), (129, "too-long")])
def test_length_is_counted_in_characters(length: int, expected: str | None) -> None:
    letters = ("zébu wapiti" + "".join(chr(0x1F400 + number) for number in range(0x40)) * 2)[:length]
    assert len(letters) == length
    assert code(letters) == expected


def test_letters_composed_in_two_ways_are_one_password() -> None:
    assert check_password("cafe\u0301 tournesol", context=[]) == check_password("café tournesol", context=[])


@given(st.text(alphabet=string.ascii_letters + string.digits + " é", min_size=16, max_size=40), st.text(max_size=30))
def test_context_alone_decides_nothing_about_other_passwords(password: str, name: str) -> None:
    if code(password, []) == "too-common":
        assert code(password, [name]) == "too-common"


@given(st.text(max_size=200))
def test_every_text_gets_a_verdict(password: str) -> None:
    assert code(password) in {None, "too-short", "too-long", "too-common"}


@given(st.sampled_from(WALKS), st.integers(0, 10), st.integers(SHORTEST, 20), st.booleans())
def test_walks_along_the_keyboard_are_refused(walk: str, start: int, length: int, backwards: bool) -> None:  # noqa: FBT001
    piece = walk[start : start + length]
    password = piece[::-1] if backwards else piece
    assert code(password, []) == ("too-common" if len(password) >= SHORTEST else "too-short")


@given(
    st.sampled_from(["Claire", "Delattre", "optéos", "claire.delattre"]), st.text(string.digits + "!-. ", min_size=9)
)
def test_one_s_own_name_with_digits_and_signs_is_refused(word: str, decoration: str) -> None:
    password = (word + decoration)[:LONGEST]
    assert code(password) in {"too-common", "too-short"}
