"""What the demo says, and how long each step took."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

_COLOUR = sys.stdout.isatty()


def say(text: str = "") -> None:
    """One line, at once."""
    print(text, flush=True)


def bold(text: str) -> str:
    """`text` in bold where the terminal can."""
    return f"\x1b[1m{text}\x1b[0m" if _COLOUR else text


@dataclass
class Step:
    """What a step found out; the last thing noted is shown beside it."""

    notes: list[str] = field(default_factory=list[str])

    def note(self, text: str) -> None:
        self.notes.append(text)


@contextmanager
def step(title: str) -> Generator[Step]:
    """Time a block and print its title, milliseconds and notes. A failure is printed too, and raised."""
    began = time.perf_counter()
    one = Step()
    try:
        yield one
    except BaseException:
        say(f"  ✗ {title}  ({_milliseconds(began)} ms)")
        raise
    say(f"  ✓ {title}  {bold(f'{_milliseconds(began)} ms')}")
    for note in one.notes:
        say(f"      {note}")


def _milliseconds(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
