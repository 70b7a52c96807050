"""An event as it crosses: its content, and the compact JWS around it. What is outside the signature is not believed."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeGuard
from uuid import UUID

from joserfc import jws
from joserfc.errors import JoseError
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from contracts.envelope import Event
from services.federation.documents import THUMBPRINT
from services.federation.keys import ALGORITHM, Keys, NotGenuine, verified

TYP = "maillage-event"
SCHEMA_VERSION = 1
LIFETIME = timedelta(days=35)
"""How long after its making an event still counts: longer than the log of sent events reaches back."""

LARGEST_NUMBER = 2**53 - 1
LARGEST_EPOCH = 10**9


class Content(BaseModel):
    """What our database keeps of an event for a peer. The relay adds who we are, and signs.

    `audience`: the receiver's instance id, or "public". `stream`: the sender's id of the link, or of what it says to
    everybody. `seq`: gapless from 1 in (source, stream, epoch).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    type: str = Field(max_length=100)
    time: AwareDatetime
    audience: str = Field(pattern=rf"{THUMBPRINT}|^public$")
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
    # a Content is an object with several members, and our id is of letters, digits, - and _
    payload = f'{content.strip().removesuffix("}")},"source":"{keys.instance_id}"}}'.encode()
    header = {"alg": ALGORITHM, "kid": keys.signing_kid, "typ": TYP}
    return jws.serialize_compact(header, payload, keys.signing, algorithms=[ALGORITHM]).encode()


def claim_of(body: bytes) -> tuple[str, jws.CompactSignature] | None:
    """Which key a message claims to be signed with, and its parts; None when it is no message of ours at all."""
    if not body.isascii():  # joserfc skips such bytes in a part that it does not decode yet
        return None
    try:
        taken_apart = jws.extract_compact(body)
        header: Any = taken_apart.headers()
    except (JoseError, ValueError):
        return None
    if not isinstance(header, dict):  # joserfc takes any JSON with "alg" in it, a text for instance
        return None
    kid = header.get("kid")
    return (kid, taken_apart) if isinstance(kid, str) and header.get("typ") == TYP else None


@dataclass(frozen=True, kw_only=True)
class Glance:
    """What a signed document says of itself, before anything of it is believed: to find out whose gate it must pass."""

    typ: str
    kid: str
    source: str | None
    audience: str | None


def glance(body: bytes) -> Glance | None:
    """None when it is no signed document at all."""
    if not body.isascii():
        return None
    try:
        found = jws.extract_compact(body)
        header: Any = found.headers()
        payload: Any = json.loads(found.payload or b"")
    except (JoseError, ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(payload, dict):
        return None
    typ, kid, source, audience = header.get("typ"), header.get("kid"), payload.get("source"), payload.get("audience")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    if not isinstance(typ, str) or not _is_thumbprint(kid):
        return None
    named = audience if isinstance(audience, str) else None  # pyright: ignore[reportUnknownVariableType]
    return Glance(typ=typ, kid=kid, source=source if _is_thumbprint(source) else None, audience=named)


def _is_thumbprint(value: object) -> TypeGuard[str]:
    """Nothing else is looked for in a database, which cannot hold each text that a JSON can."""
    return isinstance(value, str) and re.fullmatch(THUMBPRINT, value) is not None


def opened(body: str, own: Keys) -> Sealed:
    """What we once sealed ourselves, with any of our keys. Raises NotGenuine."""
    claim = claim_of(body.encode())
    key = own.known(claim[0]) if claim else None
    if claim is None or key is None:
        raise NotGenuine("no key of ours")
    header, payload = verified(claim[1], key)
    if header.get("typ") != TYP:
        raise NotGenuine("not an event")
    try:
        return Sealed.model_validate_json(payload)
    except ValidationError as error:
        raise NotGenuine("not an event") from error
