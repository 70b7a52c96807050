"""The earth in cells of a quarter of a degree (28 km by 18 km in Lille): what may lie in a circle, for an index.

A plain grid instead of hexagons: which cells a circle touches is then exact arithmetic, tested against the distance.
"""

import math

from services.matching.domain import Point

NOWHERE = -1
_PER_DEGREE = 4
_AROUND = 360 * _PER_DEGREE
_KM_PER_DEGREE = 111.19
_POLE = 89.0
MOST_KM = 500.0
"""Circles beyond this touch too many cells to be worth it."""


def cell_of(point: Point | None) -> int:
    """The cell of a point; NOWHERE without one."""
    if point is None:
        return NOWHERE
    return _number(_row(point.latitude), math.floor((point.longitude + 180) * _PER_DEGREE))


def touched(point: Point, radius_km: float) -> list[int] | None:
    """Every cell that a circle may touch, and few more; None when that is too large a part of the earth."""
    up = radius_km / _KM_PER_DEGREE * 1.001
    if radius_km > MOST_KM or abs(point.latitude) + up > _POLE:
        return None
    across = math.degrees(math.asin(math.sin(math.radians(up)) / math.cos(math.radians(point.latitude)))) * 1.001
    first, last = (math.floor((point.longitude + 180 + turn) * _PER_DEGREE) for turn in (-across, across))
    rows = range(_row(point.latitude - up), _row(point.latitude + up) + 1)
    return [_number(row, column) for row in rows for column in range(first, last + 1)]


def _row(latitude: float) -> int:
    return math.floor((latitude + 90) * _PER_DEGREE)


def _number(row: int, column: int) -> int:
    return row * _AROUND + column % _AROUND
