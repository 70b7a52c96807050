"""The pages' words in three languages: French is the source, the others are catalogues read at start."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import get_args

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from contracts.identity import Locale
from services.chassis.problems import language_of

LOCALES: tuple[Locale, ...] = get_args(Locale)
NAMES: dict[Locale, str] = {"fr": "Français", "nl": "Nederlands", "en": "English"}
_FOLDER = Path(__file__).parent / "locales"
_NO_BREAK = "\N{NO-BREAK SPACE}"


def N_(text: str) -> str:  # noqa: N802 - gettext's name for "translate later"
    """Mark `text` for the catalogues; it is translated where it is shown."""
    return text


@dataclass(frozen=True)
class Words:
    """Says our sentences in one language."""

    language: Locale
    _texts: dict[str, str] = field(default_factory=dict[str, str])
    _plurals: dict[str, str] = field(default_factory=dict[str, str])

    def gettext(self, text: str) -> str:
        """`text` (French) in this language."""
        return _french_spaces(text) if self.language == "fr" else self._texts.get(text, text)

    def ngettext(self, one: str, many: str, number: int) -> str:
        """`one` or `many` (French) in this language; French counts 0 and 1 as one, the others only 1."""
        if self.language == "fr":
            return _french_spaces(one if abs(number) < 2 else many)  # noqa: PLR2004 - French grammar
        return self._texts.get(one, one) if number == 1 else self._plurals.get(one, many)


@cache
def words(language: Locale) -> Words:
    """The words of `language`, read once."""
    if language == "fr":
        return Words(language)
    catalogue = read_catalogue(language)
    texts: dict[str, str] = {}
    plurals: dict[str, str] = {}
    for message in catalogue:
        if isinstance(message.id, str):
            texts[message.id] = str(message.string)
        elif message.id:
            one, many = message.string or ("", "")
            texts[message.id[0]], plurals[message.id[0]] = one, many
    return Words(language, texts, plurals)


def read_catalogue(language: Locale) -> Catalog:
    """The catalogue file of `language` (nl or en)."""
    with (_FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def choose(cookie: str | None, member: Locale | None, accept_language: str | None, default: Locale) -> Locale:
    """The language of a page: the one chosen in the footer, else the member's, else the browser's, else the house's."""
    for wanted in (cookie, member):
        for known in LOCALES:
            if wanted == known:
                return known
    return language_of(accept_language, default)


@cache
def _french_spaces(text: str) -> str:
    """French typography: a space that does not break before ; : ! ? » and after «."""
    return re.sub(r" ([;:!?»])", rf"{_NO_BREAK}\1", text).replace("« ", f"«{_NO_BREAK}")
