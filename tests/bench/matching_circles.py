"""Random circles: whether the condition that search puts on places, cells first, says what the exact way says."""

import json
import math
import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from services.chassis.database import Database
from services.matching import cells
from services.matching.domain import Point, distance_km
from services.matching.ranking import Circle, within
from services.matching.tables import things

_SHAPES = (
    Circle(centre=Point(latitude=0.0, longitude=0.0), radius_km=10.0),
    Circle(centre=Point(latitude=0.0, longitude=180.0), radius_km=10.0),
    Circle(centre=Point(latitude=0.0, longitude=0.0), radius_km=1000.0),
    Circle(centre=Point(latitude=89.95, longitude=0.0), radius_km=100.0),
)
_GIVEN = """
SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r(
    latitude float8, longitude float8, cell int, shape int, exact_km float8, circle_cells int[], circle_south float8,
    circle_north float8, circle_west float8, circle_east float8, circle_km float8, circle_latitude float8,
    circle_longitude float8
)
"""
_CHUNK = 5000
_TIE = 1e-9
"""Km within which both may round to different sides."""


async def disagreements(db: Database, count: int) -> tuple[int, int]:
    """How many of `count` circles are judged otherwise than by the exact way, and how many hold their point.

    Each has a point about as far away as its radius. The condition is the one of search; its parameters are columns of
    rows that stand for `things`.
    """
    wrong = held = 0
    rows = _rows(count)
    while some := list(islice(rows, _CHUNK)):
        async with db.reading() as session:
            for number, shape in enumerate(_SHAPES):
                asked = _statement(number, shape)
                of_these = [row for row in some if row["shape"] == number]
                found = (await session.execute(asked, {"rows": json.dumps(of_these)})).one()
                wrong, held = wrong + found[0], held + found[1]
    return wrong, held


def _statement(number: int, shape: Circle) -> sa.Select[int, int]:
    said = visitors.replacement_traverse(within(shape), {}, _column)
    exact_km, circle_km = sa.literal_column("exact_km", sa.Double), sa.literal_column("circle_km", sa.Double)
    truly = exact_km <= circle_km
    chosen = sa.select(sa.func.count().filter(said.is_distinct_from(truly)), sa.func.count().filter(said))
    chosen = chosen.where(sa.literal_column("shape", sa.Integer) == number, sa.func.abs(exact_km - circle_km) > _TIE)
    return chosen.select_from(things).add_cte(sa.text(_GIVEN).columns().cte("things"))


def _column(element: Any, **_: Any) -> Any:
    if isinstance(element, sa.BindParameter) and element.key.startswith("circle_"):
        return sa.literal_column(element.key, element.type)
    return None


def _rows(count: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(count)
    for _ in range(count):
        latitude = chance.choice([chance.uniform(-89.99, 89.99), chance.uniform(47, 52)])
        longitude = chance.choice([chance.uniform(-180, 180), 179.99, -180.0, chance.uniform(-1, 6)])
        km = 10 ** chance.choice([chance.uniform(-1, 2.2), chance.uniform(2, 3)])
        circle = Circle(centre=Point(latitude=latitude, longitude=longitude), radius_km=km)
        there = _around(chance, circle.centre, km * chance.uniform(0.5, 1.2))
        yield {
            "latitude": there.latitude,
            "longitude": there.longitude,
            "cell": cells.cell_of(there),
            "shape": next(number for number, one in enumerate(_SHAPES) if one.shape == circle.shape),
            "exact_km": distance_km(circle.centre, there),
            **circle.values(),
        }


def _around(chance: random.Random, centre: Point, km: float) -> Point:
    """A point `km` from `centre` in a random direction, on the sphere."""
    turn, angle = chance.uniform(0, 2 * math.pi), km / 6371.0088
    latitude = math.radians(centre.latitude)
    sine = math.sin(latitude) * math.cos(angle) + math.cos(latitude) * math.sin(angle) * math.cos(turn)
    there = math.asin(max(-1.0, min(1.0, sine)))
    across = math.atan2(
        math.sin(turn) * math.sin(angle) * math.cos(latitude), math.cos(angle) - math.sin(latitude) * math.sin(there)
    )
    longitude = (centre.longitude + math.degrees(across) + 180) % 360 - 180
    return Point(latitude=math.degrees(there), longitude=longitude)
