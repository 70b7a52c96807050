"""Settings of the border post, beside those that every service has."""

from dataclasses import dataclass

from pydantic import Field, model_validator

from services.chassis.settings import ServiceSettings

PLAIN_PORT, TLS_PORT = 5672, 5671
MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What members of a hub may make it carry.

    `messages`, `octets`: what one member may have passed on in an hour; a message to several counts for each of them.
    `messages_to_one`, `octets_to_one`: of it, what may go to one other alone. `waiting`: octets that wait for one.
    """

    messages: int
    octets: int
    messages_to_one: int
    octets_to_one: int
    waiting: int


class FederationSettings(ServiceSettings):
    """What `federation` needs.

    `federation_allow_private`: peers may have private or loopback addresses, plain HTTP and plain AMQP (the demo,
    tests, several instances on one host). `border_host`, `border_port`, `border_tls`: how peers reach this instance's
    broker; unset, the broker's own host on the AMQPS port. `border_ca`: file on the *broker's* machine with the
    authorities that peers' broker certificates are checked against. `federation_manifest_seconds`: how often each peer
    is told what all we share with it. `federation_lease_days`: how long a copy lives for which its origin, silent, does
    not vouch. Of a hub: `federation_hub_messages`, `federation_hub_megabytes`: what one member may have passed on in an
    hour, a message to several counted for each; `federation_hub_to_one_messages`, `federation_hub_to_one_megabytes`:
    of it, what may go to one other alone; `federation_hub_waiting_megabytes`: what waits at most for one member.
    """

    federation_allow_private: bool = False
    border_host: str | None = None
    border_port: int | None = Field(default=None, ge=1, le=65535)
    border_tls: bool = True
    federation_manifest_seconds: float = Field(default=3600, ge=1)
    federation_lease_days: float = Field(default=7, ge=1)
    federation_hub_messages: int = Field(default=500_000, ge=1)
    federation_hub_megabytes: float = Field(default=2000, gt=0)
    federation_hub_to_one_messages: int = Field(default=20_000, ge=1)
    federation_hub_to_one_megabytes: float = Field(default=100, gt=0)
    federation_hub_waiting_megabytes: float = Field(default=1000, gt=0)
    border_ca: str = "/etc/ssl/certs/ca-certificates.crt"

    @model_validator(mode="after")
    def _plain_only_where_private(self) -> "FederationSettings":
        if not self.border_tls and not self.federation_allow_private:
            raise ValueError("BORDER_TLS may be off only where FEDERATION_ALLOW_PRIVATE is on")
        return self

    @property
    def hub_bounds(self) -> Bounds:
        """What members of the hub that we are may make us carry."""
        return Bounds(
            messages=self.federation_hub_messages,
            octets=int(self.federation_hub_megabytes * MEGABYTE),
            messages_to_one=self.federation_hub_to_one_messages,
            octets_to_one=int(self.federation_hub_to_one_megabytes * MEGABYTE),
            waiting=int(self.federation_hub_waiting_megabytes * MEGABYTE),
        )
