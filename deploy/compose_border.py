"""AMQPS between the cooperatives of `make compose-test`: first with passwords, then by certificates alone.

Does what README.md tells operators to do, with an authority of the test's own in place of a public one.
"""

import os
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path
from socket import create_connection
from typing import Protocol

import httpx

from deploy.demo.api import wait_for
from deploy.demo.seed import LASER, Town, link_in
from deploy.demo.terminal import step
from deploy.local.authority import Authority

_READABLE, _FOLDER = 0o444, 0o755
_OPENSSL = ("openssl", "req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


class Project(Protocol):
    """What is needed of a compose project. `overlays`: its files beside `compose.yaml`, in their order."""

    secrets: Path
    environment: dict[str, str]
    overlays: list[str]
    border_port: int

    def compose(self, *words: str, typed: str | None = None) -> str: ...


def encrypt(project: Project, authority: Authority, links: Path) -> None:
    """Have the project's broker speak AMQPS under its border's name. Before its first start."""
    host = project.environment["MAILLAGE_BORDER_HOST"]
    own = authority.issue(host)
    for name, source in (("border_certificate.pem", own.certificate), ("border_key.pem", own.key)):
        _install(project.secrets / name, source.read_text())
    authorities = links.with_name(f"{links.name}-authorities.pem")
    _install(authorities, authority.ca_file.read_text())
    links.mkdir(mode=_FOLDER)
    project.environment |= {
        "MAILLAGE_BORDER_PORT": "5671",
        "MAILLAGE_BORDER_TLS": "true",
        "MAILLAGE_BORDER_PUBLISH": f"127.0.0.1:{project.border_port}",
        "MAILLAGE_AUTHORITIES": str(authorities),
        "MAILLAGE_LINKS": str(links),
    }
    project.overlays.insert(0, "compose.border.yaml")


def demand_certificates(projects: Mapping[str, Project], towns: Mapping[str, Town]) -> None:
    """Let peers in by certificates alone, step by step as README.md has it, and see that offers cross both ways."""
    ids = {
        slug: wait_for("the link", lambda there=town: link_in(there, "active"))["link_id"]
        for slug, town in towns.items()
    }
    (one, other), before = projects, all(map(_talks, projects.values()))
    with step("each signs the other's request for a certificate of its border's own authority"):
        for signing in projects.values():
            _sign(signing)
            (signing.secrets / "border_authority.pem").chmod(_READABLE)
        for mine, theirs in ((one, other), (other, one)):
            folder = Path(projects[mine].environment["MAILLAGE_LINKS"])
            request = _request(folder / f"{ids[mine]}.key")
            _install(folder / f"{ids[mine]}.pem", _sign(projects[theirs], ids[theirs], typed=request))
    for slug, project in projects.items():
        with step(f"{slug}: certificates are demanded"):
            project.overlays.insert(1, "compose.certificates.yaml")
            project.compose("up", "-d", "--wait", "--wait-timeout", "300")
    for slug, town in towns.items():
        for act in ("pause", "resume"):
            wait_for(f"the link to {act}", lambda there=town, to=act, link=ids[slug]: _turned(there, link, to))
    with step("an offer crosses in each direction, by certificates alone"):
        _crosses(towns[one], towns[other], "Presse à cidre")
        _crosses(towns[other], towns[one], "Broyeur de végétaux")
    with step("without a certificate nobody gets in any more"):
        if not before or any(map(_talks, projects.values())):
            raise AssertionError(f"the border talks to somebody without a certificate (it did before: {before})")


def _turned(town: Town, link_id: str, act: str) -> bool:
    try:
        town.coordinator.post(f"federation/links/{link_id}/{act}")
    except httpx.HTTPError:
        return False  # its containers have just been started anew
    return True


def _sign(project: Project, *link_id: str, typed: str = "") -> str:
    """`peer-certificate` in a container that sees the folder of secrets itself, as its owner."""
    owner = f"{os.getuid()}:{os.getgid()}"
    sees = ["-v", f"{project.secrets}:/keys", "-e", "MAILLAGE_SECRETS_DIR=/keys"]
    words = ["run", "--rm", "-T", "--no-deps", "--user", owner, *sees, "setup", "peer-certificate", *link_id]
    return project.compose(*words, typed=typed)


def _request(key: Path) -> str:
    made = subprocess.run(
        [*_OPENSSL, "-subj", "/CN=peer", "-keyout", str(key)], check=True, capture_output=True, text=True
    )
    key.chmod(_READABLE)
    return made.stdout


def _crosses(here: Town, there: Town, title: str) -> None:
    """What a coordinator of `here` offers to peers is found by one of `there`."""
    here.coordinator.post("catalog/listings", LASER | {"title": title})

    def found() -> bool:
        items = there.coordinator.get("matching/search", q=title)["items"]
        return any(item["title"] == title and item["origin"] for item in items)

    wait_for(f"“{title}” in {there.cooperative.town}", found, 90)


def _talks(project: Project) -> bool:
    """Whether the broker at the border's port answers somebody who shows no certificate."""
    context = ssl.create_default_context(cafile=project.environment["MAILLAGE_AUTHORITIES"])
    try:
        with (
            create_connection(("127.0.0.1", project.border_port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=project.environment["MAILLAGE_BORDER_HOST"]) as talk,
        ):
            talk.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(talk.recv(1))  # in TLS 1.3 the refusal comes with the first answer
    except (ssl.SSLError, ConnectionError):
        return False


def _install(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(_READABLE)
