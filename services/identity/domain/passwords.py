"""Which passwords are accepted: long enough, not easily guessed, no rules of composition.

Source: OWASP ASVS 5.0, V6.2 (length, common passwords, words of the context; no composition rules, no expiry) and
NIST SP 800-63B (length counted in characters, Unicode normalised before hashing).
"""

import re
import unicodedata
from collections.abc import Iterable

from zxcvbn_rs_py import zxcvbn

from services.chassis.problems import FieldError, InvalidFields, Text
from services.identity.domain.common_passwords import COMMON, COMMON_WORDS, WALKS

SHORTEST = 12
LONGEST = 128
_SHORTEST_WORD = 4
_ENOUGH_OF_ITS_OWN = 6
_LONGEST_PERIOD = 4
_SHORTEST_WALK = 4
_LONGEST_WALK_LEFT = 3
_FEWEST_GUESSES = 8.0
"""As a power of ten: what somebody who has the hash would try within a day. Below it, zxcvbn counts "weak"."""
_LONGEST_ESTIMATED = 64
"""Estimating takes longer with the square of the length; what is longer is looked at by its beginning."""

_TOO_SHORT = Text(
    fr="Au moins {shortest} caractères : quelques mots qui ne vont pas ensemble suffisent.",
    en="At least {shortest} characters: a few words that do not belong together will do.",
    nl="Minstens {shortest} tekens: een paar woorden die niet bij elkaar horen volstaan.",
)
_TOO_LONG = Text(
    fr="{longest} caractères au plus.", en="{longest} characters at most.", nl="Hoogstens {longest} tekens."
)
_TOO_COMMON = Text(
    fr="Trop facile à deviner : ce mot de passe, ou presque, est parmi les plus courants, "
    "ou fait surtout de votre nom ou de celui de la coopérative.",
    en="Too easy to guess: it is among the most common ones, or little more than your name or the cooperative's.",
    nl="Te makkelijk te raden: het is een van de meest gebruikte, of bijna alleen uw naam of die van de coöperatie.",
)

_LEAKED = Text(
    fr="Ce mot de passe a déjà été volé ailleurs, et circule : choisissez-en un autre.",
    en="This password was stolen elsewhere and is passed around: choose another one.",
    nl="Dit wachtwoord werd elders al gestolen en doet de ronde: kies een ander.",
)


def normalised(password: str) -> str:
    """The same password however the keyboard composed its letters (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, *, context: Iterable[str], field: str = "password") -> str:
    """Return `password` as it is hashed. `context`: e-mail, name, cooperative. Raises InvalidFields about `field`."""
    password = normalised(password)
    limits = (("shortest", SHORTEST), ("longest", LONGEST))
    if len(password) < SHORTEST:
        raise InvalidFields(FieldError(field, "too-short", _TOO_SHORT, limits))
    if len(password) > LONGEST:
        raise InvalidFields(FieldError(field, "too-long", _TOO_LONG, limits))
    if _is_easily_guessed(password, context):
        raise InvalidFields(FieldError(field, "too-common", _TOO_COMMON))
    return password


def leaked(field: str) -> InvalidFields:
    """The answer to a password that others have lost."""
    return InvalidFields(FieldError(field, "leaked", _LEAKED))


def _is_easily_guessed(password: str, context: Iterable[str]) -> bool:
    plain, known = _plain(password), list(context)
    ours = plain in COMMON or _repeats(plain) or _is_walk(plain) or _is_mostly_known_words(plain, known)
    return ours or _is_in_guessers_lists(password, known)


def _is_in_guessers_lists(password: str, context: list[str]) -> bool:
    """Leaked passwords, names and words in English by frequency, and what people make of them (`Fo0tball2024!`).

    Source: zxcvbn (Wheeler, USENIX Security 2016): 30,000 leaked passwords, 30,000 words, 14,000 names, films.
    """
    estimated = zxcvbn(password[:_LONGEST_ESTIMATED], [*context, *COMMON_WORDS])
    return estimated.guesses_log10 < _FEWEST_GUESSES


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _repeats(plain: str) -> bool:
    """`abcabcabcabc`: the same few characters again and again."""
    return any(plain == (plain[:period] * len(plain))[: len(plain)] for period in range(1, _LONGEST_PERIOD + 1))


def _is_walk(plain: str) -> bool:
    """`azertyuiop123`: runs along the keyboard, the alphabet or the digits and little else."""
    rows = [row for walk in WALKS for row in (walk, walk[::-1])]
    walked: set[int] = set()
    for start in range(len(plain) - _SHORTEST_WALK + 1):
        step = plain[start : start + _SHORTEST_WALK]
        if any(step in row for row in rows):
            walked.update(range(start, start + _SHORTEST_WALK))
    return len(plain) - len(walked) <= _LONGEST_WALK_LEFT


def _is_mostly_known_words(plain: str, context: Iterable[str]) -> bool:
    """`MotDePasse2026!` or `claire.delattre59`: known words, digits and signs, and hardly a letter more."""
    own = {word for text in context for word in re.split(r"[^a-z0-9]+", _plain(text)) if len(word) >= _SHORTEST_WORD}
    rest = plain.replace(" ", "")
    known = sorted({*own, *COMMON_WORDS}, key=len, reverse=True)
    found = [word for word in known if word in rest]
    for word in found:
        rest = rest.replace(word, " ")
    return bool(found) and sum(letter.isalpha() for letter in rest) < _ENOUGH_OF_ITS_OWN
