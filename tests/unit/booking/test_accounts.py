"""What a use is worth, and the line that it leaves."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.booking import UsedValue
from services.booking.domain.accounts import line_of
from services.booking.domain.prices import Value, value_from, value_of
from tests.unit.booking.test_use import ANA, HOUR, MINUTE, NINE, OMAR, booking


def priced(kind: str, amount: str = "0") -> dict[str, str]:
    return {"kind": kind, "amount": amount, "currency": "EUR"}


@pytest.mark.parametrize(
    ("price", "minutes", "quantity", "worth"),
    [
        (None, 60, 1, None),
        ({"kind": "barter"}, 60, 1, None),
        ({"kind": "fixed"}, 60, 1, None),
        (priced("hourly", "-1"), 60, 1, None),
        (priced("free"), 60, 3, ("0.00", "EUR")),
        (priced("fixed", "4.5"), 600, 1, ("4.50", "EUR")),
        (priced("fixed", "4.50"), 10, 3, ("13.50", "EUR")),
        (priced("hourly", "12.00"), 90, 1, ("18.00", "EUR")),
        (priced("hourly", "10.00"), 20, 1, ("3.33", "EUR")),
        (priced("hourly", "0.30"), 1, 1, ("0.01", "EUR")),
        (priced("hourly", "10.01"), 30, 1, ("5.01", "EUR")),
        (priced("time"), 95, 2, ("190", "minutes")),
    ],
)
def test_value_by_price(price: Any, minutes: int, quantity: int, worth: tuple[str, str] | None) -> None:
    value = value_of(price, minutes=minutes, quantity=quantity)
    assert (None if value is None else (str(value.amount), value.unit)) == worth


@given(cents=st.integers(0, 10**7), minutes=st.integers(0, 60 * 24 * 31), quantity=st.integers(1, 10_000))
def test_hourly_prices_are_exact_to_half_a_cent(cents: int, minutes: int, quantity: int) -> None:
    price = priced("hourly", f"{Decimal(cents) / 100:.2f}")
    value = value_of(price, minutes=minutes, quantity=quantity)
    assert value is not None
    assert abs(value.amount * 60 * 100 - cents * minutes * quantity) * 2 <= 60
    assert value.amount.as_tuple().exponent == -2


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "x", "1e999"])
def test_what_a_peer_says_must_be_an_amount(amount: str) -> None:
    value = value_from(UsedValue(amount=amount, unit="EUR"))
    assert value is None or value.amount <= Decimal("999999999999.99")


def test_line_of_a_use_has_the_real_times_and_the_value_of_its_price() -> None:
    one = booking("completed", checked_in_at=NINE + 5 * MINUTE, checked_out_at=NINE + HOUR)
    one.price = priced("hourly", "12")  # pyright: ignore[reportAttributeAccessIssue] - a column of its own, added with the prices
    line = line_of(one)
    assert (line.kind, line.started_at, line.ended_at) == ("use", NINE + 5 * MINUTE, NINE + HOUR)
    assert (line.minutes, line.value, line.unit) == (55, Decimal("11.00"), "EUR")
    assert (line.borrower_member_id, line.borrower_name, line.owner_member_id, line.owner_name) == (
        ANA, "Ana", OMAR, "Omar",
    )  # fmt: skip
    assert one.state().value == UsedValue(amount="11.00", unit="EUR")


def test_nobody_came_leaves_a_line_without_value() -> None:
    one = booking("no_show")
    one.price = priced("fixed", "5")  # pyright: ignore[reportAttributeAccessIssue] - same
    line = line_of(one)
    assert (line.kind, line.minutes, line.value, line.unit) == ("no_show", 0, None, None)


def test_guest_is_a_pseudonym_and_a_peers_resource_is_the_peers() -> None:
    guest = booking(
        "completed", borrower_member_id=None, borrower_name="Lou", borrower_peer_id="namur",
        borrower_peer_name="OpenFlow", borrower_pseudonym="p1",
    )  # fmt: skip
    line = line_of(guest)
    assert (line.borrower_name, line.borrower_pseudonym, line.borrower_peer_id) == (None, "p1", "namur")
    abroad = booking("completed", resource_origin="namur", origin_name="OpenFlow", owner_member_id=None)
    abroad.told_value = Value(Decimal(90), "minutes")
    line = line_of(abroad)
    assert (line.owner_name, line.owner_peer_id, line.owner_peer_name) == (None, "namur", "OpenFlow")
    assert (line.value, line.unit, line.minutes) == (Decimal(90), "minutes", 120)


def test_half_a_minute_counts_as_one() -> None:
    one = booking("completed", checked_in_at=NINE, checked_out_at=NINE + timedelta(seconds=89))
    assert line_of(one).minutes == 1
    one.checked_out_at = NINE + timedelta(seconds=90)
    assert line_of(one).minutes == 2
