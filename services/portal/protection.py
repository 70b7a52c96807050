"""What keeps other sites out: headers on every page, and two checks on every form. Caches keep nothing personal."""

import hashlib
import hmac
from urllib.parse import urlsplit

from fastapi import Request

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), payment=(), usb=(), geolocation=(self)",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


def form_token(secret: str) -> str:
    """The token that belongs in the forms of the browser whose cookie holds `secret`."""
    return hmac.new(secret.encode(), b"maillage form", hashlib.sha256).hexdigest()


def is_own_form(request: Request, secret: str | None, token: str, public_url: str) -> bool:
    """Whether a POST comes from a page of ours, shown to this very browser.

    Source: OWASP's cheat sheet on cross-site request forgery (Fetch Metadata or Origin, and a token bound to a cookie).
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("origin")
    own = {urlsplit(public_url).netloc, request.headers.get("host", "")}
    if origin is not None and urlsplit(origin).netloc not in own:
        return False
    return secret is not None and hmac.compare_digest(form_token(secret).encode(), token.encode())
