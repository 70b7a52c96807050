"""Members' secret addresses of calendars, unreadable in the database and its backups."""

import hashlib
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.chassis.settings import ServiceSettings

SECRET = "booking_calendar_key"  # noqa: S105 - the name of the file
_NONCE = 12


class CannotOpen(ValueError):
    """It was sealed with another key, or for another member."""


class Sealer:
    """Seals a text for one member (AES-256-GCM, RFC 5116) with a key of the instance."""

    def __init__(self, settings: ServiceSettings) -> None:
        """Raises MissingSetting."""
        key = hashlib.sha256(b"maillage calendars " + settings.secret(SECRET).encode()).digest()
        self._cipher = AESGCM(key)

    def seal(self, member_id: UUID, text: str) -> bytes:
        """`text` as only `open` for the same member gives it back."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text.encode(), member_id.bytes)

    def open(self, member_id: UUID, sealed: bytes) -> str:
        """Raises CannotOpen."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], member_id.bytes).decode()
        except (InvalidTag, ValueError) as error:
            raise CannotOpen from error
