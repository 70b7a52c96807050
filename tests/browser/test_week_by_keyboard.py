"""The week without a mouse: arrows move, Shift extends, Enter takes."""

import re

from playwright.sync_api import Page, expect

from tests.browser import things
from tests.browser.seats import Seats, at_work, next_week
from tests.journeys.conftest import Region

_WEEK_MOST_TABS = 60


def test_two_hours_are_chosen_and_asked_for_with_keys_alone(region: Region, seats: Seats) -> None:
    title = things.title_of_its_own("Presse à plier")
    path = things.bookable(region.lille, "karim", title)
    page = seats.member(region.lille, "marie").go(path)
    page.get_by_role("link", name="Semaine d'après").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("from="))
    at_work(page)

    _tab_to_the_week(page)
    day, _, time = _focused(page).partition(", ")
    assert time == "9 h à 9 h 30, libre"
    page.keyboard.press("ArrowRight")
    other_day, _, time = _focused(page).partition(", ")
    assert other_day != day
    assert time == "9 h à 9 h 30, libre"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert _focused(page) == f"{other_day}, 10 h à 10 h 30, libre"
    page.keyboard.press("ArrowUp")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_label("Début")).to_have_value(re.compile("T09:30$"))
    expect(page.get_by_role("button", name=re.compile(f"^{other_day}"), pressed=True).first).to_be_visible()
    end = page.get_by_label("Fin").input_value()
    assert end >= page.get_by_label("Début").input_value()[:11] + "12:00"

    page.keyboard.press("Enter")
    expect(page.get_by_label("Un mot pour la personne")).to_be_focused()
    assert page.get_by_label("Fin").input_value() == end
    page.keyboard.type("Pour un prototype.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("La demande est partie")
    expect(page.get_by_text("Pour un prototype.")).to_be_visible()


def test_the_tab_key_passes_the_week_in_one_step(region: Region, seats: Seats) -> None:
    path = things.bookable(region.lille, "karim", things.title_of_its_own("Cisaille"))
    page = seats.member(region.lille, "marie").go(path)
    next_week(page)
    _tab_to_the_week(page)
    page.keyboard.press("Tab")
    expect(page.locator("table :focus")).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(page.locator("table :focus")).to_have_count(1)


def _tab_to_the_week(page: Page) -> None:
    """As a person who hears the page: Tab until something in the table is reached."""
    for _ in range(_WEEK_MOST_TABS):
        page.keyboard.press("Tab")
        if page.locator("table :focus").count():
            return
    raise AssertionError("the Tab key never comes to the week")


def _focused(page: Page) -> str:
    """The name that is heard, with ordinary spaces."""
    name = page.locator("table :focus").get_attribute("aria-label") or ""
    return " ".join(name.split())
