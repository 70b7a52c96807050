"""A private node of the machine's RabbitMQ server: own data, own ports, own `epmd`, loopback addresses only.

It disturbs no other node of the machine, the package's own included, and is not disturbed by the files in
/etc/rabbitmq.  The memory settings below are for a node that carries a few thousand messages a second at most.
"""

import contextlib
import http.client
import os
import secrets
import shutil
import socket
import subprocess
import time
from base64 import b64encode
from pathlib import Path

from deploy.local import folders, packages
from deploy.local.authority import Authority
from deploy.local.processes import HOST, Daemon, ServerFailed, choose_port

_READY = 240.0
_GRACE = 3.0  # messages and connections are closed within about a second; the management agent then idles for five
_PLUGINS = ("rabbitmq_management", "rabbitmq_shovel", "rabbitmq_shovel_management")
_EXTERNAL = {
    "auth_mechanisms.1": "EXTERNAL",
    "auth_mechanisms.2": "PLAIN",
    "ssl_cert_login_from": "subject_alternative_name",
    "ssl_cert_login_san_type": "dns",
    "ssl_cert_login_san_index": "0",
}
_AMQP_GREETING = b"AMQP\x00\x00\x09\x01"
_SMALL_MACHINE = (
    # One scheduler each: a second one gains nothing on a machine whose other core runs the services.
    *("+S", "1:1", "+SDcpu", "1:1", "+SDio", "2", "+A", "1"),
    # Tables for 65,536 processes and ports; the default of a million costs 16 MB.
    *("+P", "65536", "+Q", "16384"),
    # Small carriers, given back early.
    *("+MBlmbcs", "128", "+MHlmbcs", "128", "+MMscs", "0", "+MMmcs", "5"),
)


