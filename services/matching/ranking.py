"""Ranking by words in SQL: rarity of each shared word times where it stands; filters come first."""

import math
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, REGCONFIG, TSQUERY, array

from services.matching import cells, words
from services.matching.domain import Point
from services.matching.tables import things
from services.matching.terms import Terms, quoted

_EARTH_KM = 6371.0088
_KM_PER_DEGREE = 111.19
_POLE = 89.9

_SIDES = ("south", "north", "west", "east")
_PLACES = (("title", 1.0), ("category", 0.9))
_ELSEWHERE = 0.6
"""What a shared word counts in the title, in the category, in the text."""

_PLACED = {"title": ":A", "category": ":B", "anywhere": ""}
"""How a tsquery asks for a stem in each place."""

_CELLS: Any = array([things.c.cell])
_KINDS: Any = array([things.c.kind])
IN_CELLS: sa.ColumnElement[bool] = _CELLS.overlap(sa.bindparam("circle_cells", type_=ARRAY(sa.Integer)))
OF_KIND: sa.ColumnElement[bool] = _KINDS.contains(sa.bindparam("kinds", type_=ARRAY(sa.Text)))
"""In the circle's cells and of the kind asked for, as the indexes of words and of what is for circles have it."""


PLACE: Any = sa.literal_column("things.ctid")
"""Where a thing lies in its table, to look at it again within one statement without an index."""


def values(terms: Terms) -> dict[str, Any]:
    """What a statement made of these conditions must be given, when it is used for other terms than it was made for."""
    return {
        "asked_query": terms.query,
        "asked_any": terms.any,
        "asked_full": terms.full,
        **{f"asked_{place}": [quoted(term.lexeme) + label for term in terms.terms] for place, label in _PLACED.items()},
        "asked_words": [term.word for term in terms.terms],
        "asked_weights": [term.weight for term in terms.terms],
    }


def about(terms: Terms) -> sa.ColumnElement[bool]:
    """Things that have at least one of the stems (by the index on words)."""
    return things.c.words.op("@@")(sa.bindparam("asked_query", terms.query, sa.Text).cast(TSQUERY))


