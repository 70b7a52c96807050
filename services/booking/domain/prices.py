"""What a use is worth, by the price as it was when it was booked. Exact decimals, never floats."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from contracts.booking import UsedValue, ValueUnit
from services.booking.domain.spans import Span

_CENT = Decimal("0.01")
_WHOLE = Decimal(1)
_MINUTE = timedelta(minutes=1)
_MINUTES_AN_HOUR = Decimal(60)
_LARGEST = Decimal("999999999999.99")


@dataclass(frozen=True)
class Value:
    """EUR to the cent, or whole minutes of time."""

    amount: Decimal
    unit: ValueUnit

    def told(self) -> UsedValue:
        """As it is said to others."""
        return UsedValue(amount=str(self.amount), unit=self.unit)


def minutes_of(span: Span) -> int:
    """Whole minutes, half a minute counts as one."""
    return (span.length + _MINUTE / 2) // _MINUTE


def value_of(price: Mapping[str, Any] | None, *, minutes: int, quantity: int) -> Value | None:
    """What a use of `quantity` pieces for `minutes` is worth; None when nobody set a price that makes sense.

    `fixed` counts once for each piece, `hourly` each piece by the minute, rounded half up to the cent;
    `time` is given one for one: as many minutes as it lasted, for each piece.
    """
    match (price or {}).get("kind"):
        case "free":
            return _bounded(Decimal(0), "EUR")
        case "fixed":
            amount = _amount((price or {}).get("amount"))
            return None if amount is None else _bounded(amount * quantity, "EUR")
        case "hourly":
            amount = _amount((price or {}).get("amount"))
            return None if amount is None else _bounded(amount * minutes * quantity / _MINUTES_AN_HOUR, "EUR")
        case "time":
            return _bounded(Decimal(minutes * quantity), "minutes")
        case _:
            return None


def value_from(told: UsedValue | None) -> Value | None:
    """What a peer said that a use of its resource was worth; None when it said nothing that makes sense."""
    amount = _amount(told.amount) if told is not None else None
    return _bounded(amount, told.unit) if told is not None and amount is not None else None


def _amount(text: object) -> Decimal | None:
    """A decimal number that is not negative."""
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def _bounded(amount: Decimal, unit: ValueUnit) -> Value:
    """Rounded half up to what the unit knows, and no more than the column of values takes."""
    return Value(min(amount, _LARGEST).quantize(_CENT if unit == "EUR" else _WHOLE, ROUND_HALF_UP), unit)
