"""Settings from the environment (prefix `MAILLAGE_`) and secrets from files, checked at start."""

import os
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar
from urllib.parse import quote, urlencode, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL

from services.chassis import names


class MissingSetting(SystemExit):
    """A setting or secret is missing or wrong. Ends the process with one clear line for each."""


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("a time zone is called like Europe/Paris") from error
    return name


def _web_address(url: str) -> str:
    parts = urlsplit(url.rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise ValueError("an address is https://host or http://host:port")
    return parts.geturl()


def _address_of_services(url: str) -> str:
    if "{" in url.replace("{service}", "") or "{service}" not in url:
        raise ValueError("the name of the service goes where {service} stands")
    return url


class ServiceSettings(BaseSettings):
    """What every service needs.

    `instance`: short name; `public_url`: where people reach the pages; `host`, `port`: where this process listens;
    `service_url`: address of a service's API with `{service}` in it; `locale` and `time_zone`: the cooperative's own;
    `outbox_limit`: with so many unsent events a service takes no more changes (503) until the broker has taken some.
    `broker_tls`: the broker is reached by AMQPS alone; `broker_ca`: a file with its authority (None: the system's).
    `db_connect_seconds`: how long a connection to the database may take to be made; then people are told to try again.
    `changes_at_once`, `changes_per_minute`: what one member may change one after the other, and in the long run (429).
    `federation_hub`: this instance is a hub: nobody publishes here, and what members say is passed on.
    """

    model_config = SettingsConfigDict(env_prefix="MAILLAGE_", env_ignore_empty=True, frozen=True, extra="ignore")

    plan_cache_mode: ClassVar[str] = "auto"
    """PostgreSQL's, for this service."""

    instance: Annotated[str, AfterValidator(names.check_instance)]
    secrets_dir: Path
    public_url: Annotated[str, AfterValidator(_web_address)] = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    service_url: Annotated[str, AfterValidator(_address_of_services)] = "http://127.0.0.1:8000/api/{service}"
    db_host: str = "127.0.0.1"
    db_port: int = 5432
    db_pool_size: int = Field(default=4, ge=1)
    db_max_overflow: int = Field(default=2, ge=0)
    db_connect_seconds: float = Field(default=5, gt=0)
    broker_host: str = "127.0.0.1"
    broker_port: int = 5672
    broker_tls: bool = False
    broker_ca: Path | None = None
    outbox_limit: int = Field(default=100_000, ge=1)
    changes_at_once: int = Field(default=600, ge=1)
    changes_per_minute: int = Field(default=60, ge=1)
    federation_hub: bool = False
    locale: Literal["fr", "nl", "en"] = "fr"
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "Europe/Paris"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def secret(self, name: str) -> str:
        """The content of the secret file `name`. Raises MissingSetting."""
        path = self.secrets_dir / name
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise MissingSetting(f"MAILLAGE_SECRETS_DIR: {path} cannot be read ({error.strerror})") from error

    def database_url(self, service: str) -> URL:
        """Where `service` keeps its data, as its runtime role."""
        name = names.database(self.instance, service)
        return self._database_url(user=name, password=self.secret(f"db_{service}"), database=name)

    def owner_database_url(self, service: str) -> URL:
        """The same database as the role that owns its tables."""
        return self._database_url(
            user=names.owner_role(self.instance, service),
            password=self.secret(f"db_{service}_owner"),
            database=names.database(self.instance, service),
        )

    def broker_url(self, service: str, *, border: bool = False) -> str:
        """The AMQP address of `service`'s own user, in the instance's vhost or (`border`) in its border vhost."""
        user = quote(names.broker_user(self.instance, service), safe="")
        password = quote(self.secret(f"broker_{service}"), safe="")
        vhost = names.border_vhost(self.instance) if border else names.vhost(self.instance)
        scheme = "amqps" if self.broker_tls else "amqp"
        authority = f"?{urlencode({'cafile': self.broker_ca})}" if self.broker_tls and self.broker_ca else ""
        return f"{scheme}://{user}:{password}@{self.broker_host}:{self.broker_port}/{quote(vhost, safe='')}{authority}"

    def url_of(self, service: str) -> str:
        """Where the API of `service` answers, without a slash at the end."""
        return self.service_url.format(service=service).rstrip("/")

    def _database_url(self, *, user: str, password: str, database: str) -> URL:
        return URL.create(
            "postgresql+asyncpg",
            username=user,
            password=password,
            host=self.db_host,
            port=self.db_port,
            database=database,
        )


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load(kind: type[SettingsT]) -> SettingsT:
    """Read settings of `kind` from the environment. Raises MissingSetting, which names each wrong one in a line."""
    try:
        return kind()
    except ValidationError as error:
        lines = [
            f"MAILLAGE_{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        ]
        raise MissingSetting(os.linesep.join(lines)) from error
