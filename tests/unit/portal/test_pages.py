from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from tests.unit.portal.conftest import Browse
from tests.unit.portal.pretend import (
    BOOKING,
    CIRCLE,
    HOLD,
    IMPORT,
    INTRODUCTION,
    LETTER,
    LINK,
    NEED,
    OFFER,
    PAUL,
    PEER,
    PEER_OFFER,
    SEARCH,
    SESSION,
    WISH,
    Pretend,
    at,
    listing,
    problem,
)  # fmt: skip

PERIOD = urlencode({"start": at(3), "end": at(3, 12)})
EVERYWHERE = [
    "/", "/search", "/search?q=salle&side=offer", "/search?q=rien",
    "/search?q=bois&topic=make.wood", f"/offers/{OFFER}", f"/offers/{OFFER}-un-titre",
    f"/from/{PEER}/offers/{PEER_OFFER}", "/account/reset", "/account/reset/abc", "/account/join/abc",
    "/account/email/abc", f"/searches/{SEARCH}/stop/key", "/outcomes/key", "/outcomes/key?worked=no",
]  # fmt: skip
FOR_MEMBERS = [
    f"/needs/{NEED}", "/offers/new", "/needs/new", f"/needs/{NEED}/edit", f"/needs/{NEED}/withdraw",
    "/bookings", "/bookings/uses", f"/bookings/{BOOKING}", f"/bookings/{BOOKING}/cancel", f"/bookings/{BOOKING}/change",
    "/inbox", "/me", "/me/leave", "/me/calendars", "/me/access", "/me/second-factor",
    f"/waiting/{WISH}", f"/to-settle/{OFFER}",
    f"/offers/{OFFER}/book?{PERIOD}&hold={HOLD}", f"/from/{PEER}/offers/{PEER_OFFER}/book?{PERIOD}",
    "/circles", f"/circles/{CIRCLE['id']}", f"/circles/{CIRCLE['id']}?who=paul", f"/circles/{CIRCLE['id']}/close",
    "/searches", "/introductions", f"/introductions/{INTRODUCTION}", f"/introductions/new?thing={OFFER}",
    "/sessions", "/sessions?series=s1", "/sessions/new", "/sessions/new?template=co_development",
    "/sessions/new?template=monthly_day", f"/sessions/{SESSION}", f"/sessions/{SESSION}/edit",
    f"/sessions/{SESSION}/move", f"/sessions/{SESSION}/cancel",
]  # fmt: skip
FOR_COORDINATORS = [
    "/coordination", "/coordination/members", f"/coordination/members/{PAUL}", "/coordination/import",
    f"/coordination/import/{IMPORT}", "/coordination/links", f"/coordination/links/{LINK}",
    f"/coordination/links/{LINK}/end", f"/coordination/links/{LINK}/catalogue", f"/coordination/links/{LINK}/copies",
    f"/coordination/links/{LINK}/limits", f"/coordination/links/{LINK}/block", "/coordination/cooperative",
    "/coordination/accounts", "/coordination/limits", "/coordination/limits?category=atelier", "/coordination/dead",
    f"/coordination/dead/notify/{LETTER}", f"/coordination/dead/notify/{LETTER}?drop=1",
    "/coordination/acts", f"/coordination/acts?actor={PAUL}&first=2026-03-01&last=2026-03-31&service=booking",
]  # fmt: skip
EMPTY = {"area", "br", "col", "hr", "img", "input", "link", "meta", "use"}


class Outline(HTMLParser):
    """Open elements, ids and what only a script or a style would explain."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: set[str] = set()
        self.inline: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self.open.append(tag)
        if tag in {"h1", "h2", "h3", "h4"}:
            self.headings.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"for", "aria-labelledby", "aria-describedby"}:
                self.references |= set((value or "").split())
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")
            if tag == "script" and not any(one == "src" for one, _ in attrs):
                self.inline.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["fr", "nl", "en"])
@pytest.mark.parametrize("path", [*EVERYWHERE, *FOR_MEMBERS, *FOR_COORDINATORS])
async def test_page_is_whole(browse: Browse, path: str, language: str) -> None:
    client = browse(Pretend(role="administrator"))
    client.cookies.set("maillage_opteos_language", language, domain="portal.test")
    answer = await client.get(path)
    assert answer.status_code == 200
    outline = Outline()
    outline.feed(answer.text)
    assert outline.open == []
    assert outline.inline == []
    assert outline.headings.count("h1") == 1
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.references <= set(outline.ids)
    assert f'lang="{language}"' in answer.text


@pytest.mark.parametrize("path", FOR_MEMBERS[1:] + FOR_COORDINATORS)
async def test_visitors_are_asked_to_sign_in_and_come_back(browse: Browse, path: str) -> None:
    answer = await browse(Pretend(), signed_in=False).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/account/sign-in?next=%2F")


@pytest.mark.parametrize("path", FOR_COORDINATORS)
async def test_members_are_told_who_has_the_right(browse: Browse, path: str) -> None:
    answer = await browse(Pretend()).get(path)
    assert answer.status_code == 403
    assert "équipe d'appui peut le faire" in answer.text


@pytest.mark.parametrize("away", ["catalog", "booking", "matching", "notify", "federation", "identity"])
@pytest.mark.parametrize("path", [*EVERYWHERE, *FOR_MEMBERS, *FOR_COORDINATORS])
async def test_a_missing_part_is_said_and_never_an_accident(browse: Browse, path: str, away: str) -> None:
    answer = await browse(Pretend(role="administrator", away={away})).get(path)
    assert answer.status_code in {200, 503}
    assert "Traceback" not in answer.text
    if answer.status_code == 503:
        assert "ne répond pas" in answer.text


async def test_a_portal_that_has_never_heard_from_identity_says_what_is_missing(browse: Browse) -> None:
    client = browse(Pretend(away={"identity"}), signed_in=False, instance="fresh")
    home, nothing = await client.get("/"), await client.get("/nothing-here")
    assert (home.status_code, nothing.status_code) == (200, 404)
    assert "Fresh" in home.text


async def test_the_peers_cooperative_is_said_in_words(browse: Browse) -> None:
    page = (await browse(Pretend()).get(f"/from/{PEER}/offers/{PEER_OFFER}")).text
    assert "chez OpenFlow (Namur)" in page
    assert "La demande part chez OpenFlow (Namur), qui décide." in page


async def test_what_was_withdrawn_is_gone(browse: Browse) -> None:
    pretend = Pretend(rules={f"GET catalog /listings/{OFFER}": lambda _: problem(410, "catalog/gone", "Retirée.")})
    answer = await browse(pretend).get(f"/offers/{OFFER}")
    assert answer.status_code == 410
    assert "Retirée." in answer.text


async def test_what_people_write_is_no_markup(browse: Browse) -> None:
    nasty = "<script>alert(1)</script>"
    pretend = Pretend(rules={f"GET catalog /listings/{OFFER}": lambda _: listing(title=nasty, text=nasty, unit=nasty)})
    page = (await browse(pretend).get(f"/offers/{OFFER}")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


async def test_notice_stands_on_every_page(browse: Browse) -> None:
    client = browse(Pretend(), notice="Données d'exemple")
    for path in ("/", "/nothing-here", "/me"):
        assert "Données d&#39;exemple" in (await client.get(path)).text
