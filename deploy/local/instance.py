"""One cooperative on this machine: secrets, databases, broker, the process `all` and its broker-agent."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.local.folders import CHECKOUT, Account
from deploy.local.processes import HOST, Daemon, ServerFailed, choose_port
from services import provision, secrets_files
from services.chassis.names import SERVICES

READY_SECONDS = 60.0
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "HOME", "TZ", "SSL_CERT_FILE")


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the servers are and who administers them."""

    postgres_host: str
    postgres_port: int
    postgres_admin_user: str
    postgres_admin_password: str
    amqp_host: str
    amqp_port: int
    management_url: str
    broker_admin_user: str
    broker_admin_password: str

    @property
    def admin_database_url(self) -> str:
        credentials = f"{self.postgres_admin_user}:{self.postgres_admin_password}"
        return f"postgresql://{credentials}@{self.postgres_host}:{self.postgres_port}/postgres"

    @property
    def admin_broker_url(self) -> str:
        scheme, _, rest = self.management_url.partition("://")
        return f"{scheme}://{self.broker_admin_user}:{self.broker_admin_password}@{rest}"


@dataclass(kw_only=True)
class LocalInstance:
    """An instance called `name` whose files are in `folder`; it listens on `port` (0: a free one is chosen).

    `settings`: further environment variables, e.g. `{"MAILLAGE_SMTP_PORT": "2525"}`.
    """

    name: str
    folder: Path
    addresses: Addresses
    port: int = 0
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    border_port: int | None = None
    _daemons: dict[str, Daemon] = field(default_factory=dict[str, Daemon], init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = choose_port(self.port or None, f"the pages of {self.name}")

    @property
    def url(self) -> str:
        """Where its pages and APIs answer."""
        return f"http://{HOST}:{self.port}"

    @property
    def secrets_dir(self) -> Path:
        return self.folder / "secrets"

    @property
    def plan(self) -> provision.Plan:
        """What its databases and its part of the broker have to be."""
        return provision.Plan(
            instance=self.name,
            secrets_dir=self.secrets_dir,
            admin_database_url=self.addresses.admin_database_url,
            admin_broker_url=self.addresses.admin_broker_url,
        )

    def environment(self) -> dict[str, str]:
        """The environment of its processes."""
        own = {
            "MAILLAGE_INSTANCE": self.name,
            "MAILLAGE_SECRETS_DIR": str(self.secrets_dir),
            "MAILLAGE_PUBLIC_URL": self.url,
            "MAILLAGE_HOST": HOST,
            "MAILLAGE_PORT": str(self.port),
            "MAILLAGE_SERVICE_URL": f"{self.url}/api/{{service}}",
            "MAILLAGE_DB_HOST": self.addresses.postgres_host,
            "MAILLAGE_DB_PORT": str(self.addresses.postgres_port),
            "MAILLAGE_BROKER_HOST": self.addresses.amqp_host,
            "MAILLAGE_BROKER_PORT": str(self.addresses.amqp_port),
            "MAILLAGE_BROKER_MANAGEMENT_URL": self.addresses.management_url,
            "MAILLAGE_BORDER_HOST": self.addresses.amqp_host,
            "MAILLAGE_BORDER_PORT": str(self.border_port or self.addresses.amqp_port),
            "MAILLAGE_BORDER_TLS": "false",
            "MAILLAGE_FEDERATION_ALLOW_PRIVATE": "true",
            "MAILLAGE_BOOKING_CALENDAR_ALLOW_PRIVATE": "true",
            "PYTHONPATH": str(CHECKOUT),
            "MALLOC_ARENA_MAX": "2",
            "MALLOC_MMAP_THRESHOLD_": "262144",
        }
        return {key: os.environ[key] for key in _PASSED_ON if key in os.environ} | own | dict(self.settings)

    def prepare_secrets(self) -> None:
        """Make the secret files that are missing, and note where the servers' administrators are."""
        secrets_files.make_missing(self.secrets_dir)
        for name, value in (
            ("admin_database_url", self.addresses.admin_database_url),
            ("admin_broker_url", self.addresses.admin_broker_url),
        ):
            path = self.secrets_dir / name
            path.touch(mode=0o600)
            path.write_text(value, encoding="utf-8")

    def prepare(self) -> None:
        """Secrets, databases, broker: everything that must be there before the processes start. Idempotent."""
        self.prepare_secrets()
        asyncio.run(provision.provision(self.plan))

    def start(self, *, agent: bool = True) -> None:
        """Start its processes; `wait_ready` waits for them. Raises FolderInUse."""
        self.start_one("all")
        if agent:
            self.start_one("broker-agent")

    def start_one(self, what: str) -> None:
        """Start one process: `all`, `broker-agent` or the name of a service."""
        self._daemons[what] = Daemon(
            command=[sys.executable, "-m", "services", what],
            account=Account(os.geteuid(), os.getegid()),
            folder=self.folder,
            name=what,
            environment=self.environment(),
        )
        self._daemons[what].start()

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return once every service says that it is ready. Raises ServerFailed with what is wrong."""
        deadline = time.monotonic() + seconds
        missing = "it does not listen"
        with httpx.Client(timeout=5) as client:
            while time.monotonic() < deadline:
                if self.pid("all") is None:
                    break
                try:
                    wrong = {s: r.text for s in SERVICES if (r := client.get(self.ready_url(s))).status_code != 200}  # noqa: PLR2004
                except httpx.HTTPError:
                    time.sleep(0.1)
                    continue
                if not wrong:
                    return
                missing = "; ".join(f"{service}: {text}" for service, text in wrong.items())
                time.sleep(0.1)
        raise ServerFailed(f"{self.name} did not become ready: {missing} (log: {self.log('all')})")

    def ready_url(self, service: str) -> str:
        return f"{self.url}/api/{service}/health/ready"

    def log(self, what: str) -> Path:
        """The log of one of its processes."""
        return self.folder / f"{what}.log"

    def pid(self, what: str) -> int | None:
        """Process id of `all` or `broker-agent` while it runs."""
        return self._daemons[what].pid if what in self._daemons else None

    def kill(self, what: str = "all") -> None:
        """End one process at once (SIGKILL), as a power cut would."""
        self._daemons[what].kill()

    def stop(self) -> None:
        """End its processes in an orderly way."""
        for daemon in reversed(self._daemons.values()):
            daemon.stop()
