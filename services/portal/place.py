"""The portal of one cooperative: its settings, services, looks, and the profile that every page shows."""

import time
from dataclasses import dataclass, field

from fastapi import Request

from services.portal.assets import Assets
from services.portal.client import Caller, Json, Refusal, Services
from services.portal.looks import Looks
from services.portal.session import Sessions
from services.portal.settings import PortalSettings

_FRESH_SECONDS = 60


@dataclass(kw_only=True)
class Portal:
    """What lives as long as the process."""

    settings: PortalSettings
    services: Services
    sessions: Sessions
    assets: Assets
    looks: Looks
    _profile: Json | None = None
    _profile_at: float = field(default=float("-inf"))

    @property
    def secure(self) -> bool:
        """Whether people reach us by https only."""
        return self.settings.public_url.startswith("https://")

    def cookie(self, name: str) -> str:
        """The full name of a cookie. It holds the instance: ports of one host share their cookies (RFC 6265, 8.5)."""
        return f"{'__Host-' if self.secure else ''}maillage_{self.settings.instance}_{name}"

    async def cooperative(self, caller: Caller) -> Json:
        """The cooperative's public profile, at most a minute old; the last known one while identity is away."""
        if time.monotonic() - self._profile_at > _FRESH_SECONDS:
            try:
                self._profile = await self.services.ask("identity", "GET", "/cooperative", caller=caller)
                self._profile_at = time.monotonic()
            except Refusal:
                pass
        return self.known_cooperative()

    def known_cooperative(self) -> Json:
        """The profile as we know it now, without asking."""
        unknown = {"summary": "", "place": None, "contact_email": None}
        return self._profile or {"name": self.settings.instance.capitalize(), **unknown}

    def forget_cooperative(self) -> None:
        """Read the profile again at the next page."""
        self._profile_at = float("-inf")


def client_address(request: Request, trusted_proxies: int) -> str:
    """Where the browser is: the peer of the connection, or what the `trusted_proxies` nearest proxies wrote."""
    peer = request.client.host if request.client else ""
    hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    if trusted_proxies == 0 or not hops:
        return peer
    return hops[max(0, len(hops) - trusted_proxies)]
