"""What the gate is told of a link before a message of it is looked at."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.federation import tables
from services.federation.gate import Passage, PeerKey
from services.federation.keys import public_key
from services.federation.public_stream import PUBLIC


async def passage_of(session: AsyncSession, link: sa.RowMapping, *, us: str, now: datetime) -> Passage:
    """What the gate must know of the link. The keys of a set that is out of date are no longer known."""
    table = tables.key_sets
    query = sa.select(table.c["keys"]).where(table.c.peer_id == link["peer_id"], table.c.expires_at > now)
    text = (await session.execute(query)).scalar_one_or_none()
    known: list[dict[str, Any]] = json.loads(text) if text else []
    if link["kind"] in {"behind", "heard"}:  # from where on a revoked key does not count, is said of another stream
        known = [key for key in known if key["revoked_from"] is None]
    keys = {
        public_key(key["x"]).thumbprint(): PeerKey(key["x"], key["revoked_from"], key.get("revoked_epoch"))
        for key in known
    }
    us = PUBLIC if link["kind"] == "heard" else us
    return Passage(us=us, peer_id=link["peer_id"], peer_link_id=link["peer_link_id"], keys=keys)
