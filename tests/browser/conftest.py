"""Two linked cooperatives as real processes and a real browser, for the pages as people use them."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium, tour
from tests.browser.seats import Seats, Sessions
from tests.browser.tour import Tour
from tests.journeys.conftest import Region, two_linked
from tests.servers import Servers

_ROOM = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them in one worker, which has the cooperatives; the first test waits for these, so it may take longer."""
    for item in items:
        if item.path.is_relative_to(_ROOM):
            item.add_marker(pytest.mark.xdist_group("browser"))
            item.add_marker(pytest.mark.timeout(300))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave a picture of every open page when a test fails, and name it in the report."""
    report = yield
    seats = getattr(item, "funcargs", {}).get("seats")
    if report.when == "call" and report.failed and isinstance(seats, Seats):
        pictures = seats.photograph(item.funcargs["tmp_path"] / "seen")  # pyright: ignore[reportAttributeAccessIssue] - checked above
        lines = [f"{seat.person.name if seat.person else 'visitor'}: {seat.page.url}" for seat in seats.taken]
        report.sections.append(("pages when it failed", "\n".join(lines + [str(picture) for picture in pictures])))
    return report


@pytest.fixture(scope="session")
def region(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """Lille and Namur, linked."""
    with two_linked(servers, tmp_path_factory.mktemp("browser-region")) as made:
        yield made


@pytest.fixture(scope="session")
def sessions() -> Sessions:
    """Who has signed in before."""
    return {}


@pytest.fixture(scope="module")
def browser(region: Region) -> Iterator[Browser]:
    """One browser for a file of tests; `region` first, because it is founded and removed without Playwright's loop."""
    with chromium.running() as running:
        yield running


@pytest.fixture
def seats(browser: Browser, sessions: Sessions, tmp_path: Path) -> Iterator[Seats]:
    """Seats for this test's people. Fails when a browser complained: a script, the content policy, a lost file."""
    given = Seats(browser, sessions)
    yield given
    assert given.leave() == []


@pytest.fixture(scope="session")
def pages(region: Region) -> Tour:
    """The main pages, by who looks at them."""
    return tour.prepare(region)
