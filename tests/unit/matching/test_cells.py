"""A circle's cells miss nothing that lies in it."""

import math
import random

from services.matching import cells
from services.matching.domain import Point, distance_km


def _around(chance: random.Random, centre: Point, km: float) -> Point:
    """A point `km` from `centre` in a random direction, on the sphere."""
    turn, angle = chance.uniform(0, 2 * math.pi), km / 6371.0088
    latitude = math.radians(centre.latitude)
    there = math.asin(math.sin(latitude) * math.cos(angle) + math.cos(latitude) * math.sin(angle) * math.cos(turn))
    across = math.atan2(
        math.sin(turn) * math.sin(angle) * math.cos(latitude), math.cos(angle) - math.sin(latitude) * math.sin(there)
    )
    longitude = (centre.longitude + math.degrees(across) + 180) % 360 - 180
    return Point(latitude=math.degrees(there), longitude=longitude)


def test_whatever_lies_in_a_circle_lies_in_one_of_its_cells() -> None:
    chance = random.Random(1)
    for _ in range(100_000):
        latitude = chance.choice([chance.uniform(-89, 89), chance.uniform(49, 52)])
        centre = Point(latitude=latitude, longitude=chance.choice([chance.uniform(-180, 180), 179.99, -180.0, 3.06]))
        radius = 10 ** chance.uniform(-1, 1.7)
        touched = cells.touched(centre, radius)
        if touched is None:
            assert abs(centre.latitude) > 88
            continue
        there = _around(chance, centre, radius * chance.choice([chance.random(), 1.0]))
        if distance_km(centre, there) <= radius:
            assert cells.cell_of(there) in set(touched), (centre, radius, there)


def test_cells_stay_few() -> None:
    lille = Point(latitude=50.63, longitude=3.06)
    assert len(cells.touched(lille, 50) or []) < 60
    assert len(cells.touched(lille, 150) or []) < 400
    assert cells.touched(lille, 5000) is None
    assert cells.cell_of(None) == cells.NOWHERE
