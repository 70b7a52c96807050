"""One batch of what came through a hub: a word that no database can hold among those of others."""

import json

from joserfc import jws

from services.chassis.database import Database
from services.federation import sorting
from services.federation.documents import Offer
from services.federation.keys import ALGORITHM
from services.federation.sealed import TYP
from services.federation.tables import positions, refusals
from tests.services.federation.test_what_a_hub_carries import LILLE, US, at, db, linked, rows, somebody
from tests.services.federation.test_whom_to_blame import HUB, boxed, counted, known, said, stream_with

__all__ = ["db"]

UNSTORABLE = ["a\u0000b", "\ud800", "x" * 10_000]


def of_nobody(source: str, *, typ: str) -> bytes:
    """A document that only claims to be signed, by whoever `source` is; anybody behind the hub can close the box."""
    header = {"alg": ALGORITHM, "kid": source[:100], "typ": typ}
    payload = json.dumps({"source": source, "audience": US.instance_id}).encode()
    return jws.serialize_compact(header, payload, somebody().signing, algorithms=[ALGORITHM]).encode()


async def test_names_that_no_database_can_hold_spoil_nothing_else(db: Database) -> None:
    await known(db, LILLE)
    hub = await linked(db, HUB, "hub")
    lille = await linked(db, LILLE, "behind", hub)
    stream = await stream_with(db, lille)
    poison = [of_nobody(name, typ=typ) for name in UNSTORABLE for typ in (TYP, Offer.typ)]
    between = [boxed(said(LILLE, stream)), *map(boxed, poison), boxed(said(LILLE, stream, 2))]
    await sorting.take(at(db), hub, between)
    assert [row["applied_to"] for row in await rows(db, positions) if row["link_id"] == lille] == [2]
    assert [row["reason"] for row in await rows(db, refusals)] == ["not_a_member"] * len(poison)
    assert await counted(db) == {hub: len(poison)}
