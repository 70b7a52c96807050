"""What people read: templates in their language, filled with facts. The only place that knows Jinja2.

A template has the blocks `title` (also a mail's subject), `sentence` (inbox), `mail` and `action`; `links` if it likes:
further links, a paragraph each, with the address on the second line (`at("/path")` makes it whole).
Text and HTML come from the same `mail` block: once as it is, once escaped, with a <p> for each paragraph.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from babel.numbers import format_currency
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from contracts.identity import Locale
from services.notify.dates import BABEL, instant, say_instant, say_period

TEMPLATES = Path(__file__).parent / "templates"
LONGEST_TITLE = 150
LONGEST_SENTENCE = 600
MOST_DATES = 20
"""How many dates of a series a mail lists; the rest is on its page."""
_CENT = Decimal("0.01")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads, and where they are: `home` is the IANA zone of their cooperative, `public_url` its pages."""

    name: str
    locale: Locale
    cooperative: str
    home: str
    public_url: str
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Notice:
    """The short form, for the inbox."""

    title: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Mail:
    """The long form."""

    subject: str
    text: str
    html: str


def notice(template: str, facts: dict[str, Any], reader: Reader) -> Notice:
    """The message `template` for the inbox of `reader`."""
    found = _environment(as_html=False).get_template(f"{reader.locale}/{template}.j2")
    context = _context(facts, reader, url="")
    return Notice(
        title=one_line(_block(found, "title", context), LONGEST_TITLE),
        sentence=one_line(_block(found, "sentence", context), LONGEST_SENTENCE),
    )


def mail(template: str, facts: dict[str, Any], reader: Reader, *, url: str, to_member: bool) -> Mail:
    """The message `template` as a mail; `url` (absolute, may be empty) is what its action opens.

    `to_member`: whether the footer explains how to receive less; account mails are always sent.
    """
    footer = "footer" if to_member else "account_footer"
    context = _context(facts, reader, url=url)
    plain, rich = _environment(as_html=False), _environment(as_html=True)
    text = _parts(plain, template, footer, reader.locale, context)
    html = _parts(rich, template, footer, reader.locale, context)
    safe = {key: [Markup(part) for part in parts] for key, parts in html.items()}  # noqa: S704 - escaped by `rich`
    message = plain.get_template(f"{reader.locale}/{template}.j2")
    subject = one_line(_block(message, "title", context), LONGEST_TITLE)
    return Mail(
        subject=subject,
        text=plain.get_template("letter.txt.j2").render(context | text),
        html=rich.get_template("letter.html.j2").render(context | safe | {"subject": subject}),
    )


def one_line(text: str, longest: int) -> str:
    """`text` without line breaks and control characters, cut at `longest` characters: fit for a header."""
    line = re.sub(r" {2,}", " ", _CONTROL.sub(" ", text)).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _paragraphs(text: str) -> list[str]:
    return [paragraph.strip() for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip()]


def _parts(
    environment: Environment, template: str, footer: str, locale: Locale, context: dict[str, Any]
) -> dict[str, list[str]]:
    """The pieces of a letter, each a list of paragraphs."""
    message = environment.get_template(f"{locale}/{template}.j2")
    frame = environment.get_template(f"{locale}/letter.j2")
    blocks = {"greeting": (frame, "greeting"), "paragraphs": (message, "mail"), "action": (message, "action")}
    blocks["footer"] = (frame, footer)
    parts = {part: _paragraphs(_block(source, name, context)) for part, (source, name) in blocks.items()}
    return parts | {"links": _paragraphs(_block(message, "links", context)) if "links" in message.blocks else []}


def _block(template: Template, name: str, context: dict[str, Any]) -> str:
    return "".join(template.blocks[name](template.new_context(context)))


