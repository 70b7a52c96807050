"""The portal's settings."""

from pydantic import Field

from services.chassis.settings import ServiceSettings


class PortalSettings(ServiceSettings):
    """What the pages need beside the settings of every service.

    `notice`: a sentence shown on every page, e.g. that these are sample data; empty for none.
    `trusted_proxies`: how many proxies in front of us write X-Forwarded-For (0: nobody's word counts).
    `answer_seconds`: how long a page waits for one service.
    """

    notice: str = ""
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    answer_seconds: float = Field(default=8, gt=0)
