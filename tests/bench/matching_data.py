"""Very many offers of believable words in 25 towns, written as rows: their making is not what is measured."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import asyncpg
import numpy as np

from contracts.catalog import Kind
from services.chassis.ids import new_id
from services.matching import cells, meaning, taxonomy
from services.matching.domain import Point
from services.matching.meaning import Meaning, Vector

KINDS: tuple[str, ...] = get_args(Kind)
_CHUNK = 10_000
_NOISE = 0.02
_SPREAD_DEGREES = 0.12

_THINGS = """
INSERT INTO things (origin, id, origin_name, epoch, version, said_at, gone, side, kind, title, text, category, language,
                    latitude, longitude, cell, quantity, unit, owner_member_id, scope, circle_ids, urgency, changed_at,
                    words)
SELECT '', id, NULL, 0, 1, now(), false, 'offer', kind, title, '', '', 'fr',
       latitude, longitude, cell, 1, '', id, scope, '{}', 'normal', changed_at,
       setweight(to_tsvector('maillage_fr', title), 'A')
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::text[], $7::timestamptz[], $8::int[])
     AS t(id, kind, title, latitude, longitude, scope, changed_at, cell)
"""
_MEANINGS = [
    *["origin", "id", "model", "side", "kind", "open", "public", "language", "latitude", "longitude", "cell"],
    *["topic", "topics", "bits", "vector"],
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
    for number, pick in enumerate(picks):
        town = said.towns[chance.randrange(len(said.towns))]
        here = Point(
            latitude=town[0] + chance.gauss(0, _SPREAD_DEGREES), longitude=town[1] + chance.gauss(0, _SPREAD_DEGREES)
        )
        title = f"{said.heads[pick]} {' '.join(chance.sample(said.others, 3))}"
        kind, topics = chance.choice(KINDS), list(said.vectors[pick].topics)
        varied = replace(said.vectors[pick], values=vectors[number])
        scope = "public" if chance.random() < 0.9 else "cooperative"
        changed = now - timedelta(minutes=chance.randrange(500_000))
        rows.append((new_id(), kind, title, here.latitude, here.longitude, scope, changed, cells.cell_of(here)))
        bits = asyncpg.BitString.frombytes(signs[number].tobytes(), meaning.DIMENSIONS)
        filters = (True, scope == "public", "fr", here.latitude, here.longitude, cells.cell_of(here))
        key = ("", rows[-1][0], version, "offer", kind, *filters)
        kept.append((*key, topics[0], topics, bits, varied.packed()))
    await connection.execute(_THINGS, *[list(column) for column in zip(*rows, strict=True)])
    await connection.copy_records_to_table("meanings", records=kept, columns=_MEANINGS)
