"""What notify needs beside the settings of every service: where mail goes out."""

from email.utils import parseaddr
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from services.chassis.settings import ServiceSettings


def _one_address(value: str) -> str:
    address = parseaddr(value)[1]
    if "@" not in address or any(character.isspace() for character in address):
        raise ValueError("not an e-mail address")
    return address


class NotifySettings(ServiceSettings):
    """`smtp_from`: the bare address in From (its name is the cooperative's); without one, noreply@ the public host.

    `smtp_user`: signs in with the password in the secret file `smtp_password`. `smtp_connections`: how many mails may
    be on their way at once.
    """

    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_from: Annotated[str, AfterValidator(_one_address)] | None = None
    smtp_starttls: bool = False
    smtp_user: str | None = None
    smtp_connections: int = Field(default=2, ge=1, le=20)

    @property
    def mail_host(self) -> str:
        """The host that ids of mails end with."""
        return urlsplit(self.public_url).hostname or f"{self.instance}.invalid"

    @property
    def mail_from(self) -> str:
        """The address that mail comes from."""
        return self.smtp_from or f"noreply@{self.mail_host}"

    @property
    def smtp_password(self) -> str | None:
        """The password of `smtp_user`; None without a user. Raises MissingSetting."""
        return self.secret("smtp_password") if self.smtp_user else None
