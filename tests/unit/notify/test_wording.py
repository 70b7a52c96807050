"""Every template in every language: complete, escaped, one line where it must be."""

import re
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from contracts.identity import AccessChange, Locale
from services.notify import wording
from services.notify.wording import TEMPLATES, Reader

LOCALES: tuple[Locale, ...] = ("fr", "en", "nl")
FRAMES = {"letter", "reasons"}
NAMES = sorted(path.stem for path in (TEMPLATES / "fr").glob("*.j2") if path.stem not in FRAMES)
ATTACK = "<script>alert(1)</script>\r\nBcc: victim@example.org"

FACTS: dict[str, Any] = {
    "offer": "Découpeuse laser",
    "start": "2026-03-19T13:00:00+00:00",
    "end": "2026-03-19T16:00:00+00:00",
    "time_zone": "Europe/Brussels",
    "place": "12 rue Neuve",
    "origin_name": "OpenFlow",
    "borrower": "Ana",
    "borrower_cooperative": None,
    "owner": "Omar",
    "owner_cooperative": "OpenFlow",
    "quantity": 2,
    "note": "Merci d'avance",
    "reason": "En panne",
    "decide_by": "2026-03-18T13:00:00+00:00",
    "circle": "Couture",
    "price": {"kind": "hourly", "amount": "4.50", "currency": "EUR"},
    "instructions": "La clé est à l'accueil.",
    "new_start": "2026-03-20T13:00:00+00:00",
    "new_end": "2026-03-20T16:00:00+00:00",
    "new_quantity": 1,
    "change_note": "Le stand arrive plus tard",
    "answer_by": "2026-03-18T13:00:00+00:00",
    "by": "owner",
    "was_confirmed": True,
    "name": "Omar",
    "email": "omar@namur.example",
    "need": "Couper du bois",
    "proposals": [
        {
            "title": "Laser",
            "origin_name": "OpenFlow",
            "reasons": [
                {"code": "words", "value": "bois"},
                {"code": "distance", "value": "12.4"},
                {"code": "kind", "value": "machine"},
                {"code": "category", "value": "atelier"},
                {"code": "free", "value": ""},
                {"code": "quantity", "value": "3"},
            ],
        }
    ],
    "peer": "OpenFlow",
    "status": "to_confirm",
    "count": 3,
    "expired": False,
    "dates": [{"start": "2026-03-19T13:00:00+00:00", "end": "2026-03-19T16:00:00+00:00"}] * 3,
    "new_dates": [{"start": "2026-03-20T13:00:00+00:00", "end": "2026-03-20T16:00:00+00:00"}] * 3,
    "to": "x@example.org",
    "expires_at": "2026-03-18T13:00:00+00:00",
    "link": "http://lille.example/account/join/abc",
    "inviter": "Léa",
    "joins": "Optéos",
    "role": "Consultant·e",
    "position": 2,
    "accept_by": "2026-03-18T13:00:00+00:00",
    "video": "https://video.example/salle",
    "organiser": "Dora",
    "was_taken": True,
    "was_start": "2026-03-18T13:00:00+00:00",
    "short": True,
    "thing": "Scie à ruban",
    "asker": "Zoé",
    "asker_cooperative": None,
    "message": "J'aurais une planche à couper.",
    "their_cooperative": None,
    "key": "KEY",
    "days": 7,
    "radius": 300,
    "scope": "peers",
    "how": "daily",
    "total": 7,
    "searches": [
        {
            "name": "Machines à bois",
            "total": 6,
            "stop": "/searches/1/stop/key",
            "found": [{"title": "Scie à ruban", "origin_name": "OpenFlow", "place_label": "Namur"}],
        },
        {
            "name": "Salles",
            "total": 1,
            "stop": "/searches/2/stop/key",
            "found": [{"title": "Salle", "origin_name": None, "place_label": None}],
        },
    ],
    "what": "password",
}


def reader(locale: Locale = "fr", name: str = "Zoé") -> Reader:
    return Reader(
        name=name,
        locale=locale,
        cooperative="Optéos",
        home="Europe/Paris",
        public_url="http://lille.example",
        now=datetime(2026, 3, 1, tzinfo=UTC),
    )


def has(name: str, block: str) -> bool:
    return f"block {block} " in (TEMPLATES / "fr" / f"{name}.j2").read_text(encoding="utf-8")


def facts(**changes: Any) -> dict[str, Any]:
    return FACTS | changes


def test_the_three_languages_have_the_same_templates_with_the_same_blocks() -> None:
    def blocks(locale: str) -> dict[str, list[str]]:
        folder = TEMPLATES / locale
        return {p.stem: re.findall(r"block (\w+) ", p.read_text(encoding="utf-8")) for p in folder.glob("*.j2")}

    assert blocks("fr") == blocks("en") == blocks("nl")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", [name for name in NAMES if has(name, "sentence")])
def test_every_notice_reads_well(name: str, locale: Locale) -> None:
    said = wording.notice(name, FACTS, reader(locale))
    for text in (said.title, said.sentence):
        assert text == text.strip()
        assert text
        assert "None" not in text
        assert "  " not in text
    assert said.sentence[0].isupper()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", [name for name in NAMES if has(name, "mail")])
def test_every_mail_greets_says_and_links(name: str, locale: Locale) -> None:
    mail = wording.mail(name, FACTS, reader(locale), url="http://lille.example/x", to_member=True)
    assert "Zoé" in mail.text.splitlines()[0]
    assert "None" not in mail.text
    assert "{" not in mail.text
    assert "\n\n\n" not in mail.text
    assert (
        ("http://lille.example/x" in mail.text)
        == ('href="http://lille.example/x"' in mail.html)
        == (name != "email-changed")
    )
    assert "http://lille.example/me" in mail.text
    assert f'<html lang="{locale}">' in mail.html


