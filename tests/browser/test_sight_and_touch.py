"""Every main page: nothing that axe objects to, nothing beside a narrow screen, nothing too small for a thumb."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from deploy.demo.api import Json
from tests.browser.seats import Seats
from tests.browser.tour import Tour
from tests.journeys.conftest import Region

WIDTHS = (320, 360, 1280)
LEAST_PX = 44
PEOPLE = ("visitor", "marie", "karim", "paul", "claire")
_TOO_SMALL = """least => {
  const wanted = "button, .button, select, summary, textarea, nav a, .doors a, .card h2 a, .card h3 a, label.choice," +
    "input:not([type=hidden], [type=radio], [type=checkbox])";
  return [...document.querySelectorAll(wanted)]
    .filter(one => one.checkVisibility({ visibilityProperty: true }))
    .map(one => [one, one.getBoundingClientRect()])
    .filter(([, box]) => box.height > 0 && (box.height < least - 0.5 || box.width < least - 0.5))
    .map(([one, box]) => `${one.outerHTML.slice(0, 90)} is ${box.width.toFixed()} x ${box.height.toFixed()}`);
}"""
_BESIDE = """() => [...document.querySelectorAll("body *")]
  .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .slice(0, 5).map(one => one.outerHTML.slice(0, 90))"""

_TURN = """seen => {
  Object.defineProperty(document, "visibilityState", { value: seen, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.mark.parametrize("who", PEOPLE)
def test_pages_can_be_read_heard_and_touched(region: Region, seats: Seats, pages: Tour, who: str) -> None:
    town = region.namur if who == "paul" else region.lille
    seat = seats.visitor(town) if who == "visitor" else seats.member(town, who)
    wrong: list[str] = []
    for name, path in pages[who]:
        page = seat.go(path)
        wrong += [f"{name}: {text}" for found in (_heard(page), _seen(page)) for text in found]
    seat.complaints = [said for said in seat.complaints if "404" not in said]  # the visitor looks at a lost page
    assert not wrong, "\n".join(wrong)


def _heard(page: Page) -> Iterator[str]:
    """What axe finds in the light; in the dark, contrasts."""
    schemes: tuple[tuple[Literal["light", "dark"], Json], ...] = (
        ("light", {"resultTypes": ["violations"]}),
        ("dark", {"runOnly": ["color-contrast"]}),
    )
    for scheme, options in schemes:
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page, options=options)
        for violation in found.response["violations"]:
            for node in violation["nodes"]:
                yield f"{scheme}: {violation['id']}: {node['html'][:120]}: {node['failureSummary'][:200]}"
    page.emulate_media(color_scheme="light")


def _seen(page: Page) -> Iterator[str]:
    """What stands out at the side, and what is too small."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        across = page.evaluate("document.documentElement.scrollWidth")
        if across > width:
            yield f"{width} px: {across} px are needed, by {page.evaluate(_BESIDE)}"
        yield from (f"{width} px: {text}" for text in page.evaluate(_TOO_SMALL, LEAST_PX))


def test_a_page_out_of_sight_follows_no_messages_and_catches_up_later(region: Region, seats: Seats) -> None:
    page = seats.member(region.lille, "julie").go("/search")
    page.evaluate(_TURN, "hidden")
    with page.expect_request("**/inbox/live"), page.expect_request("**/inbox/unread"):
        page.evaluate(_TURN, "visible")


def test_a_word_without_end_stays_on_its_card(region: Region, seats: Seats) -> None:
    seat = seats.member(region.lille, "julie")
    page = seat.go("/needs/new")
    page.get_by_role("radio", name=re.compile("^Matériel")).check()
    page.get_by_label("En quelques mots").fill("Donaudampfschiff" * 7)
    page.get_by_role("button", name="Publier").click()
    page.get_by_role("status").wait_for()
    page.wait_for_load_state("load")
    assert not [*_seen(page), *_seen(seat.go("/me"))]
