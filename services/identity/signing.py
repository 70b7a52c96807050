"""Identity's signing key: short tokens for the services, and the key set that they are checked with."""

from datetime import UTC, datetime
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from services.chassis.auth import ALGORITHM, COORDINATION, LIFETIME_SECONDS, Actor, issue
from services.chassis.settings import MissingSetting
from services.identity.domain.members import Member


class Signer:
    """Signs with the private Ed25519 key in `pem` (PKCS #8). Raises MissingSetting when it is not one."""

    def __init__(self, pem: str, *, instance: str) -> None:
        try:
            bare = OKPKey.import_key(pem)
            self._key = OKPKey.import_key(pem, {"kid": bare.thumbprint(), "use": "sig", "alg": ALGORITHM})
        except (JoseError, ValueError, TypeError) as error:
            raise MissingSetting("identity_signing_key.pem is not an Ed25519 key in PEM: run `secrets`") from error
        self._instance = instance

    @property
    def public_key(self) -> OKPKey:
        """What a checker of our tokens needs."""
        return OKPKey.import_key({**self.key_set()["keys"][0]})

    def key_set(self) -> dict[str, Any]:
        """The published JSON Web Key Set (RFC 7517)."""
        return {"keys": [self._key.as_dict(private=False)]}

    def token_for(self, member: Member, now: datetime, *, scopes: frozenset[str] | None = None) -> tuple[str, datetime]:
        """A token for `member`, with the role that counts now, and when it ends.

        `scopes`: it is for a script, which may do no more than these.
        """
        seconds = int(now.timestamp())
        role = member.acting_role if scopes is None or COORDINATION in scopes else "member"
        actor = Actor(id=member.id, name=member.name, role=role, locale=member.locale, scopes=scopes)
        token = issue(self._key, instance=self._instance, actor=actor, now=seconds)
        return token, datetime.fromtimestamp(seconds + LIFETIME_SECONDS, UTC)
