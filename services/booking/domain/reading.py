"""When a member's calendar elsewhere is read again."""

from datetime import timedelta

_FIRST_WAIT = timedelta(minutes=10)
_LONGEST_WAIT = timedelta(hours=24)
_MOST_DOUBLINGS = 10
WHOLE_AFTER = timedelta(hours=20)
"""After this it is read whole even when it has not changed: the days that are looked at move on."""


def next_reading(failures: int, *, minutes: int, jitter: float) -> timedelta:
    """How long to wait: `minutes` after a success, doubling from 10 minutes to a day after each failure in a row.

    `jitter`: from 0 to 1; spreads the readings by a tenth to both sides.
    """
    wait = timedelta(minutes=minutes)
    if failures > 0:
        wait = min(_FIRST_WAIT * 2 ** min(failures - 1, _MOST_DOUBLINGS), _LONGEST_WAIT)
    return wait * (0.9 + 0.2 * jitter)
