import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from contracts.identity import Locale
from services.portal import match_words
from services.portal.language import choose, read_catalogue, words

PORTAL = Path(__file__).parents[3] / "services" / "portal"
METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "say": None}


def texts() -> Iterator[str | tuple[str, str]]:
    for _, _, message, _, _ in extract_from_dir(PORTAL, method_map=METHODS, keywords=KEYWORDS):
        yield message if isinstance(message, str) else (message[0], message[1])


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s", text))


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_text_is_translated_and_nothing_else(language: Locale) -> None:
    source = set(texts())
    translated = {
        tuple(one.id) if isinstance(one.id, tuple | list) else one.id: one.string
        for one in read_catalogue(language)
        if one.id
    }
    assert len(source) > 400
    assert source - set(translated) == set()
    assert set(translated) - source == set()
    for message, said in translated.items():
        forms = [said] if isinstance(said, str) else list(said or [])
        first = message if isinstance(message, str) else message[0]
        assert forms
        assert all(form and placeholders(form) == placeholders(first) for form in forms), message


@pytest.mark.parametrize("language", ["nl", "en"])
def test_no_text_is_translated_twice(language: Locale) -> None:
    said = re.findall(r'^msgid "(.+)"$', (PORTAL / "locales" / f"{language}.po").read_text(), re.MULTILINE)
    assert sorted(said) == sorted(set(said))


def test_templates_hold_no_bare_french() -> None:
    for path in (PORTAL / "templates").glob("*.html"):
        html = re.sub(r"{% macro marks.*?endmacro", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        bare = re.sub(r"{%.*?%}|{{.*?}}|<pre.*?</pre>|<[^>]*>", " ", html, flags=re.DOTALL)
        left = [word for word in re.findall(r"[A-Za-zÀ-ÿ]{3,}", bare) if word not in {"nbsp", "amp", "wide", "narrow"}]
        assert left == [], path.name


def test_french_typography_keeps_marks_with_their_word() -> None:
    assert words("fr").gettext("Mot de passe oublié ?") == "Mot de passe oublié\N{NO-BREAK SPACE}?"
    assert words("fr").gettext("« ici »") == "«\N{NO-BREAK SPACE}ici\N{NO-BREAK SPACE}»"


def test_plurals_follow_each_language() -> None:
    one, many = "%(num)s membre", "%(num)s membres"
    assert [words("fr").ngettext(one, many, number) for number in (0, 1, 2)] == [one, one, many]
    assert [words("en").ngettext(one, many, n) for n in (0, 1, 2)] == [
        "%(num)s members",
        "%(num)s member",
        "%(num)s members",
    ]


def test_language_is_the_footers_then_the_members_then_the_browsers() -> None:
    assert choose("nl", "en", "fr", "fr") == "nl"
    assert choose(None, "en", "fr", "fr") == "en"
    assert choose(None, None, "de, nl;q=0.8, en;q=0.7", "fr") == "nl"
    assert choose("xx", None, None, "fr") == "fr"


def test_reasons_are_sentences() -> None:
    assert match_words.say_reason(words("fr"), "distance", "4") == "à 4 km"
    assert match_words.say_reason(words("fr"), "kind", "space") == "même genre\N{NO-BREAK SPACE}: lieu"
    assert match_words.say_reason(words("en"), "words", "sewing") == "words in common: sewing"
    assert match_words.say_lack(words("nl"), "distance", "80") == "te ver: 80 km"
    assert "42" in match_words.say_reason(words("fr"), "a-code-of-tomorrow", "42")
