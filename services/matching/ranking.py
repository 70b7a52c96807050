"""Ranking by words in SQL: rarity of each shared word times where it stands; filters come first."""

import math
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, REGCONFIG, TSQUERY

from services.matching import words
from services.matching.tables import things
from services.matching.terms import Terms

_EARTH_KM = 6371.0088
_KM_PER_DEGREE = 111.19
_POLE = 89.9

_PLACES = (("A", 1.0), ("B", 0.9))
_ELSEWHERE = 0.6
"""What a shared word counts in the title, in the category, in the text."""


def about(terms: Terms) -> sa.ColumnElement[bool]:
    """Things that have at least one of the stems (by the index on words)."""
    return things.c.words.op("@@")(sa.literal(terms.query, sa.Text).cast(TSQUERY))


def says(text: str) -> sa.ColumnElement[bool]:
    """Things in which the words of `text` stand one after the other (whatever their endings, in each language)."""
    said = [
        things.c.words.op("@@")(sa.func.phraseto_tsquery(sa.literal(name).cast(REGCONFIG), text))
        for name, _ in words.CONFIGURATIONS.values()
    ]
    return sa.or_(*said)


def coverage(terms: Terms) -> sa.ColumnElement[float]:
    """The share (0 to 1) of the request's words that a thing has, each weighed by its rarity and its best place."""
    asked, stems = _joined(terms)
    factor = sa.case(
        *((sa.literal(place) == sa.any_(stems.c.weights), value) for place, value in _PLACES), else_=_ELSEWHERE
    )
    best = sa.select(sa.func.max(asked.c.weight * factor).label("best")).group_by(asked.c.word)
    best = best.select_from(stems.join(asked, asked.c.lexeme == stems.c.lexeme)).correlate(things).subquery()
    total = sa.select(sa.func.coalesce(sa.func.sum(best.c.best), 0.0)).scalar_subquery()
    return sa.func.least(1.0, total / sa.literal(terms.full, sa.Double))


def shared_words(terms: Terms) -> sa.ColumnElement[Any]:
    """The request's words, as written there, that a thing has."""
    asked, stems = _joined(terms)
    found = sa.select(asked.c.word).distinct().select_from(stems.join(asked, asked.c.lexeme == stems.c.lexeme))
    return sa.func.array(found.correlate(things).scalar_subquery(), type_=ARRAY(sa.Text))


def _joined(terms: Terms) -> tuple[Any, Any]:
    asked = sa.func.unnest(
        sa.literal([term.lexeme for term in terms.terms], ARRAY(sa.Text)),
        sa.literal([term.word for term in terms.terms], ARRAY(sa.Text)),
        sa.literal([term.weight for term in terms.terms], ARRAY(sa.Double)),
    ).table_valued(
        sa.column("lexeme", sa.Text), sa.column("word", sa.Text), sa.column("weight", sa.Double), name="asked"
    )
    stems = sa.func.unnest(things.c.words).table_valued(
        sa.column("lexeme", sa.Text),
        sa.column("positions", ARRAY(sa.SmallInteger)),
        sa.column("weights", ARRAY(sa.Text)),
        name="stems",
    )
    return asked.render_derived(), stems.render_derived()


def kilometres(latitude: float, longitude: float) -> sa.ColumnElement[float]:
    """The way from a point (degrees) to a thing, as the crow flies (haversine); NULL for a thing without a point."""
    here, there = sa.func.radians(latitude), sa.func.radians(things.c.latitude)
    half = sa.func.power(sa.func.sin((there - here) / 2), 2)
    turn = sa.func.sin(sa.func.radians(things.c.longitude - longitude) / 2)
    half += sa.func.cos(here) * sa.func.cos(there) * sa.func.power(turn, 2)
    return 2 * _EARTH_KM * sa.func.asin(sa.func.sqrt(sa.func.least(1.0, half)))


def within(latitude: float, longitude: float, radius_km: float) -> sa.ColumnElement[bool]:
    """Things at most `radius_km` away: first a box of degrees (by the index on places), then the exact way."""
    up = radius_km / _KM_PER_DEGREE * 1.001
    box = things.c.latitude.between(latitude - up, latitude + up)
    if abs(latitude) + up < _POLE:
        across = math.degrees(math.asin(min(1.0, math.sin(math.radians(up)) / math.cos(math.radians(latitude)))))
        if longitude - across >= -180 and longitude + across <= 180:  # noqa: PLR2004 - the box ends at the date line
            box = sa.and_(box, things.c.longitude.between(longitude - across, longitude + across))
    return sa.and_(box, kilometres(latitude, longitude) <= radius_km)
