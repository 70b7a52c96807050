"""What a period costs in all, by the price that is asked: shown before it is booked. The accounts are booking's."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from services.portal.client import Json

_CENT = Decimal("0.01")
_MINUTE = timedelta(minutes=1)


def minutes_between(start: str, end: str) -> int:
    """Whole minutes from `start` to `end` (RFC 3339); 0 for what is no period."""
    try:
        return max((datetime.fromisoformat(end) - datetime.fromisoformat(start)) // _MINUTE, 0)
    except (ValueError, TypeError):
        return 0


def total_of(price: Json | None, minutes: int, quantity: int) -> Decimal | None:
    """The sum for `quantity` pieces for `minutes`; None where the price says it already or is no money."""
    try:
        amount = Decimal(str((price or {}).get("amount", "0")))
    except InvalidOperation:
        return None
    match (price or {}).get("kind"):
        case "hourly" if minutes:
            whole = amount * minutes * quantity / 60
        case "fixed" if quantity > 1:
            whole = amount * quantity
        case _:
            return None
    return whole.quantize(_CENT, ROUND_HALF_UP)
