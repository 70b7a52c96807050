"""Two instances with keys, and messages that pass the gate between them unless a test spoils them."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from joserfc import jws
from joserfc.jwk import OKPKey

from contracts.border import BorderListingWithdrawn
from contracts.envelope import Event
from services.federation.gate import Passage, PeerKey
from services.federation.keys import ALGORITHM, Keys
from services.federation.sealed import TYP, content_of, seal

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
STREAM = uuid4()


def new_keys() -> Keys:
    return Keys(OKPKey.generate_key(ALGORITHM), OKPKey.generate_key(ALGORITHM))


LILLE, NAMUR, STRANGER = new_keys(), new_keys(), new_keys()


def x_of(key: OKPKey) -> str:
    return str(key.as_dict(private=False)["x"])


def passage(**changes: Any) -> Passage:
    """Namur's view of its link with Lille."""
    keys = {LILLE.signing_kid: PeerKey(x_of(LILLE.signing))}
    base: dict[str, Any] = {"us": NAMUR.instance_id, "peer_id": LILLE.instance_id, "peer_link_id": STREAM, "keys": keys}
    return Passage(**(base | changes))


def withdrawn() -> BorderListingWithdrawn:
    return BorderListingWithdrawn(id=uuid4(), version=3)


def message(event: Event | None = None, *, by: Keys = LILLE, seq: int = 1, epoch: int = 1, **changes: Any) -> bytes:
    """What Lille says to Namur; `changes` replace parts of the signed content."""
    content = content_of(
        event or withdrawn(),
        event_id=uuid4(),
        audience=NAMUR.instance_id,
        stream=STREAM,
        epoch=epoch,
        seq=seq,
        now=NOW,
    ).model_dump(mode="json")
    return seal(json.dumps(content | changes), by)


def signed(payload: dict[str, Any] | bytes, *, key: OKPKey, kid: str, typ: str = TYP) -> bytes:
    """Any payload under any header."""
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return jws.serialize_compact({"alg": ALGORITHM, "kid": kid, "typ": typ}, raw, key, algorithms=[ALGORITHM]).encode()
