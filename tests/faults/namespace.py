"""A line through a network namespace of its own, in which a firewall drops real packets."""

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from deploy.local.folders import CHECKOUT
from deploy.local.processes import choose_port
from tests.faults.proxy import Proxy

NAME = "maillage-line"
OUTSIDE, INSIDE = "10.213.47.1", "10.213.47.2"
_LINK = ("maillage0", "maillage1")


@dataclass(frozen=True)
class Wire:
    """`port` of the loopback address leads to a port of this machine by way of the namespace."""

    port: int

    def silence(self) -> None:
        """Drop every packet, both ways."""
        for chain, side in (("INPUT", "-i"), ("OUTPUT", "-o")):
            _do("iptables", "-I", chain, side, _LINK[0], "-j", "DROP")

    def mend(self) -> None:
        for chain, side in (("INPUT", "-i"), ("OUTPUT", "-o")):
            _do("iptables", "-D", chain, side, _LINK[0], "-j", "DROP")


@contextmanager
def wire(target_port: int) -> Generator[Wire]:
    """The line while the block runs. Needs the rights of root."""
    with ExitStack() as stack:
        _do("ip", "netns", "add", NAME)
        stack.callback(_do, "ip", "netns", "delete", NAME)
        _do("ip", "link", "add", _LINK[0], "type", "veth", "peer", "name", _LINK[1], "netns", NAME)
        _do("ip", "address", "add", f"{OUTSIDE}/30", "dev", _LINK[0])
        _do("ip", "link", "set", _LINK[0], "up")
        _do("ip", "-n", NAME, "address", "add", f"{INSIDE}/30", "dev", _LINK[1])
        _do("ip", "-n", NAME, "link", "set", _LINK[1], "up")
        back = Proxy(target_port, host=OUTSIDE)
        stack.callback(back.close)
        port = choose_port(None, "the far end of a line")
        here = ["ip", "netns", "exec", NAME, sys.executable, "-m", "tests.faults.namespace"]
        far = subprocess.Popen([*here, str(port), str(back.port)], cwd=CHECKOUT)
        stack.callback(far.wait)
        stack.callback(far.terminate)
        near = Proxy(port, target_host=INSIDE)
        stack.callback(near.close)
        yield Wire(near.port)


def _do(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def main() -> None:
    """The far end: from `port` inside the namespace back to `target` outside."""
    port, target = map(int, sys.argv[1:])
    Proxy(target, port=port, host=INSIDE, target_host=OUTSIDE)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
