"""Changes of period in the lists of what waits for an answer."""

from typing import Any

import pytest

from tests.unit.portal.conftest import Browse
from tests.unit.portal.pretend import BOOKING, Pretend, Rule, at, booking, page

PERIOD: dict[str, Any] = {
    "start": at(4, 9), "end": at(4, 11), "quantity": 1, "note": "La machine est en panne.", "decide_by": at(2),
    "withdrawn": False, "number": 0,
}  # fmt: skip


def waits(*, by_owner: bool, together: bool = False) -> dict[str, Any]:
    asked = PERIOD | {"by_owner": by_owner, "may_answer": True, "may_withdraw": False, "together": together}
    series = {"id": "019bd5ae-0000-7000-8000-0000000000aa", "position": 1, "of": 3} if together else None
    return booking(status="confirmed", may_decide=False, mine=by_owner, change=asked, series=series)


@pytest.mark.parametrize("path", ["/", "/bookings", "/coordination"])
async def test_a_change_is_answered_from_the_lists(browse: Browse, path: str) -> None:
    rule: dict[str, Rule] = {"GET booking /bookings": lambda _: page(waits(by_owner=False))}
    shown = (await browse(Pretend(role="coordinator", rules=rule)).get(path)).text
    assert "Nouvelle période" in shown
    assert "La machine est en panne." in shown
    assert f'action="/bookings/{BOOKING}/change/accept"' in shown
    assert f'action="/bookings/{BOOKING}/approve"' not in shown


async def test_dates_of_a_series_are_answered_on_its_page(browse: Browse) -> None:
    rule: dict[str, Rule] = {"GET booking /bookings": lambda _: page(waits(by_owner=True, together=True))}
    shown = (await browse(Pretend(rules=rule)).get("/bookings")).text
    assert 'href="/bookings/series/019bd5ae-0000-7000-8000-0000000000aa"' in shown
    assert "/change/accept" not in shown
