"""What a use is worth."""

from typing import Literal

from contracts.envelope import Data

ValueUnit = Literal["EUR", "minutes"]


class UsedValue(Data):
    """Money, or time given one for one. `amount`: a decimal number as text, never negative, two decimals for EUR."""

    amount: str
    unit: ValueUnit
