"""What something costs of the processor: says more than seconds on a machine that has other work too."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field

import psutil


@dataclass
class Cost:
    """Seconds of the processor by name of a process tree, filled when the block of `cost_of` ends."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    def per(self, count: int) -> str:
        """In microseconds of each of `count` things."""
        parts = [f"{name} {spent / count * 1e6:.0f}" for name, spent in self.seconds.items()]
        return f"{', '.join(parts)}: {sum(self.seconds.values()) / count * 1e6:.0f} µs of the processor each"


@contextlib.contextmanager
def cost_of(roots: dict[str, int]) -> Generator[Cost]:
    """What the trees below `roots` (names and process ids) spend while the block runs."""
    before, cost = {name: _spent(pid) for name, pid in roots.items()}, Cost()
    yield cost
    cost.seconds |= {name: _spent(pid) - before[name] for name, pid in roots.items()}


def _spent(root: int) -> float:
    """By the tree below `root`: its living processes, and those of which it has learnt the end."""
    process = psutil.Process(root)
    family = [process.cpu_times()]
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            family.append(child.cpu_times())
    return sum(times.user + times.system + times.children_user + times.children_system for times in family)
