"""What identity can be told from outside."""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field

from services.chassis.settings import ServiceSettings


def _check_network(text: str) -> str:
    ipaddress.ip_network(text, strict=False)
    return text


class IdentitySettings(ServiceSettings):
    """Settings of identity.

    `trusted_networks`: addresses or networks (CIDR) from which the header `X-Client-Address` is believed; the portal
    and the web server in front of it. `hashing_threads`: how many passwords are hashed at once (19 MiB and 40 ms of
    one core each). `cooperative_*`: the profile that the `administrator` command writes when it is not told otherwise.
    """

    trusted_networks: tuple[Annotated[str, AfterValidator(_check_network)], ...] = ("127.0.0.0/8", "::1/128")
    hashing_threads: int = Field(default=1, ge=1, le=16)
    cooperative_name: str = "Notre coopérative"
    cooperative_summary: str = ""
    cooperative_place: str = ""
    cooperative_latitude: float | None = Field(default=None, ge=-90, le=90)
    cooperative_longitude: float | None = Field(default=None, ge=-180, le=180)
    cooperative_contact_email: str | None = None
