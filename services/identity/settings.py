"""What identity can be told from outside."""

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from services.chassis.settings import ServiceSettings


def _check_network(text: str) -> str:
    ipaddress.ip_network(text, strict=False)
    return text


class IdentitySettings(ServiceSettings):
    """Settings of identity.

    `trusted_networks`: addresses or networks (CIDR) from which the header `X-Client-Address` is believed; the portal
    and the web server in front of it. `hashing_threads`: how many passwords are hashed at once (19 MiB and 40 ms of
    one core each). `leaked_passwords`: a file of passwords that nobody may choose, made by `python -m services
    leaked-passwords`. `second_factor`: whether a role asks for a second factor, or it is only offered; a role counts
    `second_factor_grace_days` without one. `cooperative_*`: the profile that the `administrator` command writes when it
    is not told otherwise.
    """

    trusted_networks: tuple[Annotated[str, AfterValidator(_check_network)], ...] = ("127.0.0.0/8", "::1/128")
    hashing_threads: int = Field(default=1, ge=1, le=16)
    leaked_passwords: Path | None = None
    second_factor: Literal["required", "offered"] = "required"
    second_factor_grace_days: int = Field(default=14, ge=0, le=3650)
    cooperative_name: str = "Notre coopérative"
    cooperative_summary: str = ""
    cooperative_place: str = ""
    cooperative_latitude: float | None = Field(default=None, ge=-90, le=90)
    cooperative_longitude: float | None = Field(default=None, ge=-180, le=180)
    cooperative_contact_email: str | None = None

    @property
    def second_factor_grace(self) -> timedelta | None:
        """How long a role counts without a second factor; None: for ever."""
        return timedelta(days=self.second_factor_grace_days) if self.second_factor == "required" else None
