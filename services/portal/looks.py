"""The templates' environment: one per language, with its words, dates and small helpers."""

import re
import unicodedata
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from types import CodeType
from typing import Any
from urllib.parse import quote

from babel.numbers import format_currency, format_decimal
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.bccache import Bucket

from contracts.identity import Locale
from services.portal import history_words, link_words, match_words, rule_words, security_words
from services.portal import words as codes
from services.portal.assets import Assets
from services.portal.language import LOCALES, NAMES, Words, words
from services.portal.moments import Moments
from services.portal.prices import minutes_between, total_of

_TEMPLATES = Path(__file__).parent / "templates"


class CompiledOnce(BytecodeCache):
    """Templates are the same in all languages: compile each once for all environments."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[bucket.key, bucket.checksum] = bucket.code


_COMPILED = CompiledOnce()


class Looks:
    """Turns a template and its values into a page in a language."""

    def __init__(self, assets: Assets, *, zone: str) -> None:
        self._environments = {language: _environment(language, assets, zone) for language in LOCALES}

    def draw(self, language: Locale, template: str, values: dict[str, Any]) -> str:
        """The page as text."""
        return self._environments[language].get_template(template).render(values)


def _environment(language: Locale, assets: Assets, zone: str) -> Environment:
    said, moments = words(language), Moments(language, zone)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        bytecode_cache=_COMPILED,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(said.gettext, said.ngettext, newstyle=True)  # pyright: ignore[reportAttributeAccessIssue] - added by the i18n extension

    known: dict[str, Any] = environment.globals  # pyright: ignore[reportAssignmentType] - typed by its defaults only
    known.update(
        language=language, languages=NAMES, moments=moments, static=assets.url, codes=codes, rule_codes=rule_words,
        happenings=history_words.HAPPENINGS,
        link_codes=link_words,
        match_codes=match_words,
        security_codes=security_words,
        listing_path=listing_path, duration=moments.duration, total=partial(_total, language=language),
        **phrases(said, moments),
    )  # fmt: skip
    filters: dict[str, Any] = environment.filters  # pyright: ignore[reportAssignmentType] - same
    filters.update(
        blocks=blocks,
        capital=capital,
        say=said.gettext,
        number=partial(_number, language=language),
        number2=partial(format_decimal, format="#,##0.##", locale=language),
        money=partial(money, language=language),
    )
    return environment


def phrases(said: Words, moments: Moments) -> dict[str, Any]:
    """Functions of the templates that turn codes into words."""

    def word(table: dict[str, str], code: str) -> str:
        return said.gettext(table.get(code, code))

    def _shown(code: str, value: str) -> str:
        if code == "distance":
            return _number(float(value), said.language)
        if code == "days":
            return moments.some_days(value.split(","))
        return _day_of(value, moments) if code == "free" else value

    def reason(code: str, value: str) -> str:
        return match_words.say_reason(said, code, _shown(code, value))

    def lacking(code: str, value: str, by: str = "") -> str:
        return match_words.say_lack(said, code, _shown(code, value), by)

    def days_of(value: str) -> str:
        """The days of a facet, "first/last"."""
        first, _, last = value.partition("/")
        return moments.days(first, last or first)

    def said_roles(roles: list[str]) -> str:
        return ", ".join(word(codes.ROLES, role) for role in roles)

    return {"word": word, "reason": reason, "lacking": lacking, "said_roles": said_roles, "days_of": days_of}


def listing_path(listing: dict[str, Any]) -> str:
    """Where the page of an offer or need is: `/offers/<id>-<slug>`, below `/from/<origin>` when it is a peer's."""
    room = "needs" if listing["side"] == "need" else "offers"
    origin = listing.get("origin")
    before = f"/from/{quote(origin, safe='')}" if origin else ""
    return f"{before}/{room}/{listing['id']}-{slug(listing['title'])}"


def capital(text: str) -> str:
    """`text` with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


@cache
def slug(title: str) -> str:
    """`title` for an address: "Salle de réunion" → "salle-de-reunion"."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "sans-titre"


def blocks(text: str) -> list[list[str]]:
    """What a person wrote, as paragraphs of lines."""
    found = re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip())
    return [block.split("\n") for block in found if block]


def _number(value: float, language: Locale) -> str:
    text = f"{value:,.1f}".removesuffix(".0")
    if language == "en":
        return text
    thousands = "\N{NARROW NO-BREAK SPACE}" if language == "fr" else "."
    return text.replace(",", "_").replace(".", ",").replace("_", thousands)


def money(amount: str, language: Locale) -> str:
    """A sum in euros: "9,00 €"."""
    return format_currency(Decimal(amount), "EUR", locale=language)


def _total(price: dict[str, Any] | None, start: str, end: str, quantity: Any, language: Locale) -> str:
    """What the period costs in all ("9,00 €"); empty where the price says it already."""
    pieces = int(quantity) if str(quantity).isdecimal() else 1
    whole = total_of(price, minutes_between(start, end), pieces)
    return "" if whole is None else money(str(whole), language)


def _day_of(value: str, moments: Moments) -> str:
    """An instant or day among a reason's values as people say it; anything else as it came."""
    start, _, end = value.partition("/")
    try:
        return moments.period(start, end) if end else (moments.at(start) if "T" in start else moments.day(start))
    except ValueError:
        return value
