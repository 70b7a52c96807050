"""What makes many offers as various as those of people: peers, languages, tags, circles, calendars.

Of ten offers one is a peer's; three are Dutch or English; three have a category of their author's, three have tags, of
which some are on very many and most on few; one ends some day; two can be booked; of thirty one is for a circle.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import asyncpg

from services.matching import taxonomy
from services.matching.tables import OURS

PEERS = ("peer-1", "peer-2", "peer-3")
MEMBER = uuid5(NAMESPACE_OID, "member")
"""Who asks: in the first three circles."""

TAGS = 400
_CIRCLES = 200
_MEMBERS = 20
_ASKERS_CIRCLES = 3
_RARE_TAGS = 3
"""The higher, the more things have the first tags, and the fewer the last."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What an offer is beside its title, kind and place."""

    origin: str
    owner: UUID | None
    language: str
    category: str
    tags: Sequence[str]
    scope: str
    circle: UUID | None
    until: datetime | None
    rules: str | None
    busy: str | None


def circle(number: int) -> UUID:
    """The id of one of the circles."""
    return uuid5(NAMESPACE_OID, f"circle {number}")


def beside(said: Sequence[str], topic: str, now: datetime, own: UUID, chance: random.Random) -> Beside:
    """By chance. `said`: words that may be tags. `own`: its owner, unless it is a peer's."""
    peer = chance.choice(PEERS) if chance.random() < 0.1 else None
    scope = "public" if chance.random() < 0.9 else "cooperative"
    if peer is not None:
        scope = "public" if scope == "public" else "peers"
    elif chance.random() < 1 / 27:
        scope = "circle"
    bookable = chance.random() < 0.2
    return Beside(
        origin=peer or OURS,
        owner=None if peer else own,
        language=chance.choices(("fr", "nl", "en"), (7, 2, 1))[0],
        category=taxonomy.name(topic, "fr") if chance.random() < 0.3 else "",
        tags=[_tag(said, chance) for _ in range(chance.choice((1, 2)))] if chance.random() < 0.3 else [],
        scope=scope,
        circle=circle(chance.randrange(_CIRCLES)) if scope == "circle" else None,
        until=now + timedelta(days=30 + chance.randrange(300)) if chance.random() < 0.1 else None,
        rules=_rules(chance) if bookable else None,
        busy=_busy(now, chance) if bookable else None,
    )


def _tag(said: Sequence[str], chance: random.Random) -> str:
    return said[int(min(TAGS, len(said)) * chance.random() ** _RARE_TAGS)]


def _rules(chance: random.Random) -> str:
    opens = chance.choice(("08:00", "09:00", "13:00"))
    days = chance.sample(range(7), chance.choice((2, 5, 7)))
    hours = [{"weekday": day, "opens": opens, "closes": "18:00"} for day in sorted(days)]
    numbers = {"step_minutes": 30, "minimum_minutes": 60, "maximum_minutes": 480, "lead_minutes": 0}
    numbers |= {"horizon_days": 300, "buffer_before_minutes": 0, "buffer_after_minutes": 0, "capacity": 1}
    return json.dumps(
        {"time_zone": "Europe/Paris", "opening_hours": hours, "approval": "automatic", "seasons": [], **numbers}
    )


def _busy(now: datetime, chance: random.Random) -> str:
    starts = [now + timedelta(hours=chance.randrange(24 * 60)) for _ in range(chance.randrange(12))]
    return json.dumps(
        [{"start": start.isoformat(), "end": (start + timedelta(hours=3)).isoformat()} for start in starts]
    )


async def keep_circles(connection: asyncpg.Connection) -> None:
    """All circles, of which the asker is in the first few."""
    for number in range(_CIRCLES):
        members = [uuid5(NAMESPACE_OID, f"member {number} {place}") for place in range(_MEMBERS)]
        members += [MEMBER] if number < _ASKERS_CIRCLES else []
        await connection.execute(
            "INSERT INTO circles (id, member_ids, status, version) VALUES ($1, $2, 'active', 1) ON CONFLICT DO NOTHING",
            circle(number),
            members,
        )


async def keep_calendars(connection: asyncpg.Connection, found: Sequence[tuple[UUID, Beside]], now: datetime) -> None:
    """How and when those can be booked that can."""
    said = [(one.origin, key, 0, 1, now, one) for key, one in found if one.rules is not None]
    rows: list[tuple[Any, ...]] = [(*row[:5], True, row[5].rules) for row in said]
    columns = ["origin", "offer_id", "epoch", "version", "said_at"]
    await connection.copy_records_to_table("resources", records=rows, columns=[*columns, "open", "rules"])
    rows = [(*row[:5], row[5].busy) for row in said]
    await connection.copy_records_to_table("busy", records=rows, columns=[*columns, "intervals"])
