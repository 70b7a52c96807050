"""Three nodes of RabbitMQ on this machine, one cluster."""

import secrets
import shutil
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from deploy.local import folders
from deploy.local.processes import HOST, Daemon, choose_port
from deploy.local.rabbitmq import LocalRabbit

SIZE = 3


class Node(LocalRabbit):
    """One of them, with the cookie and the administrator of all and a name server that outlives each of them."""

    def __init__(self, number: int, epmd_port: int, cookie: str, password: str) -> None:
        super().__init__(cluster_name="maillage-cluster")
        self.node_name = f"maillage{number}@localhost"
        self._epmd_port = epmd_port
        folders.write_private(self._folder / ".erlang.cookie", cookie, self._account)
        folders.write_private(self._folder / "admin-password", password, self._account)

    def join(self, other: "Node") -> None:
        """Enter the cluster of `other`, with its users and queues."""
        self.control("stop_app")
        self.control("join_cluster", other.node_name)
        self.control("start_app")

    def _start_epmd(self) -> int:
        return self._epmd_port


@contextmanager
def cluster() -> Generator[list[Node]]:
    """The running nodes, one cluster, while the block runs."""
    cookie, password = secrets.token_hex(10).upper(), secrets.token_urlsafe(24)
    with ExitStack() as stack:
        port = _name_server(stack)
        nodes = [Node(number, port, cookie, password) for number in range(1, SIZE + 1)]
        for node in nodes:
            stack.callback(node.stop)
            node.start()
            if node is not nodes[0]:
                node.join(nodes[0])
        yield nodes


def _name_server(stack: ExitStack) -> int:
    """The port of an epmd that ends with `stack`."""
    folder, port = folders.throwaway("epmd"), choose_port(None, "epmd")
    stack.callback(folders.remove, folder)
    account = folders.account()
    epmd = Daemon(
        command=[shutil.which("epmd") or "epmd", "-address", HOST, "-port", str(port)],
        account=account,
        folder=folders.make_private(folder, account),
        name="epmd",
        environment={"PATH": "/usr/bin:/bin"},
    )
    stack.callback(epmd.stop)
    epmd.start()
    return port


def leaders(node: Node, vhost: str) -> dict[str, int]:
    """How many queues of `vhost` each node leads, as `node` says."""
    lines = node.control("list_queues", "--silent", "-p", vhost, "leader").split()
    return {name: lines.count(name) for name in set(lines)}
