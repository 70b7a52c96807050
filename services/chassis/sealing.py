"""Texts that a database and its backups hold only encrypted (AES-256-GCM, RFC 5116), each bound to its owner."""

import hashlib
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class CannotOpen(ValueError):
    """It was sealed with another key, or for another owner."""


class Sealer:
    """Seals with a key made of `secret` (a random text, from a secret file) and of what it is for, `purpose`."""

    def __init__(self, secret: str, *, purpose: str) -> None:
        self._cipher = AESGCM(hashlib.sha256(f"maillage {purpose} {secret}".encode()).digest())

    def seal(self, owner_id: UUID, text: str) -> bytes:
        """`text` as only `open` for the same owner gives it back."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text.encode(), owner_id.bytes)

    def open(self, owner_id: UUID, sealed: bytes) -> str:
        """Raises CannotOpen."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], owner_id.bytes).decode()
        except (InvalidTag, ValueError) as error:
            raise CannotOpen from error
