"""This instance's keys, and documents signed with them.

The id of an instance is the RFC 7638 thumbprint of its root key. The root key signs the key set and what is said while
linking; the signing key signs events. Source: RFC 7515, RFC 8037, RFC 9864 (`alg` `Ed25519`, pinned everywhere).
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import ValidationError

from services.chassis.settings import MissingSetting, ServiceSettings
from services.federation.documents import LARGEST_DOCUMENT, Document, KeySet, PublicKey

ALGORITHM = "Ed25519"
KEY_SET_VALIDITY = timedelta(days=7)
CLOCK_TOLERANCE = timedelta(minutes=10)
NOTHING_REVOKED: Mapping[str, tuple[int, int]] = {}

DocumentT = TypeVar("DocumentT", bound=Document)


class NotGenuine(ValueError):
    """A document or key set that its alleged sender has not signed so, or that is out of date. Says what is wrong."""


class OutOfDate(NotGenuine):
    """A key set that was genuine, and is so no longer."""


@dataclass(frozen=True)
class Keys:
    """The private keys of this instance."""

    root: OKPKey
    signing: OKPKey
    others: tuple[OKPKey, ...] = ()
    """Signing keys that are announced and do not sign: the next one, and those that did."""

    @cached_property
    def instance_id(self) -> str:
        """Who we are to everybody else."""
        return self.root.thumbprint()

    @cached_property
    def signing_kid(self) -> str:
        return self.signing.thumbprint()

    @property
    def invitation_secret(self) -> bytes:
        """What the secrets of our invitations are derived with."""
        private = str(self.root.as_dict(private=True)["d"])
        return hmac.digest(private.encode(), b"maillage invitations", "sha256")

    @property
    def box(self) -> OKPKey:
        """The X25519 key to which others encrypt what only we may read; derived from the root key, kept nowhere."""
        private = hmac.digest(str(self.root.as_dict(private=True)["d"]).encode(), b"maillage box", "sha256")
        made = X25519PrivateKey.from_private_bytes(private)
        return OKPKey.import_key(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def known(self, kid: str) -> OKPKey | None:
        """The key of ours that has, or had, this id."""
        return next((key for key in (self.signing, *self.others) if key.thumbprint() == kid), None)

    def sign(self, document: Document) -> str:
        """`document` as a compact JWS by the root key."""
        header = {"alg": ALGORITHM, "kid": self.instance_id, "typ": document.typ}
        return jws.serialize_compact(header, document.model_dump_json().encode(), self.root, algorithms=[ALGORITHM])

    def signing_with(self, kid: str) -> "Keys":
        """The same keys, of which the one called `kid` signs. Raises KeyError."""
        keys = {key.thumbprint(): key for key in (self.signing, *self.others)}
        signing = keys.pop(kid)
        return Keys(self.root, signing, tuple(keys.values()))

    def key_set(self, now: datetime, revoked: Mapping[str, tuple[int, int]] = NOTHING_REVOKED) -> str:
        """The signed set of our keys, valid for seven days from `now` (aware UTC).

        `revoked`: by id of a key, the (epoch, number) on the reader's link from which on it does not count.
        """
        return self.sign(
            KeySet(
                root=_public(self.root),
                box=str(self.box.as_dict(private=False)["x"]),
                keys=[_public(key, revoked.get(key.thumbprint())) for key in (self.signing, *self.others)],
                serial=int(now.timestamp()),
                issued_at=now,
                expires_at=now + KEY_SET_VALIDITY,
            )
        )


def read_keys(settings: ServiceSettings) -> Keys:
    """The keys from the secret files: root, first signing key, and those made since. Raises MissingSetting."""
    later = sorted(path.name for path in settings.secrets_dir.glob("federation_signing_key.*.pem"))
    others = tuple(_read(settings, name) for name in later)
    return Keys(_read(settings, "federation_root_key.pem"), _read(settings, "federation_signing_key.pem"), others)


def _read(settings: ServiceSettings, name: str) -> OKPKey:
    text = settings.secret(name)
    try:
        key = OKPKey.import_key(text)
    except (JoseError, ValueError) as error:
        raise MissingSetting(f"MAILLAGE_SECRETS_DIR: {name} holds no Ed25519 private key") from error
    if key.curve_name != ALGORITHM or not key.is_private:
        raise MissingSetting(f"MAILLAGE_SECRETS_DIR: {name} holds no Ed25519 private key")
    return key


def _public(key: OKPKey, revoked: tuple[int, int] | None = None) -> PublicKey:
    epoch, seq = revoked or (None, None)
    return PublicKey(x=str(key.as_dict(private=False)["x"]), revoked_epoch=epoch, revoked_from=seq)


@lru_cache(maxsize=1024)
def public_key(x: str) -> OKPKey:
    """The Ed25519 public key whose JWK has this `x`. Raises NotGenuine when there is none such."""
    try:
        return OKPKey.import_key({"kty": "OKP", "crv": ALGORITHM, "x": x})
    except (JoseError, ValueError) as error:
        raise NotGenuine("not an Ed25519 public key") from error


def read_signed(text: str, kind: type[DocumentT], root: OKPKey) -> DocumentT:
    """The document of `kind` in the compact JWS `text`, signed by `root`. Raises NotGenuine."""
    header, payload = verify(text, root)
    if header.get("typ") != kind.typ:
        raise NotGenuine(f"not a {kind.typ}")
    try:
        return kind.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise NotGenuine(f"{kind.typ}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def verify(text: str, key: OKPKey) -> tuple[dict[str, Any], bytes]:
    """Header and payload of a compact JWS whose signature by `key` is right. Raises NotGenuine."""
    try:
        return verified(jws.extract_compact(text.encode()), key)
    except (JoseError, ValueError) as error:
        raise NotGenuine("the signature is wrong") from error


def verified(taken_apart: jws.CompactSignature, key: OKPKey) -> tuple[dict[str, Any], bytes]:
    """The same of one that was taken apart by `jws.extract_compact`. Raises NotGenuine."""
    try:
        genuine = jws.validate_compact(taken_apart, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError) as error:  # TypeError: joserfc at a "crit" that is no list of texts
        raise NotGenuine("the signature is wrong") from error
    if not genuine:
        raise NotGenuine("the signature is wrong")
    return dict(taken_apart.headers()), taken_apart.payload or b""


def read_key_set(text: str, instance_id: str, now: datetime) -> KeySet:
    """The key set of `instance_id` at `now` (aware UTC). Raises NotGenuine."""
    if len(text) > LARGEST_DOCUMENT:
        raise NotGenuine("the key set is too large")
    root = _root_named(text, instance_id)
    key_set = read_signed(text, KeySet, root)
    if key_set.expires_at <= now or key_set.issued_at > now + CLOCK_TOLERANCE:
        raise OutOfDate("the key set is out of date")
    if key_set.expires_at - key_set.issued_at > KEY_SET_VALIDITY:
        raise NotGenuine("the key set claims to be valid for too long")
    return key_set


def _root_named(text: str, instance_id: str) -> OKPKey:
    """The root key that a key set carries, when it is the one behind `instance_id`; the signature is checked after."""
    try:
        payload = jws.extract_compact(text.encode()).payload or b""
        unverified = KeySet.model_validate_json(payload)
    except (JoseError, ValueError) as error:
        raise NotGenuine("not a key set") from error
    root = public_key(unverified.root.x)
    if root.thumbprint() != instance_id:
        raise NotGenuine("the key set is of another instance")
    return root


def thumbprint_for_people(instance_id: str) -> str:
    """The same thumbprint as twelve groups of five digits, to be read out on the telephone (199 of its 256 bits)."""
    digest = base64.urlsafe_b64decode(instance_id + "=" * (-len(instance_id) % 4))
    digits = f"{int.from_bytes(digest) % 10**60:060d}"
    return " ".join(digits[start : start + 5] for start in range(0, 60, 5))