@pytest.mark.parametrize("name", [name for name in NAMES if has(name, "mail")])
def test_what_people_write_is_neither_markup_nor_a_header(name: str) -> None:
    texts = {key: ATTACK for key, value in FACTS.items() if isinstance(value, str) and key not in _NOT_FREE}
    proposals = [{"title": ATTACK, "origin_name": ATTACK, "reasons": [{"code": "words", "value": ATTACK}]}]
    thing = {"title": ATTACK, "origin_name": ATTACK, "place_label": ATTACK}
    searches = [{"name": ATTACK, "total": 2, "stop": "/searches/1/stop/key", "found": [thing]}]
    said = facts(**texts, proposals=proposals, searches=searches)
    mail = wording.mail(name, said, reader(name=ATTACK), url='http://x/"onmouseover="', to_member=True)
    assert "<script" not in mail.html
    assert '"onmouseover=' not in mail.html
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject
    if has(name, "sentence"):
        notice = wording.notice(name, said, reader(name=ATTACK))
        assert "\n" not in notice.title + notice.sentence


_NOT_FREE = {
    "start", "end", "time_zone", "decide_by", "expires_at", "status", "by", "new_start", "new_end", "answer_by",
    "accept_by", "was_start",
}  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("booking-")])
def test_a_booking_of_which_little_is_known_still_reads_well(name: str, locale: Locale) -> None:
    least = facts(
        place=None, borrower=None, borrower_cooperative="OpenFlow", owner=None, owner_cooperative=None, quantity=1,
        origin_name=None, note="", reason=None, decide_by=None, was_confirmed=False, by="system",
        circle=None, price=None, instructions="", change_note="",
    )  # fmt: skip
    said = wording.notice(name, least, reader(locale))
    assert "None" not in said.title + said.sentence
    if has(name, "mail"):
        assert "None" not in wording.mail(name, least, reader(locale), url="http://x/", to_member=True).text


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("session-")])
def test_a_session_of_which_little_is_known_still_reads_well(name: str, locale: Locale) -> None:
    least = facts(place=None, video=None, organiser=None, reason=None, was_taken=False, was_start=None, short=False)
    said = wording.notice(name, least, reader(locale))
    assert "None" not in said.title + said.sentence
    assert "None" not in wording.mail(name, least, reader(locale), url="http://x/", to_member=True).text


def test_what_searches_found_has_a_link_for_each_that_stops_it() -> None:
    mail = wording.mail("searches-found", FACTS, reader(), url="http://lille.example/searches", to_member=True)
    assert mail.subject == "7 nouveautés pour vos recherches"
    for number in (1, 2):
        assert f'href="http://lille.example/searches/{number}/stop/key"' in mail.html
        assert f":\nhttp://lille.example/searches/{number}/stop/key" in mail.text
    assert "Scie à ruban, Namur (OpenFlow)" in mail.text
    assert "Et 5 de plus." in mail.text


def test_reasons_are_a_sentence() -> None:
    said = wording.notice("matches-proposed", FACTS, reader())
    assert said.sentence == (
        "Laser (OpenFlow) : il y est question de bois, à 12 km, c'est bien une machine, même catégorie (atelier), "
        "libre à la période souhaitée, quantité : 3."
    )


@pytest.mark.parametrize(
    ("by", "said"), [("borrower", "Vous l'avez annulée."), ("owner", "Annulée par Omar (OpenFlow).")]
)
def test_a_cancellation_says_by_whom(by: str, said: str) -> None:
    assert wording.notice("booking-cancelled", facts(by=by), reader()).sentence.startswith(said)


def test_a_confirmation_tells_price_and_what_to_know() -> None:
    said = {
        locale: wording.mail("booking-confirmed", FACTS, reader(locale), url="", to_member=True).text
        for locale in LOCALES
    }
    assert "Prix : 4,50\N{NO-BREAK SPACE}€ par heure, soit 27,00\N{NO-BREAK SPACE}€ en tout." in said["fr"]
    assert "Bon à savoir : La clé est à l'accueil." in said["fr"]
    assert "Au nom du cercle Couture." in said["fr"]
    assert "Price: €4.50 an hour, €27.00 in all." in said["en"]
    assert "Prijs: €\N{NO-BREAK SPACE}4,50 per uur, samen €\N{NO-BREAK SPACE}27,00." in said["nl"]


def test_mails_that_wait_since_before_prices_were_told_are_still_written() -> None:
    old = {key: value for key, value in FACTS.items() if key not in {"price", "instructions", "circle"}}
    assert "Prix" not in wording.mail("booking-confirmed", old, reader(), url="", to_member=True).text


def test_french_elides() -> None:
    mail = wording.mail("booking-expired-owner", facts(borrower="Émile"), reader(), url="", to_member=True)
    assert "La demande d'Émile a expiré" in mail.text
    assert "vient d'Optéos" in mail.text


def test_a_very_long_title_is_cut() -> None:
    said = wording.notice("booking-expired", facts(offer="x" * 5000), reader())
    assert len(said.title) == wording.LONGEST_TITLE
    assert said.title.endswith("…")


@pytest.mark.parametrize("locale", LOCALES)
def test_a_mail_about_access_says_what_happened(locale: Locale) -> None:
    said = {
        what: wording.mail("access-changed", {"what": what}, reader(locale), url="/me/access", to_member=False)
        for what in get_args(AccessChange)
    }
    assert len({mail.subject for mail in said.values()}) == len({mail.text for mail in said.values()}) == len(said)
