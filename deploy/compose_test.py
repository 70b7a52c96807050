"""`make compose-test`: build the image, run two cooperatives by compose, link them, play the main job, take it down.

The same story as `make demo`, over one container per service, RabbitMQ 4.0 and PostgreSQL 18 of the public images.
Between the cooperatives by AMQPS, first with passwords, in the end by certificates alone.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from deploy import compose_border
from deploy.demo import seed, story
from deploy.demo.api import wait_for
from deploy.demo.mailbox import Mailbox
from deploy.demo.people import OPENFLOW, OPTEOS, Cooperative
from deploy.demo.seed import Town
from deploy.demo.terminal import say, step
from deploy.local.authority import Authority

DEPLOY = Path(__file__).resolve().parent
IMAGES = ("python:3.13-slim-trixie", "pgvector/pgvector:pg18", "rabbitmq:4.0-management")
PORTS = {OPTEOS.slug: 8410, OPENFLOW.slug: 8420}
BORDER_PORTS = {OPTEOS.slug: 8411, OPENFLOW.slug: 8421}
MAIL_PORT = 8430
MAIL = "maillage-demo-mail"
NETWORK = "maillage-region"
KILLED = ("identity", "catalog", "booking", "matching", "notify", "federation", "broker-agent")


class CannotRun(RuntimeError):
    """Docker or an image is missing; the text says what to do."""


def _docker() -> str:
    found = shutil.which("docker")
    if found is None:
        raise CannotRun("Install Docker Engine and the Compose plugin, then run `make compose-test` again.")
    return found


def docker(*words: str, env: dict[str, str] | None = None, typed: str | None = None) -> str:
    """Run `docker …`, give it what is `typed`, return what it printed. Raises CannotRun with its last lines."""
    done = subprocess.run(
        [_docker(), *words], env={**os.environ, **(env or {})}, input=typed, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()[-25:]
        raise CannotRun(f"docker {' '.join(words[:6])}:\n" + "\n".join(lines))
    return done.stdout


class Composed:
    """One cooperative as a compose project."""

    def __init__(self, cooperative: Cooperative, folder: Path) -> None:
        self.cooperative = cooperative
        self.port, self.border_port = PORTS[cooperative.slug], BORDER_PORTS[cooperative.slug]
        self.overlays = ["compose.demo.yaml"]
        self.secrets = folder / cooperative.slug
        self.secrets.mkdir(mode=0o700)
        host = f"{cooperative.slug}.localhost"
        self.environment = {
            "MAILLAGE_INSTANCE": cooperative.slug,
            "MAILLAGE_SECRETS": str(self.secrets),
            "MAILLAGE_PUBLIC_URL": f"http://{host}:{self.port}",
            "MAILLAGE_DEMO_PORT": str(self.port),
            "MAILLAGE_TIME_ZONE": cooperative.time_zone,
            "MAILLAGE_SMTP_HOST": MAIL,
            "MAILLAGE_SMTP_PORT": "2525",
            "MAILLAGE_SMTP_STARTTLS": "false",
            "MAILLAGE_SMTP_FROM": f"maillage@{cooperative.slug}.example",
            "MAILLAGE_BORDER_HOST": f"broker.{host}",
            "MAILLAGE_FEDERATION_ALLOW_PRIVATE": "true",
            "MAILLAGE_NOTICE": "Données d'exemple : ce n'est pas la coopérative qui porte ce nom.",
            "MAILLAGE_LOG_LEVEL": "warning",
        }

    def compose(self, *words: str, typed: str | None = None) -> str:
        """`docker compose …` for this project. Raises CannotRun."""
        files = [word for name in ("compose.yaml", *self.overlays) for word in ("-f", str(DEPLOY / name))]
        return docker("compose", *files, *words, env=self.environment, typed=typed)

    def make_secrets(self) -> None:
        command = ["run", "--rm", "--user", "0", "-v", f"{self.secrets}:/secrets", "--entrypoint", "python3"]
        docker(*command, "maillage:local", "-m", "deploy.compose_secrets", "/secrets", self.cooperative.slug)

    def make_administrator(self, password: str) -> None:
        """The first administrator, by the command that an ops person would use."""
        person, place = self.cooperative.administrator, self.cooperative
        words = [
            "--email",
            person.email,
            "--name",
            person.name,
            "--cooperative",
            place.name,
            "--summary",
            place.summary,
        ]
        words += ["--place", place.town, "--latitude", str(place.latitude), "--longitude", str(place.longitude)]
        command = ["exec", "-T", "identity", "python3", "-m", "services", "administrator", *words]
        self.compose(*command, "--password-file", "-", typed=password)

    def kill_and_restart(self) -> None:
        """SIGKILL every service's container but the portal's, and start them again."""
        self.compose("kill", "-s", "SIGKILL", *KILLED)
        self.compose("up", "-d", "--wait", "--wait-timeout", "180")


def check_machine() -> None:
    """Raises CannotRun in one sentence when Docker, Compose or an image cannot be had."""
    docker("version", "--format", "{{.Server.Version}}")
    docker("compose", "version")
    held = set(docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split())
    for image in IMAGES:
        if image not in held:
            with step(f"pull {image}"):
                docker("pull", image)


@contextmanager
def two_cooperatives(folder: Path) -> Generator[dict[str, Composed]]:
    """Both projects and the mail sink, up and healthy; everything is removed afterwards, volumes too."""
    with ExitStack() as stack:
        docker("network", "create", NETWORK)
        stack.callback(docker, "network", "rm", NETWORK)
        sink = ["-d", "--rm", "--name", MAIL, "--network", NETWORK, "-p", f"127.0.0.1:{MAIL_PORT}:8025"]
        listen = ["--host", "0.0.0.0", "--smtp-port", "2525", "--http-port", "8025", "--folder", "/tmp/mail"]  # noqa: S104, S108 - in its container
        docker("run", *sink, "maillage-demo:local", *listen)
        stack.callback(docker, "rm", "-f", MAIL)
        projects = {cooperative.slug: Composed(cooperative, folder) for cooperative in (OPTEOS, OPENFLOW)}
        authority = Authority(folder / "authority")
        for slug, project in projects.items():
            with step(f"{slug}: secrets, servers, set-up and services are up and healthy"):
                project.make_secrets()
                compose_border.encrypt(project, authority, folder / f"{slug}-links")
                stack.callback(project.compose, "down", "-v", "--timeout", "15")
                project.compose("up", "-d", "--wait", "--wait-timeout", "300")
        yield projects


def play(projects: dict[str, Composed]) -> None:
    """Found both cooperatives, link them and tell the story."""
    password = f"demo-{secrets.token_urlsafe(9)}"
    mailbox = Mailbox(f"http://127.0.0.1:{MAIL_PORT}")
    wait_for("the mail sink", lambda: _answers(mailbox))
    towns: dict[str, Town] = {}
    for slug, project in projects.items():
        project.make_administrator(password)
        url = f"http://127.0.0.1:{project.port}"
        towns[slug] = Town(cooperative=project.cooperative, url=url, password=password)
    lille, namur = towns[OPTEOS.slug], towns[OPENFLOW.slug]
    seed.fill(lille, namur, mailbox)
    say("\nThe main job, over compose")
    story.play(lille, namur, mailbox, lambda town: projects[town.cooperative.slug].kill_and_restart())
    say("\nPeers that are known by certificates")
    compose_border.demand_certificates(projects, towns)


def _answers(mailbox: Mailbox) -> bool:
    try:
        return mailbox.to("nobody") == []
    except httpx.HTTPError:
        return False


def main() -> int:
    """Command line: 0 when the story came to its end."""
    began = time.perf_counter()
    try:
        check_machine()
        with step("build the image"):
            for target, tag in (("services", "maillage:local"), ("demo", "maillage-demo:local")):
                docker("build", "-f", str(DEPLOY / "Dockerfile"), "--target", target, "-t", tag, str(DEPLOY.parent))
        with tempfile.TemporaryDirectory() as folder, two_cooperatives(Path(folder)) as projects:
            try:
                play(projects)
            except BaseException:
                for project in projects.values():
                    say(project.compose("logs", "--tail", "40", "--no-color"))
                raise
    except (CannotRun, TimeoutError, RuntimeError, AssertionError, httpx.HTTPError) as error:
        say(f"compose-test failed: {error}")
        return 1
    say(f"\ncompose-test: the main job is done, everything is taken down, {time.perf_counter() - began:.0f} s in all.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
