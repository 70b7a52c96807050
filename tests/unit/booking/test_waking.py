"""The database wakes the same listeners as the code does."""

from pathlib import Path

import pytest

from services.booking.commands import telling
from services.booking.commands.handing_out import PLACES_CHANNEL
from services.booking.commands.telling import BUSY_CHANNEL
from services.chassis.database_listener import LOCKS, lock_of
from services.chassis.outbox import CHANNEL

_VERSIONS = Path(telling.__file__).parents[1] / "migrations" / "versions"
_SQL = (_VERSIONS / "bind_booking.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize("channel", [CHANNEL, BUSY_CHANNEL, PLACES_CHANNEL])
def test_the_function_knows_the_lock_of_each_listener(channel: str) -> None:
    assert f"WHEN '{channel}' THEN {lock_of(channel)}" in _SQL
    assert f"({LOCKS}, listener)" in _SQL
