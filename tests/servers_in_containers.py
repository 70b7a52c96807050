"""PostgreSQL and RabbitMQ in containers, by testcontainers, without its clean-up container (Ryuk)."""

import os
import secrets
import time
from pathlib import Path
from typing import Any

import docker
import psutil
from docker.errors import DockerException
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from deploy.local.processes import HOST, choose_port
from deploy.local.rabbitmq import amqp_answers, management_answers

POSTGRES_IMAGE = "pgvector/pgvector:pg18"
RABBITMQ_IMAGE = "rabbitmq:4.0-management"

_READY = 90.0
_ATTEMPTS = 4
_OWNER = "maillage.test-session"
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=600", "jit=off")
_PLUGINS = b"[rabbitmq_management,rabbitmq_shovel,rabbitmq_shovel_management].\n"

testcontainers_config.ryuk_disabled = True


def available() -> bool:
    """Whether a Docker engine answers and holds both images already."""
    if "DOCKER_HOST" not in os.environ and not Path("/var/run/docker.sock").exists():
        return False
    try:
        client = docker.from_env(timeout=5)
    except DockerException:
        return False
    try:
        for image in (POSTGRES_IMAGE, RABBITMQ_IMAGE):
            client.images.get(image)
    except DockerException:
        return False
    finally:
        client.close()
    return True


def remove_orphans() -> None:
    """Remove the containers of sessions that were killed."""
    client = docker.from_env()
    for container in client.containers.list(all=True, filters={"label": _OWNER}):
        pid, _, created = container.labels[_OWNER].partition("@")
        if not psutil.pid_exists(int(pid)) or str(psutil.Process(int(pid)).create_time()) != created:
            container.remove(force=True, v=True)
    client.close()


def _labels() -> dict[str, str]:
    return {_OWNER: f"{os.getpid()}@{psutil.Process().create_time()}"}


class ContainerPostgres:
    """PostgreSQL 18 with its port on the host's loopback address."""

    host = HOST
    admin_user = "postgres"

    def __init__(self) -> None:
        self.admin_password = secrets.token_urlsafe(24)
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        self.port = 0
        container = PostgresContainer(
            POSTGRES_IMAGE, username=self.admin_user, password=self.admin_password, dbname="postgres"
        )
        self._container = container.with_command(["postgres", *settings]).with_kwargs(labels=_labels())

    def start(self) -> None:
        self._container.start()
        self.port = int(self._container.get_exposed_port(5432))

    def stop(self) -> None:
        self._container.stop()


class ContainerRabbit:
    """RabbitMQ on the host's own network: its shovels must reach brokers and cut links on the loopback address."""

    host = HOST
    admin_user = "admin"

    def __init__(self) -> None:
        self.admin_password = secrets.token_urlsafe(24)
        self.amqp_port, self.management_port = choose_port(None, "AMQP"), choose_port(None, "management")
        settings: dict[str, Any] = {
            "listeners.tcp.default": f"{HOST}:{self.amqp_port}",
            "management.tcp.ip": HOST,
            "management.tcp.port": self.management_port,
            "cluster_name": f"maillage-tests-{secrets.token_hex(6)}",
            "max_message_size": 524288,  # as in deploy/rabbitmq.conf
        }
        text = "".join(f"{name} = {value}\n" for name, value in settings.items())
        container = DockerContainer(RABBITMQ_IMAGE).with_kwargs(network_mode="host", labels=_labels())
        self._container = (
            container.with_envs(
                RABBITMQ_NODENAME="maillage@localhost",
                RABBITMQ_DIST_PORT=str(choose_port(None, "Erlang distribution")),
                ERL_EPMD_PORT=str(choose_port(None, "epmd")),
                ERL_EPMD_ADDRESS=HOST,
                RABBITMQ_DEFAULT_USER=self.admin_user,
                RABBITMQ_DEFAULT_PASS=self.admin_password,
                RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
            )
            .with_copy_into_container(text.encode(), "/etc/rabbitmq/conf.d/90-tests.conf")
            .with_copy_into_container(_PLUGINS, "/etc/rabbitmq/enabled_plugins")
        )

    @property
    def management_url(self) -> str:
        return f"http://{self.host}:{self.management_port}"

    def start(self) -> None:
        self._container.start()
        self._wait()

    def restart(self) -> None:
        for step in ("stop_app", "start_app"):
            self._control(step)
        self._wait()

    def _control(self, step: str) -> None:
        """`rabbitmqctl <step>`, again where a busy machine kept it from reaching the node."""
        said = ""
        for attempt in range(_ATTEMPTS):
            time.sleep(attempt)
            done = self._container.exec(["rabbitmqctl", "-n", "maillage@localhost", step])
            if done.exit_code == 0:
                return
            said = done.output.decode(errors="replace")
        raise RuntimeError(f"rabbitmqctl {step}: {said}")

    def stop(self) -> None:
        self._container.stop()

    def _wait(self) -> None:
        deadline = time.monotonic() + _READY
        while time.monotonic() < deadline:
            if amqp_answers(self.host, self.amqp_port) and management_answers(
                self.host, self.management_port, self.admin_user, self.admin_password
            ):
                return
            time.sleep(0.1)
        output = self._container.get_logs()[0].decode(errors="replace")
        raise TimeoutError(f"RabbitMQ did not start in its container: {output[-2000:]}")
