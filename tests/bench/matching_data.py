"""Very many offers of believable words in 25 towns, written as rows: their making is not what is measured."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import asyncpg
import numpy as np

from contracts.catalog import Kind
from services.chassis.ids import new_id
from services.matching import cells, meaning, taxonomy
from services.matching.commands import labelling
from services.matching.domain import Point
from services.matching.meaning import Meaning, Vector
from tests.bench import matching_variety
from tests.bench.matching_variety import Beside

KINDS: tuple[str, ...] = get_args(Kind)
_CHUNK = 10_000
_NOISE = 0.02
_SPREAD_DEGREES = 0.12

_THINGS = """
INSERT INTO things (origin, id, origin_name, epoch, version, said_at, gone, side, kind, title, text, category, language,
                    latitude, longitude, cell, quantity, unit, owner_member_id, scope, circle_ids, valid_until, urgency,
                    changed_at, tags, words)
SELECT origin, id, nullif(origin, ''), 0, 1, now(), false, 'offer', kind, title, '', category, language,
       latitude, longitude, cell, 1, '', owner, scope, array_remove(ARRAY[circle], NULL), until, 'normal',
       changed_at, string_to_array(tags, '|'),
       setweight(to_tsvector('maillage_fr', title), 'A')
       || setweight(to_tsvector('maillage_fr', category || ' ' || replace(tags, '|', ' ')), 'B')
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::int[], $7::timestamptz[], $8::text[],
            $9::uuid[], $10::text[], $11::text[], $12::text[], $13::text[], $14::uuid[], $15::timestamptz[])
     AS t(id, kind, title, latitude, longitude, cell, changed_at, origin, owner, language, category, tags, scope,
          circle, until)
"""
_MEANINGS = [
    *["origin", "id", "model", "side", "kind", "open", "public", "language", "valid_until"],
    *["changed_at", "latitude", "longitude", "cell", "topic", "topics", "bits", "vector"],
]


@dataclass(frozen=True)
class Words:
    """Beginnings of titles with their vectors, further words to vary them, and towns (latitude, longitude)."""

    heads: Sequence[str]
    vectors: Sequence[Vector]
    others: Sequence[str]
    towns: Sequence[tuple[float, float]]


def words_of(loaded: Meaning) -> Words:
    """From the taxonomy's own words."""
    uses = [one.uses[0] for one in taxonomy.leaves()]
    heads = [part.strip() for text in uses for part in re.split(r"[,:]", text) if len(part.strip()) > 3]
    others = sorted({word for text in uses for word in re.findall(r"\w{5,}", text)})
    chance = random.Random(5)
    towns = [(chance.uniform(47, 51.5), chance.uniform(-1, 6)) for _ in range(25)]
    return Words(heads, loaded.of(heads), others, towns)


async def fill(connection: asyncpg.Connection, said: Words, version: str, upto: int) -> None:
    """Grow the index to `upto` offers. Different each time in noise, the same in shape."""
    there = int(await connection.fetchval("SELECT count(*) FROM things WHERE side = 'offer'") or 0)
    chance = random.Random(there)
    noise = np.random.default_rng(there)
    await matching_variety.keep_circles(connection)
    base = np.vstack([vector.values for vector in said.vectors])
    for start in range(there, upto, _CHUNK):
        await _chunk(connection, said, version, base, min(_CHUNK, upto - start), chance, noise)


async def _chunk(  # noqa: PLR0917 - what one chunk is made of
    connection: asyncpg.Connection,
    said: Words,
    version: str,
    base: Any,
    count: int,
    chance: random.Random,
    noise: np.random.Generator,
) -> None:
    picks = [chance.randrange(len(said.heads)) for _ in range(count)]
    vectors = base[picks] + noise.normal(0, _NOISE, (count, meaning.DIMENSIONS)).astype(np.float32)
    signs = np.packbits(vectors > 0, axis=1)
    now = datetime.now(UTC)
    rows: list[tuple[Any, ...]] = []
    kept: list[tuple[Any, ...]] = []
    booked: list[tuple[UUID, Beside]] = []
    for number, pick in enumerate(picks):
        town = said.towns[chance.randrange(len(said.towns))]
        here = Point(
            latitude=town[0] + chance.gauss(0, _SPREAD_DEGREES), longitude=town[1] + chance.gauss(0, _SPREAD_DEGREES)
        )
        title = f"{said.heads[pick]} {' '.join(chance.sample(said.others, 3))}"
        key, kind, topics = new_id(), chance.choice(KINDS), list(said.vectors[pick].topics)
        varied = replace(said.vectors[pick], values=vectors[number])
        one = matching_variety.beside(said.others, topics[0], now, key, chance)
        changed = now - timedelta(minutes=chance.randrange(500_000))
        lies = (here.latitude, here.longitude, cells.cell_of(here))
        told = (one.origin, one.owner, one.language, one.category, "|".join(one.tags), one.scope, one.circle, one.until)
        rows.append((key, kind, title, *lies, changed, *told))
        bits = asyncpg.BitString.frombytes(signs[number].tobytes(), meaning.DIMENSIONS)
        filters = (one.scope != "circle", one.scope == "public", one.language, one.until, changed, *lies)
        kept.append((one.origin, key, version, "offer", kind, *filters, topics[0], topics, bits, varied.packed()))
        booked.append((key, one))
    await connection.execute(_THINGS, *[list(column) for column in zip(*rows, strict=True)])
    await connection.copy_records_to_table("meanings", records=kept, columns=_MEANINGS)
    await connection.execute(labelling.KEEP + "id = ANY($1::uuid[])", [row[0] for row in rows])
    await matching_variety.keep_calendars(connection, booked, now)
