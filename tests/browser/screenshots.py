"""`python -m tests.browser.screenshots FOLDER`: the main pages as pictures, for people who review them.

360 and 1280 px wide, light and dark; as a visitor, a member, an owner who has to answer and a coordinator.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Literal

from tests import servers
from tests.browser import chromium, tour
from tests.browser.seats import Seat, Seats
from tests.browser.tour import Tour
from tests.journeys.conftest import Region, two_linked

WIDTHS = {360: 740, 1280: 900}
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
BAD_CSV = b"ref;type;genre;titre\nA1;offre;lieu;Salle de r\xc3\xa9union\nA2;offre;fus\xc3\xa9e;Fus\xc3\xa9e\n"


def photograph(region: Region, pages: Tour, folder: Path) -> int:
    """Pictures `<who>-<page>-<width>-<scheme>.png`; how many."""
    made = 0
    with chromium.running() as browser:
        seats = Seats(browser, {})
        for width, height in WIDTHS.items():
            for scheme in SCHEMES:
                for who, shown in pages.items():
                    seat = _sit(seats, region, who, {"width": width, "height": height}, scheme)
                    for name, path in shown:
                        seat.go(path)
                        made += _picture(seat, folder / f"{who}-{name}-{width}-{scheme}.png")
                    if who == "claire":
                        _check_bad_file(seat)
                        made += _picture(seat, folder / f"{who}-import-report-{width}-{scheme}.png")
        seats.leave()
    return made


def _sit(seats: Seats, region: Region, who: str, viewport: dict[str, int], scheme: Literal["light", "dark"]) -> Seat:
    town = region.namur if who == "paul" else region.lille
    if who == "visitor":
        return seats.visitor(town, viewport=viewport, color_scheme=scheme)
    return seats.member(town, who, viewport=viewport, color_scheme=scheme)


def _check_bad_file(seat: Seat) -> None:
    page = seat.go("/coordination/import")
    page.get_by_label("Fichier CSV").set_input_files({"name": "salles.csv", "mimeType": "text/csv", "buffer": BAD_CSV})
    page.get_by_role("button", name="Vérifier le fichier").click()
    page.get_by_role("heading", name="À corriger", exact=True).wait_for()


def _picture(seat: Seat, path: Path) -> int:
    seat.page.screenshot(path=path, full_page=True)
    return 1


def main(arguments: list[str]) -> int:
    """Start two cooperatives, take the pictures, stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    with servers.running() as up, tempfile.TemporaryDirectory() as private, two_linked(up, Path(private)) as region:
        pages = tour.prepare(region)
        print(f"{photograph(region, pages, folder)} pictures in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
