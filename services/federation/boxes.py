"""What is meant for one cooperative alone, on its way through a hub: a compact JWE that only its X25519 key opens.

Who says it is the business of the signed event inside: anybody can encrypt.
"""

import base64
from typing import Literal

from joserfc import jwe
from joserfc.jwe import JWERegistry
from joserfc.jwk import OKPKey
from pydantic import BaseModel

from services.chassis.outbox import LARGEST_EVENT
from services.federation.keys import Keys, NotGenuine

TYP = "maillage-carried"
LARGEST_BOX = LARGEST_EVENT * 4 // 3 + 2048
_ALGORITHMS = ("ECDH-ES", "A256GCM")


class _EphemeralKey(BaseModel):
    kty: Literal["OKP"]
    crv: Literal["X25519"]
    x: str


class _Header(BaseModel):
    typ: str
    kid: str
    epk: _EphemeralKey


class _Registry(JWERegistry):
    """As large as an event may be."""

    max_ciphertext_length = LARGEST_BOX


_REGISTRY = _Registry(algorithms=_ALGORITHMS)


def close(body: bytes, recipient: str, box: str) -> bytes:
    """`body` for the instance `recipient`, whose box key has this `x`. The hub reads for whom it is, and no more."""
    header = {"alg": _ALGORITHMS[0], "enc": _ALGORITHMS[1], "typ": TYP, "kid": recipient}
    key = OKPKey.import_key({"kty": "OKP", "crv": "X25519", "x": box})
    return jwe.encrypt_compact(header, body, key, registry=_REGISTRY).encode()


def recipient_of(body: bytes) -> str | None:
    """For which instance a box is; None when it is none."""
    if len(body) > LARGEST_BOX or body.count(b".") != 4 or not body.isascii():  # noqa: PLR2004 - the parts of a JWE
        return None
    try:
        head = body.partition(b".")[0]
        header = _Header.model_validate_json(base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    except ValueError:
        return None
    return header.kid if header.typ == TYP else None


def opened(body: bytes, own: Keys) -> bytes:
    """What is inside, when it is for us. Raises NotGenuine."""
    if recipient_of(body) is None:
        raise NotGenuine("it is no box")
    try:
        return jwe.decrypt_compact(body, own.box, registry=_REGISTRY).plaintext or b""
    except Exception as error:  # whatever the library stumbles over: anybody can make a box
        raise NotGenuine("it cannot be opened with our key") from error
