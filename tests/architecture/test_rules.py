"""The rules of the architecture that no type checker sees. Imports between packages: import-linter (`make check`)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.registry import CROSSING, EVENTS, events_of
from services.chassis import names
from services.provision import declared_subscriptions

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ROOT / "services"
EDGES = {"api.py", "consumers.py", "app.py"}
ROOMS = {"README.md", "app.py", "__main__.py"}


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def calls(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node.lineno


@pytest.mark.parametrize("path", sources("services"), ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_commits_by_hand(path: Path) -> None:
    assert [line for name, line in calls(path) if name in {"commit", "rollback"}] == []


@pytest.mark.parametrize("service", names.SERVICES)
def test_commands_and_queries_take_a_session_and_open_none(service: str) -> None:
    for room in ("commands", "queries", "domain", "tables"):
        for path in [SERVICES / service / f"{room}.py", *(SERVICES / service / room).glob("*.py")]:
            if path.exists():
                sessions = {"transaction", "reading", "autocommit", "asking"}
                opened = [line for name, line in calls(path) if name in sessions]
                assert opened == [], f"{path.relative_to(ROOT)}: {opened}"


@pytest.mark.parametrize(
    "path", sources("services", "contracts", "deploy"), ids=lambda path: str(path.relative_to(ROOT))
)
def test_files_and_functions_stay_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 40, f"{node.name} has {length} lines"


@pytest.mark.parametrize("service", [*names.SERVICES, "portal"])
def test_every_service_has_its_front_rooms(service: str) -> None:
    assert {path.name for path in (SERVICES / service).iterdir()} >= ROOMS


@pytest.mark.parametrize(
    "path", [p for p in sources("services") if p.name == "domain.py" or "domain" in p.parts], ids=str
)
def test_rules_do_no_io_read_no_clock_and_make_no_ids(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"datetime\.now|time\.time\(|new_id\(|uuid4\(|AsyncSession|httpx|aio_pika", text)


def test_every_event_listened_to_exists_and_is_said_inside() -> None:
    listened = {kind for kinds in declared_subscriptions().values() for kind in kinds}
    assert listened <= {kind for kind in EVENTS if kind.partition(".")[0] not in CROSSING}


@pytest.mark.parametrize("publisher", [*names.SERVICES, *CROSSING])
def test_event_types_begin_with_their_publisher(publisher: str) -> None:
    """Topic permissions let a service write only keys that begin with its own name."""
    for event_type in events_of(publisher):
        assert re.fullmatch(rf"{publisher}\.[a-z_]+\.v[0-9]+", event_type)


def test_names_on_the_wire_are_frozen() -> None:
    assert names.queue("booking", "identity.member_changed.v1") == "booking.identity.member_changed.v1"
    assert names.vhost("opteos") == "opteos"
    assert names.border_vhost("opteos") == "opteos.border"
    assert names.broker_user("opteos", "booking") == "opteos.booking"
    assert names.peer_user("opteos", "x") == "opteos.peer.x"
    assert (names.inbound("x"), names.out("x")) == ("inbound.x", "out.x")
    assert (names.retry_exchange("booking"), names.dead("booking")) == ("booking.retry", "booking.dead")
    assert names.retry_queue("booking", "5s") == "booking.retry.5s"
    assert (names.EVENTS, names.UNROUTED) == ("events", "unrouted")
    headers = (names.HEADER_DELAY, names.HEADER_ATTEMPT, names.HEADER_ERROR, names.HEADER_QUEUE)
    assert headers == ("x-maillage-delay", "x-maillage-attempt", "x-maillage-error", "x-maillage-queue")


@pytest.mark.parametrize("name", ["", "a", "A", "a_b", ".*", "a/b", "x" * 31, "é", "a b", "a\n"])
def test_short_names_that_could_steer_a_pattern_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="short name"):
        names.check_instance(name)