class LocalRabbit:
    """One node on the loopback address, with an administrator `admin` and a random password, and no guest."""

    host = HOST
    admin_user = "admin"
    node_name = "maillage@localhost"

    def __init__(
        self,
        folder: Path | None = None,
        *,
        amqp_port: int | None = None,
        amqps_port: int | None = None,
        management_port: int | None = None,
        cluster_name: str | None = None,
        authority: Authority | None = None,
        peers_ca: Path | None = None,
    ) -> None:
        """`folder` keeps the data between two starts; without one they die with `stop`.

        Ports are free ones of the node's choice unless given; they stay the same over `restart` and over `kill` and
        `start` of this object, not over two programs: give them when peers note them down.
        `cluster_name` is random unless given, once per folder. With an `authority` the node also speaks AMQPS, as
        `localhost`, with those who show a certificate of the same authority; with `peers_ca` with those whose
        certificates that file trusts, and they may be the user whom their certificate names (EXTERNAL).
        """
        self._disposable = folder is None
        self._account = folders.account()
        self._folder = folders.make_private(folder or folders.throwaway("rabbitmq"), self._account)
        self._wanted = (amqp_port, management_port)
        self._cluster_name = cluster_name
        self._node: Daemon | None = None
        self._epmd: Daemon | None = None
        self._running: dict[str, str] = {}
        self._authority = authority
        self._peers_ca = peers_ca
        self.amqps_port = amqps_port or 0
        self.amqp_port = amqp_port or 0
        self.management_port = management_port or 0
        self.admin_password = ""

    @property
    def management_url(self) -> str:
        """Base of the management interface, without a slash at its end."""
        return f"http://{self.host}:{self.management_port}"

    @property
    def pid(self) -> int | None:
        """Process id of the Erlang machine while it runs."""
        return self._node.pid if self._node else None

    def start(self) -> None:
        """Start and wait until AMQP and the management interface answer.

        Raises PackageMissing, PortInUse, FolderInUse, ServerFailed.
        """
        script = packages.ensure(packages.RABBITMQ)
        self.amqp_port = choose_port(self.amqp_port or None, "RabbitMQ (AMQP)")
        self.management_port = choose_port(self.management_port or None, "RabbitMQ (management)")
        if self._authority:
            self.amqps_port = choose_port(self.amqps_port or None, "RabbitMQ (AMQPS)")
        distribution_port = choose_port(None, "Erlang distribution")
        self._configure()
        epmd_port = self._start_epmd()
        environment = self._running = self._environment(epmd_port, distribution_port)
        self._node = Daemon(
            command=[str(script)],
            account=self._account,
            folder=self._folder,
            name="node",
            environment=environment,
        )
        try:
            self._node.start()
            self._wait(self._node)
        except BaseException:
            self._end()
            raise

    def _start_epmd(self) -> int:
        """The port of the node's name server, which is its own."""
        port = choose_port(None, "epmd")
        self._epmd = Daemon(
            command=[shutil.which("epmd") or "epmd", "-address", HOST, "-port", str(port)],
            account=self._account,
            folder=self._folder,
            name="epmd",
            environment=self._environment(port, 0),
        )
        self._epmd.start()
        return port

    def stop(self) -> None:
        """Stop in an orderly way; a throw-away node is ended at once and loses its folder."""
        if self._disposable:
            self.kill()
            folders.remove(self._folder)
        else:
            self._end()

    def restart(self) -> None:
        """Stop in an orderly way and start again on the same data and ports."""
        self._end()
        self.start()

    def halt(self) -> None:
        """Stop in an orderly way and keep the data, of a throw-away node too; `start` brings it back."""
        self._end()

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl <arguments>` prints, at the running node. Raises ServerFailed."""
        root = os.geteuid() == 0
        done = subprocess.run(
            [str(packages.ensure(packages.RABBITMQ).with_name("rabbitmqctl")), *arguments],
            env=self._running,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            user=self._account.uid if root else None,
            group=self._account.gid if root else None,
            extra_groups=[] if root else None,
        )
        if done.returncode != 0:
            raise ServerFailed(f"rabbitmqctl {arguments[0]}: {(done.stderr or done.stdout).strip()[-500:]}")
        return done.stdout

    def kill(self) -> None:
        """End the node at once, as a power cut would; `start` brings it back with its data."""
        if self._node:
            self._node.kill()
        self._end()

    def _end(self) -> None:
        if self._node:
            self._node.stop(patience=_GRACE)
        if self._epmd:
            self._epmd.stop()
        self._node = self._epmd = None

    def _configure(self) -> None:
        secret = self._folder / "admin-password"
        if not secret.exists():
            folders.write_private(secret, secrets.token_urlsafe(24), self._account)
        self.admin_password = secret.read_text(encoding="utf-8")
        name = self._folder / "cluster-name"
        if not name.exists():
            folders.write_private(name, self._cluster_name or f"maillage-{secrets.token_hex(6)}", self._account)
        settings = {
            "listeners.tcp.loopback": f"{HOST}:{self.amqp_port}",
            "management.tcp.ip": HOST,
            "management.tcp.port": str(self.management_port),
            "cluster_name": name.read_text(encoding="utf-8"),
            "default_user": self.admin_user,  # made with the data folder, once
            "default_pass": self.admin_password,
            "raft.wal_max_size_bytes": "16777216",  # half a gigabyte by default, kept in memory
            "disk_free_limit.absolute": "50MB",
            "max_message_size": "524288",  # as in deploy/rabbitmq.conf
            "log.file.level": "warning",
        }
        settings |= self._tls()
        text = "".join(f"{key} = {value}\n" for key, value in settings.items())
        folders.write_private(self._folder / "rabbitmq.conf", text, self._account)
        plugins = ",".join((*_PLUGINS, *(["rabbitmq_auth_mechanism_ssl"] if self._peers_ca else [])))
        folders.write_private(self._folder / "enabled_plugins", f"[{plugins}].\n", self._account)

    def _tls(self) -> dict[str, str]:
        if self._authority is None:
            return {}
        own = self._authority.issue("localhost")
        return (_EXTERNAL if self._peers_ca else {}) | {
            "listeners.ssl.1": f"{HOST}:{self.amqps_port}",
            "ssl_options.cacertfile": str(self._peers_ca or self._authority.ca_file),
            "ssl_options.certfile": str(own.certificate),
            "ssl_options.keyfile": str(own.key),
            "ssl_options.verify": "verify_peer",
            "ssl_options.fail_if_no_peer_cert": "true",
        }

    def _environment(self, epmd_port: int, distribution_port: int) -> dict[str, str]:
        folder = self._folder
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin",
            "HOME": str(folder),  # where Erlang keeps the cookie
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(epmd_port),
            "ERL_CRASH_DUMP_SECONDS": "0",
            "RABBITMQ_CONF_ENV_FILE": str(folder / "no-rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(folder / "no-conf.d"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "no-advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_NODENAME": self.node_name,
            "RABBITMQ_NODE_PORT": str(self.amqp_port),
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ALLOW_INPUT": "1",  # the script then becomes the Erlang machine instead of watching over it
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": " ".join(
                (*_SMALL_MACHINE, "-kernel", "inet_dist_use_interface", "{127,0,0,1}")
            ),
        }

    def _wait(self, node: Daemon) -> None:
        deadline = time.monotonic() + _READY
        while node.pid is not None and time.monotonic() < deadline:
            if amqp_answers(self.host, self.amqp_port) and management_answers(
                self.host, self.management_port, self.admin_user, self.admin_password
            ):
                return
            time.sleep(0.05)
        raise ServerFailed(f"RabbitMQ did not start: {_reason(node.log)} (log: {self._folder / 'log'})")


def amqp_answers(host: str, port: int) -> bool:
    """Whether a broker speaks AMQP 0-9-1 there now."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=2) as probe:
        probe.sendall(_AMQP_GREETING)
        return probe.recv(1) == b"\x01"  # a method frame: connection.start
    return False


def management_answers(host: str, port: int, user: str, password: str) -> bool:
    """Whether the management interface there lets this user in now."""
    credentials = b64encode(f"{user}:{password}".encode()).decode()
    connection = http.client.HTTPConnection(host, port, timeout=5)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request("GET", "/api/whoami", headers={"Authorization": f"Basic {credentials}"})
        return connection.getresponse().status == http.HTTPStatus.OK
    return False


def _reason(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    told = [line for line in lines if "rror" in line or "failed" in line]
    return (told or [line for line in lines if line] or ["it said nothing"])[0][:300]
