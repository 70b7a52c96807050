"""What a period costs is totalled before it is booked."""

from decimal import Decimal
from typing import Any

import pytest

from services.portal.prices import minutes_between, total_of
from tests.unit.portal.conftest import Browse
from tests.unit.portal.pretend import BOOKING, OFFER, Pretend, Rule, at, booking, resource, terms

HOURLY = {"kind": "hourly", "amount": "4.50", "currency": "EUR"}


@pytest.mark.parametrize(
    ("price", "minutes", "quantity", "whole"),
    [
        (HOURLY, 120, 1, "9.00"),
        (HOURLY, 90, 3, "20.25"),
        (HOURLY | {"amount": "0.1"}, 5, 1, "0.01"),
        ({"kind": "fixed", "amount": "12"}, 90, 2, "24.00"),
        ({"kind": "fixed", "amount": "12"}, 90, 1, None),
        ({"kind": "free"}, 90, 1, None),
        ({"kind": "time"}, 90, 1, None),
        (HOURLY | {"amount": "x"}, 90, 1, None),
        (HOURLY, 0, 1, None),
        (None, 90, 1, None),
    ],
)
def test_total(price: dict[str, Any] | None, minutes: int, quantity: int, whole: str | None) -> None:
    assert total_of(price, minutes, quantity) == (None if whole is None else Decimal(whole))


def test_minutes_of_what_is_no_period_are_none() -> None:
    assert minutes_between("2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00") == 60
    assert (minutes_between("demain", ""), minutes_between("2027-01-02T00:00Z", "2027-01-01T00:00Z")) == (0, 0)


async def test_step_and_booking_say_the_sum(browse: Browse) -> None:
    rules: dict[str, Rule] = {
        f"GET booking /resources/{OFFER}": lambda _: resource(terms=terms(price=HOURLY)),
        f"GET booking /bookings/{BOOKING}": lambda _: booking(price=HOURLY, end=at(3, 11)),
    }
    client = browse(Pretend(rules=rules))
    step = await client.get(f"/offers/{OFFER}/book", params={"start": at(3), "end": at(3, 12)})
    assert "Pour cette période\N{NO-BREAK SPACE}: 13,50" in step.text.replace(" :", "\N{NO-BREAK SPACE}:")
    made = await client.get(f"/bookings/{BOOKING}")
    assert "9,00" in made.text
