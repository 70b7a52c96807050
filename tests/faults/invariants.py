"""What must be true after any fault, read from the databases by SQL alone: none of the services' code is used.

`check` waits until the cooperatives have come to rest and then says everything that is wrong at once.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from services.chassis.names import SERVICES
from tests.faults.cooperative import Coop
from tests.faults.sql import Row

REST_SECONDS = 60.0
OURS = ""

_OCCUPYING = ["held", "pending", "confirmed", "in_use", "overdue"]
_OVERLAPS = """
SELECT one.id AS one, other.id AS other, one.offer_id
  FROM bookings one JOIN bookings other ON one.offer_id = other.offer_id AND one.id < other.id
 WHERE one.occupied && other.occupied AND one.exclusive AND other.exclusive
   AND one.resource_origin IS NULL AND other.resource_origin IS NULL
   AND one.status = ANY($1) AND other.status = ANY($1)
"""
_SHARED = """
SELECT id, version, CASE WHEN status = 'published' AND scope IN ('peers', 'public') THEN title END AS title
  FROM listings
"""
_TWICE = "SELECT source, id FROM inbox GROUP BY source, id HAVING count(*) > 1"
_GAPS = """
SELECT link_id, epoch FROM sent_log GROUP BY link_id, epoch HAVING max(seq) - min(seq) + 1 <> count(*)
"""


def check(*coops: Coop, linked: bool = False, seconds: float = REST_SECONDS) -> None:
    """Fails with a list of what is wrong. `linked`: the cooperatives have links with each other; compare both sides."""
    deadline = time.monotonic() + seconds
    wrong = list(_wrong(coops, linked=linked))
    while wrong and time.monotonic() < deadline:
        time.sleep(0.25)
        wrong = list(_wrong(coops, linked=linked))
    assert not wrong, "\n".join(wrong)


def _wrong(coops: Sequence[Coop], *, linked: bool) -> Iterable[str]:
    for coop in coops:
        for rule in _RULES:
            for found in rule(coop):
                yield f"{coop.name}: {found}"
    if linked:
        for origin in coops:
            for holder in coops:
                if origin is not holder:
                    yield from _across(origin, holder)


def _outboxes_are_empty(coop: Coop) -> Iterable[str]:
    for service in SERVICES:
        if waiting := coop.value(service, "SELECT count(*) FROM outbox"):
            yield f"{waiting} events wait in the outbox of {service}"
    if waiting := coop.value("federation", "SELECT count(*) FROM border_outbox"):
        yield f"{waiting} events wait for peers"


def _nothing_handled_twice(coop: Coop) -> Iterable[str]:
    for service in SERVICES:
        for row in coop.rows(service, _TWICE):
            yield f"{service} has noted event {row} twice"
    for row in coop.told_twice():
        yield f"a member was told twice: {row}"


def _nobody_overlaps(coop: Coop) -> Iterable[str]:
    for row in coop.rows("booking", _OVERLAPS, _OCCUPYING):
        yield f"two bookings overlap: {row}"


def _own_copies_equal_originals(coop: Coop) -> Iterable[str]:
    """Inside one cooperative: what matching, booking and federation keep of catalog's listings."""
    originals = coop.rows("catalog", "SELECT id, side, version, status = 'published' AS there, title FROM listings")
    shown = {row["id"]: (row["version"], row["title"] if row["there"] else None) for row in originals}
    offers = {row["id"]: shown[row["id"]] for row in originals if row["side"] == "offer"}
    yield from _differences("matching", shown, _things(coop, OURS))
    yield from _differences("booking", offers, _offers(coop, OURS))
    kept = coop.rows("federation", "SELECT id, version FROM own_listings")
    versions = {key: version for key, (version, _) in shown.items()}
    yield from _differences("federation", versions, {row["id"]: row["version"] for row in kept})


def _bookings_are_known(coop: Coop) -> Iterable[str]:
    """notify has heard the newest of each booking."""
    newest = {row["id"]: row["version"] for row in coop.rows("booking", "SELECT id, version FROM bookings")}
    heard = {row["id"]: row["version"] for row in coop.rows("notify", "SELECT id, version FROM bookings")}
    yield from _differences("notify (bookings)", newest, heard)


