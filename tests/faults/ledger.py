"""The table of faults: what was going on, what was on its way, what became of it. Printed at the end of a run."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pytest

COLUMNS = ("fault", "load during it", "in flight", "lost", "doubled", "seconds to heal")
_ROW = "fault-row"


@dataclass
class Fault:
    """One line of it. `missing`: what was acknowledged and has not had its effect yet, as far as can be seen now."""

    name: str
    load: str
    missing: Callable[[], Sequence[Any]]
    in_flight: Sequence[Any] = ()
    heal: float | None = None
    _ended: float = 0.0

    def cause_ended(self) -> None:
        """The server is started, the line mended: from now on counts what it takes to heal."""
        self.in_flight, self._ended = self.missing(), time.monotonic()

    def wait_healed(self, seconds: float = 120) -> None:
        """Return when all that was in flight as the cause ended has had its effect."""
        waiting = set(self.in_flight)
        while waiting & set(self.missing()):
            assert time.monotonic() - self._ended < seconds, (
                f"{self.name}: {len(waiting)} were in flight, some still are"
            )
            time.sleep(0.1)
        self.heal = time.monotonic() - self._ended


@dataclass(frozen=True)
class Ledger:
    """Keeps the rows of one test; they travel with its report, also from another process."""

    record: Callable[[str, object], None]

    def begin(self, name: str, load: str, missing: Callable[[], Sequence[Any]]) -> Fault:
        return Fault(name, load, missing)

    def end(self, fault: Fault, *, doubled: int) -> None:
        """Add the row of `fault`. Fails when something was lost or doubled."""
        lost, in_flight = len(fault.missing()), len(fault.in_flight)
        self.note(fault.name, load=fault.load, in_flight=in_flight, lost=lost, doubled=doubled, heal=fault.heal)

    def note(self, name: str, *, load: str, in_flight: int, lost: int, doubled: int, heal: float | None) -> None:
        """Add a row. Fails when something was lost or doubled."""
        seconds = "–" if heal is None else f"{heal:.1f}"
        self.record(_ROW, (name, load, str(in_flight), str(lost), str(doubled), seconds))
        assert (lost, doubled) == (0, 0), f"{name}: {lost} lost, {doubled} doubled"


@pytest.fixture
def ledger(record_property: Callable[[str, object], None]) -> Ledger:
    return Ledger(record_property)


def table(reports: Iterable[pytest.TestReport]) -> list[str]:
    """The lines to print; none when no fault was noted."""
    rows = [
        tuple(cast("Sequence[str]", row)) for report in reports for name, row in report.user_properties if name == _ROW
    ]
    if not rows:
        return []
    all_rows: list[tuple[Any, ...]] = [COLUMNS, *rows]
    widths = [max(len(str(row[place])) for row in all_rows) for place in range(len(COLUMNS))]
    lines = ["  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)) for row in all_rows]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]
