"""People in front of browsers: each has a page of their own, and what the browser complained about is kept."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, StorageState, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from deploy.demo.api import wait_for
from deploy.demo.people import Person
from deploy.demo.seed import Town
from tests.browser.chromium import PATIENCE_MS

_ACROSS = "document.documentElement.scrollWidth"
_BEGUN = """async () => {
  const { begun } = await import(document.querySelector("script[type=module]").src);
  await begun;
}"""
_FITS = "{ const root = document.documentElement; return root !== null && root.scrollWidth <= root.clientWidth; }"
Sessions = dict[tuple[str, str], StorageState]
"""Cookies of those who have signed in once, by cooperative and person."""
_REFUSED_FORM = re.compile(r"the server responded with a status of 4(09|22)")


@dataclass(kw_only=True)
class Seat:
    """A person's page at a cooperative."""

    page: Page
    town: Town
    person: Person | None
    scripts: bool = True
    complaints: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        """A refused form answers 409 or 422, which Chromium logs as an error; every other error counts."""
        if message.type in {"error", "warning"} and not _REFUSED_FORM.search(message.text):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def go(self, path: str) -> Page:
        """Open a page of the cooperative, and wait until it can be used."""
        self.page.goto(self.town.url + path, wait_until="load")
        if self.scripts:
            at_work(self.page)
        return self.page

    def sign_in(self) -> None:
        """As people do it, through the form."""
        assert self.person is not None
        self.go("/account/sign-in")
        self.page.get_by_label("Adresse de courriel").fill(self.person.email)
        self.page.get_by_label("Mot de passe").fill(self.town.password)
        self.page.get_by_role("main").get_by_role("button", name="Se connecter").click()
        self.page.get_by_role("button", name="Se déconnecter").wait_for()

    def reload_until(self, what: str, seen: Callable[[], bool]) -> None:
        """Load the page again until `what` is there, and all of the page: for news that it does not fetch by itself."""
        wait_for(what, lambda: seen() or bool(self.page.reload() and seen()))
        self.page.wait_for_load_state("load")


@dataclass
class Seats:
    """Gives people a seat, and knows all seats given."""

    browser: Browser
    sessions: Sessions
    taken: list[Seat] = field(default_factory=list[Seat])

    def visitor(self, town: Town, **options: Any) -> Seat:
        """Somebody who is not signed in. `options` are those of Playwright's `new_context`."""
        return self._seat(town, None, options)

    def member(self, town: Town, key: str, **options: Any) -> Seat:
        """A signed-in member of `town`, by the key in the demo's people."""
        person = next(one for one in town.cooperative.people if one.key == key)
        known = self.sessions.get((town.url, key))
        seat = self._seat(town, person, options | ({"storage_state": known} if known else {}))
        if not known:
            seat.sign_in()
            self.sessions[town.url, key] = seat.page.context.storage_state()
        return seat

    def _seat(self, town: Town, person: Person | None, options: dict[str, Any]) -> Seat:
        usual: dict[str, Any] = {"locale": person.locale if person else "fr"}
        usual |= {"timezone_id": town.cooperative.time_zone}
        context = self.browser.new_context(**(usual | options))
        context.set_default_timeout(PATIENCE_MS)
        scripts = options.get("java_script_enabled", True)
        seat = Seat(page=context.new_page(), town=town, person=person, scripts=scripts)
        self.taken.append(seat)
        return seat

    def photograph(self, folder: Path) -> list[Path]:
        """What everybody sees now, one picture for each seat."""
        folder.mkdir(parents=True, exist_ok=True)
        made: list[Path] = []
        for number, seat in enumerate(self.taken):
            name = seat.person.key if seat.person else "visitor"
            path = folder / f"{number}-{name}.png"
            try:
                seat.page.screenshot(path=path, full_page=True, timeout=5_000)
            except Error:  # a page that has crashed has no picture; the test's own error says more
                continue
            made.append(path)
        return made

    def leave(self) -> list[str]:
        """Close everybody's browser windows; what the browsers complained about."""
        for seat in self.taken:
            seat.page.context.close()
        return [complaint for seat in self.taken for complaint in seat.complaints]


def at_work(page: Page) -> None:
    """Wait until the modules of a page run: keys and clicks that come before are answered as without scripts."""
    page.wait_for_load_state("load")
    page.evaluate(_BEGUN)


def next_week(page: Page) -> None:
    """Turn the page of an offer to the week after this one, where every opening hour is still to come."""
    page.get_by_role("link", name="Semaine d'après").click()
    expect(page).to_have_url(re.compile("from="))
    at_work(page)


def fits(page: Page) -> None:
    """Nothing stands beside the screen.

    It may be asked while the answer to a form is still coming in: a document on its way has no width yet, and is asked
    again once it is there.

    Raises:
        AssertionError: with the width that is needed, if the page stays too wide.
    """
    page.wait_for_load_state("load")
    try:
        page.wait_for_function(f"() => {_FITS}")
    except PlaywrightTimeoutError as error:
        raise AssertionError(f"{page.url} needs {page.evaluate(_ACROSS)} px") from error
