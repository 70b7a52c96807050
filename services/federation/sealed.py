"""An event as it crosses: its content, and the compact JWS around it. What is outside the signature is not believed."""

import json
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from joserfc import jws
from joserfc.errors import JoseError
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from contracts.envelope import Event
from services.federation.documents import THUMBPRINT
from services.federation.keys import ALGORITHM, Keys, NotGenuine, verify

TYP = "maillage-event"
SCHEMA_VERSION = 1
LIFETIME = timedelta(days=35)
"""How long after its making an event still counts: longer than the log of sent events reaches back."""

LARGEST_NUMBER = 2**53 - 1
LARGEST_EPOCH = 10**9


class Content(BaseModel):
    """What our database keeps of an event for a peer. The relay adds who we are, and signs.

    `stream`: the sender's id of the link. `seq`: gapless from 1 in (source, stream, epoch).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    type: str = Field(max_length=100)
    time: AwareDatetime
    audience: str = Field(pattern=THUMBPRINT)
    stream: UUID
    epoch: int = Field(ge=1, le=LARGEST_EPOCH)
    seq: int = Field(ge=1, le=LARGEST_NUMBER)
    schema_version: Literal[1] = SCHEMA_VERSION
    expires_at: AwareDatetime
    data: dict[str, Any]


class Sealed(Content):
    """The signed content. `source`: the origin's instance id."""

    source: str = Field(pattern=THUMBPRINT)


def content_of(
    event: Event, *, event_id: UUID, audience: str, stream: UUID, epoch: int, seq: int, now: datetime
) -> Content:
    """`event` for the peer `audience`, at `now` (aware UTC)."""
    return Content(
        id=event_id,
        type=event.type,
        time=now,
        audience=audience,
        stream=stream,
        epoch=epoch,
        seq=seq,
        expires_at=now + LIFETIME,
        data=event.model_dump(mode="json"),
    )


def seal(content: str, keys: Keys) -> bytes:
    """The compact JWS of `content` (a Content as JSON), with us as its source."""
    payload = json.dumps({**json.loads(content), "source": keys.instance_id}, separators=(",", ":")).encode()
    header = {"alg": ALGORITHM, "kid": keys.signing_kid, "typ": TYP}
    return jws.serialize_compact(header, payload, keys.signing, algorithms=[ALGORITHM]).encode()


def unverified_kid(body: bytes) -> str | None:
    """Which key a message claims to be signed with; None when it is no message of ours at all."""
    if not body.isascii():  # joserfc skips such bytes in a part that it does not decode yet
        return None
    try:
        header: Any = jws.extract_compact(body).headers()
    except (JoseError, ValueError):
        return None
    if not isinstance(header, dict):  # joserfc takes any JSON with "alg" in it, a text for instance
        return None
    kid = header.get("kid")
    return kid if isinstance(kid, str) and header.get("typ") == TYP else None


def opened(body: str, own: Keys) -> Sealed:
    """What we once sealed ourselves, with any of our keys. Raises NotGenuine."""
    kid = unverified_kid(body.encode())
    key = own.known(kid) if kid else None
    if key is None:
        raise NotGenuine("no key of ours")
    header, payload = verify(body, key)
    if header.get("typ") != TYP:
        raise NotGenuine("not an event")
    try:
        return Sealed.model_validate_json(payload)
    except ValidationError as error:
        raise NotGenuine("not an event") from error
