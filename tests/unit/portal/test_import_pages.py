"""A file with thousands of problems: the first hundred on the page, all of them in a file."""

import httpx

from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import IMPORT, REPORT, Pretend, Rule


async def test_first_hundred_problems_are_shown_and_all_can_be_downloaded(browse: Browse) -> None:
    one = {"column": "genre", "value": "fusée", "reason": "Genre inconnu."}
    bad = [{"line": line, **one} for line in range(2, 10_002)]
    rules: dict[str, Rule] = {
        "POST catalog /imports/check": lambda _: REPORT | {"errors": bad, "rows": 10_000, "valid": 0},
        f"GET catalog /imports/{IMPORT}/errors.csv": lambda _: httpx.Response(200, text="ligne;colonne\r\n"),
    }
    client = browse(Pretend(role="coordinator", rules=rules))
    page = await client.get("/coordination/import")
    data = fill(page, "/coordination/import")
    report = await client.post("/coordination/import", data=data, files={"file": ("a.csv", b"x")})
    assert report.status_code == 200
    assert "10000 problèmes à corriger" in report.text
    assert report.text.count("Genre inconnu.") == 100
    assert "Voici les 100 premiers." in report.text
    file = await client.get(f"/coordination/import/{IMPORT}/errors.csv")
    assert (file.text, file.headers["content-type"]) == ("ligne;colonne\r\n", "text/csv; charset=utf-8")