def _context(facts: dict[str, Any], reader: Reader, *, url: str) -> dict[str, Any]:
    def when(at: str, time_zone: str | None = None) -> str:
        return say_instant(instant(at), time_zone or reader.home, reader.locale, now=reader.now)

    def period(before: str = "") -> str:
        start, end = instant(facts[f"{before}start"]), instant(facts[f"{before}end"])
        return say_period(start, end, facts["time_zone"], reader.locale, now=reader.now, home=reader.home)

    def periods(before: str = "") -> list[str]:
        spans = [(instant(one["start"]), instant(one["end"])) for one in facts[f"{before}dates"][:MOST_DATES]]
        zone = facts["time_zone"]
        return [say_period(*span, zone, reader.locale, now=reader.now, home=reader.home) for span in spans]

    own: dict[str, Any] = {
        "reader": reader.name,
        "cooperative": reader.cooperative,
        "locale": reader.locale,
        "url": url,
        "settings_url": f"{reader.public_url}/me",
        "at": partial(_at, reader.public_url),
        "when": when,
        "period": period,
        "periods": periods,
        "person": partial(_person, reader.locale),
        "cost": partial(_cost, reader.locale, facts),
    }
    return _LATER_FACTS | facts | own


def _at(public_url: str, path: str) -> str:
    """The whole address of a path on the portal."""
    return f"{public_url}{path}"


_LATER_FACTS: dict[str, Any] = {"circle": None, "price": None, "instructions": "", "expired": False, "calendar": None}
"""What mails that wait since before these were facts do not have."""
_COSTS: dict[Locale, dict[str, str]] = {
    "fr": {
        "fixed": "{} par utilisation",
        "hourly": "{} par heure",
        "time": "une heure d'échange par heure réservée",
        "free": "gratuit",
    },
    "en": {
        "fixed": "{} for each use",
        "hourly": "{} an hour",
        "time": "one hour of exchange for each hour booked",
        "free": "free of charge",
    },
    "nl": {
        "fixed": "{} per gebruik",
        "hourly": "{} per uur",
        "time": "één ruiluur per gereserveerd uur",
        "free": "gratis",
    },
}


_IN_ALL: dict[Locale, str] = {"fr": "{}, soit {} en tout", "en": "{}, {} in all", "nl": "{}, samen {}"}


def _cost(locale: Locale, facts: dict[str, Any], price: dict[str, str]) -> str:
    """What a booking costs: "4,50 € par heure, soit 9,00 € en tout"."""
    amount, kind = Decimal(price["amount"]), price["kind"]
    said = _COSTS[locale][kind].format(_sum(amount, price, locale))
    quantity, seconds = facts["quantity"], (instant(facts["end"]) - instant(facts["start"])).total_seconds()
    if kind == "hourly":
        whole = amount * quantity * Decimal(int(seconds)) / 3600
    elif kind == "fixed" and quantity > 1:
        whole = amount * quantity
    else:
        return said
    return _IN_ALL[locale].format(said, _sum(whole, price, locale))


def _sum(amount: Decimal, price: dict[str, str], locale: Locale) -> str:
    return format_currency(amount.quantize(_CENT, ROUND_HALF_UP), price["currency"], locale=BABEL[locale])


_UNNAMED: dict[Locale, str] = {
    "fr": "une personne de la coopérative {}",
    "en": "someone from {}",
    "nl": "iemand van {}",
}
_NOBODY: dict[Locale, str] = {"fr": "une personne", "en": "someone", "nl": "iemand"}


def _person(locale: Locale, name: str | None, cooperative: str | None) -> str:
    """As much as may be known: "Marie (OpenFlow)", "Marie", "une personne de la coopérative OpenFlow"."""
    if name:
        return f"{name} ({cooperative})" if cooperative else name
    return _UNNAMED[locale].format(cooperative) if cooperative else _NOBODY[locale]


def _de(name: str) -> str:
    """French "de" before a name: "d'Optéos", "de Namur"."""
    first = unicodedata.normalize("NFD", name[:1]).lower()[:1]
    return f"d'{name}" if first in set("aeiouyœæ") else f"de {name}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _whole(value: str) -> str:
    """Round "12.4" to "12"; what is no number stays as it is."""
    try:
        return str(max(1, round(float(value))))
    except ValueError:
        return value


@lru_cache(maxsize=2)
def _environment(*, as_html: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=as_html,  # noqa: S701 - plain text is not escaped; HTML has an environment of its own
        undefined=StrictUndefined,
        auto_reload=False,
    )
    environment.filters["whole"] = _whole
    environment.filters["de"] = _de
    environment.filters["capital"] = _capital
    return environment
