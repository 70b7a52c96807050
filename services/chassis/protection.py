"""Headers that every answer has: browsers guess no types, frame nothing, run nothing, keep nothing, and stay with TLS.

Source: OWASP ASVS 5.0, V3.4; OWASP's cheat sheet on REST security (an API's answers are documents too).
"""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API_HEADERS = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
_HSTS = {"strict-transport-security": "max-age=31536000; includeSubDomains"}


class Protected:
    """ASGI middleware: `headers` on every answer that does not set them itself, HSTS where people come by https."""

    def __init__(self, app: ASGIApp, *, public_url: str, headers: Mapping[str, str]) -> None:
        self.app = app
        self._headers = {**headers, **(_HSTS if public_url.startswith("https://") else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_protected)
