"""Secrets that we hand out and do not keep: session secrets and the tokens in mailed links."""

import hashlib
import secrets

BYTES = 32


def new_secret() -> str:
    """256 random bits, fit for a URL."""
    return secrets.token_urlsafe(BYTES)


def digest(secret: str) -> bytes:
    """What is kept of a secret: its SHA-256. A slow hash would add nothing to 256 random bits."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