def _border_is_at_rest(coop: Coop) -> Iterable[str]:
    for query in ("SELECT * FROM parked", "SELECT * FROM quarantine", "SELECT * FROM refusals"):
        for row in coop.rows("federation", query):
            yield f"{query}: {str(row)[:300]}"
    for row in coop.rows("federation", _GAPS):
        yield f"the log of what was sent has a gap: {row}"


_RULES: tuple[Callable[[Coop], Iterable[str]], ...] = (
    _outboxes_are_empty,
    _nothing_handled_twice,
    _nobody_overlaps,
    _own_copies_equal_originals,
    _bookings_are_known,
    _border_is_at_rest,
)


def _across(origin: Coop, holder: Coop) -> Iterable[str]:
    """What `holder` keeps of `origin`'s things, and bookings that both have a side of."""
    link: Row | None = next(iter(holder.rows("federation", _LINK, f"%:{origin.local.port}%")), None)
    if link is None:
        yield f"{holder.name} has no link with {origin.name}"
        return
    where = f"{holder.name} of {origin.name}"
    originals = {row["id"]: (row["version"], row["title"]) for row in origin.rows("catalog", _SHARED)}
    for service, copies in (
        ("catalog", _copies(holder, link["peer_id"])),
        ("matching", _things(holder, link["peer_id"])),
        ("booking", _offers(holder, link["peer_id"])),
    ):
        # what its origin has never heard of (it came back from a backup) is gone, in whatever version it was known
        crossed = {key: originals.get(key, (version, None)) for key, (version, _) in copies.items()}
        visible = {key: kept for key, kept in originals.items() if kept[1] is not None}
        yield from _differences(f"{service} of {where}", visible | crossed, copies)
    asked = holder.rows("booking", _ASKED, link["peer_id"])
    decided = origin.rows("booking", "SELECT id, status FROM bookings WHERE borrower_peer_id IS NOT NULL")
    yield from _differences(f"bookings of {where}", _states(asked), _states(decided))
    sent = origin.value("federation", "SELECT seq FROM streams WHERE link_id = $1", link["peer_link_id"])
    applied = holder.value("federation", "SELECT applied_to FROM positions WHERE link_id = $1", link["id"])
    if sent != applied:
        yield f"{holder.name} has applied {applied} of {sent} messages of {origin.name}"


_LINK = "SELECT id, peer_id, peer_link_id FROM links WHERE peer_address LIKE $1 AND status <> 'ended'"
_ASKED = "SELECT id, status FROM bookings WHERE resource_origin = $1"


def _states(rows: Iterable[Row]) -> dict[Any, str]:
    return {row["id"]: row["status"] for row in rows}


def _things(coop: Coop, origin: str) -> dict[Any, Any]:
    rows = coop.rows("matching", "SELECT id, version, gone, title FROM things WHERE origin = $1", origin)
    return {row["id"]: (row["version"], None if row["gone"] else row["title"]) for row in rows}


def _copies(coop: Coop, origin: str) -> dict[Any, Any]:
    query = "SELECT id, version, gone, listing::jsonb ->> 'title' AS title FROM copies WHERE origin = $1"
    rows = coop.rows("catalog", query, origin)
    return {row["id"]: (row["version"], None if row["gone"] else row["title"]) for row in rows}


def _offers(coop: Coop, origin: str) -> dict[Any, Any]:
    rows = coop.rows("booking", "SELECT id, version, published, title FROM offers WHERE origin = $1", origin)
    return {row["id"]: (row["version"], row["title"] if row["published"] else None) for row in rows}


def _differences(what: str, wanted: dict[Any, Any], found: dict[Any, Any]) -> Iterable[str]:
    for key in sorted(wanted.keys() | found.keys(), key=str):
        if wanted.get(key) != found.get(key):
            yield f"{what}: {key} is {found.get(key)}, should be {wanted.get(key)}"