def says(text: str | sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """Things in which the words of `text` stand one after the other (whatever their endings, in each language)."""
    said = [
        things.c.words.op("@@")(sa.func.phraseto_tsquery(sa.literal_column(f"'{name}'").cast(REGCONFIG), text))
        for name, _ in words.CONFIGURATIONS.values()
    ]
    return sa.or_(*said)


def coverage(terms: Terms) -> sa.ColumnElement[float]:
    """The share (0 to 1) of the request's words that a thing has, each weighed by its rarity and its best place."""
    asked = _asked(terms)
    said = things.c.words.op("@@")
    factor = sa.case(*((said(asked.c[place]), value) for place, value in _PLACES), else_=_ELSEWHERE)
    best = sa.select(sa.func.max(asked.c.weight * factor).label("best")).group_by(asked.c.word)
    best = best.select_from(asked).where(said(asked.c.anywhere)).correlate(things).subquery()
    total = sa.select(sa.func.coalesce(sa.func.sum(best.c.best), 0.0)).scalar_subquery()
    share = sa.func.least(1.0, total / sa.bindparam("asked_full", terms.full, sa.Double))
    return sa.case((_has_any(terms), share), else_=0.0)


def shared_words(terms: Terms) -> sa.ColumnElement[Any]:
    """The request's words, as written there, that a thing has."""
    asked = _asked(terms)
    found = sa.select(asked.c.word).distinct().select_from(asked).where(things.c.words.op("@@")(asked.c.anywhere))
    shared = sa.func.array(found.correlate(things).scalar_subquery(), type_=ARRAY(sa.Text))
    return sa.case((_has_any(terms), shared), else_=sa.literal_column("'{}'::text[]", ARRAY(sa.Text)))


def _has_any(terms: Terms) -> sa.ColumnElement[bool]:
    """Whether a thing has one of the stems: for most it spares a look at all that it has."""
    asked = sa.select(sa.bindparam("asked_any", terms.any, sa.Text).cast(TSQUERY)).scalar_subquery()
    return things.c.words.op("@@")(asked)


def _asked(terms: Terms) -> sa.TableValuedAlias:
    """A row for each stem: what finds it in a title, in a category, anywhere; the word it comes from; its weight."""
    given = values(terms)
    places = [sa.bindparam(f"asked_{place}", given[f"asked_{place}"], ARRAY(sa.Text)) for place in _PLACED]
    asked = sa.func.unnest(
        *(sa.cast(place, ARRAY(TSQUERY)) for place in places),
        sa.bindparam("asked_words", given["asked_words"], ARRAY(sa.Text)),
        sa.bindparam("asked_weights", given["asked_weights"], ARRAY(sa.Double)),
    ).table_valued(
        *(sa.column(place, TSQUERY) for place in _PLACED),
        *(sa.column("word", sa.Text), sa.column("weight", sa.Double)),
        name="asked",
    )
    return asked.render_derived()


@dataclass(frozen=True, kw_only=True)
class Circle:
    """A circle on the earth. `degrees`: a box around it, south, north, west and east; None where that is unbounded."""

    centre: Point
    radius_km: float

    @property
    def degrees(self) -> tuple[float, float, float | None, float | None]:
        up = self.radius_km / _KM_PER_DEGREE * 1.001
        south, north = self.centre.latitude - up, self.centre.latitude + up
        if max(abs(south), abs(north)) < _POLE:
            sine = math.sin(math.radians(up)) / math.cos(math.radians(self.centre.latitude))
            across = math.degrees(math.asin(min(1.0, sine)))
            west, east = self.centre.longitude - across, self.centre.longitude + across
            if west >= -180 and east <= 180:  # noqa: PLR2004 - the box ends at the date line
                return south, north, west, east
        return south, north, None, None

    @property
    def cells(self) -> list[int] | None:
        """The cells that it may touch; None: too many."""
        return cells.touched(self.centre, self.radius_km)

    def values(self) -> dict[str, Any]:
        """What the conditions of `within` and `in_box` are to be given when they are used for another circle."""
        south, north, west, east = self.degrees
        return {
            "circle_cells": self.cells or [],
            "circle_south": south,
            "circle_north": north,
            "circle_west": west,
            "circle_east": east,
            "circle_km": self.radius_km,
            **around(self.centre),
        }

    @property
    def shape(self) -> tuple[bool, bool]:
        """Circles of the same shape differ only in their values."""
        return self.cells is None, self.degrees[2] is None


def around(centre: Point) -> dict[str, float]:
    """What `kilometres` is to be given when it is used for another point."""
    return {"circle_latitude": centre.latitude, "circle_longitude": centre.longitude}


def kilometres(centre: Point, table: sa.FromClause = things) -> sa.ColumnElement[float]:
    """The way from a point to a row, as the crow flies (haversine); NULL for a thing without a point."""
    given = {name: sa.bindparam(name, value, sa.Double) for name, value in around(centre).items()}
    here, there = sa.func.radians(given["circle_latitude"]), sa.func.radians(table.c.latitude)
    half = sa.func.power(sa.func.sin((there - here) / 2), 2)
    turn = sa.func.sin(sa.func.radians(table.c.longitude - given["circle_longitude"]) / 2)
    half += sa.func.cos(here) * sa.func.cos(there) * sa.func.power(turn, 2)
    return 2 * _EARTH_KM * sa.func.asin(sa.func.sqrt(sa.func.least(1.0, half)))


def first(table: sa.FromClause, *, by_distance: bool = False) -> list[sa.ColumnElement[Any]]:
    """The newest rows first, or the nearest; never in an order of chance, as the first are taken before they are seen.

    Peers tell places to about a kilometre, and a file of things is read in one moment: many are as far, or as old.
    """
    by_age: list[sa.ColumnElement[Any]] = [table.c.changed_at.desc(), table.c.id.desc(), table.c.origin]
    if not by_distance:
        return by_age
    return [kilometres(Point(latitude=0.0, longitude=0.0), table).asc().nulls_last(), *by_age]


def in_box(circle: Circle, table: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    """Rows of `table` in a box around the circle: by cells (where there is an index of them), then by degrees."""
    given = circle.values()
    numbers = [sa.bindparam(f"circle_{side}", given[f"circle_{side}"], sa.Double) for side in _SIDES]
    found: list[sa.ColumnElement[bool]] = [table.c.latitude.between(numbers[0], numbers[1])]
    if circle.degrees[2] is not None:
        found.append(table.c.longitude.between(numbers[2], numbers[3]))
    if circle.cells is not None and "cell" in table.c:
        found.insert(0, table.c.cell == sa.any_(sa.bindparam("circle_cells", circle.cells, ARRAY(sa.Integer))))
    return found


def within(circle: Circle, table: sa.FromClause = things) -> sa.ColumnElement[bool]:
    """Rows in the circle: first by its box, then by the exact way."""
    exact = kilometres(circle.centre, table) <= sa.bindparam("circle_km", circle.radius_km, sa.Double)
    return sa.and_(*in_box(circle, table), exact)
