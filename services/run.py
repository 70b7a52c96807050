"""Services in one process: `all` of them, or the ones that are named."""

import importlib

from services.chassis import process
from services.chassis.process import Service
from services.chassis.settings import MissingSetting, ServiceSettings, load

SERVICES = ("identity", "catalog", "booking", "matching", "notify", "federation", "portal")


def build(names: list[str]) -> list[Service]:
    """The named services, each put together by its own `app.py`."""
    return [importlib.import_module(f"services.{name}.app").build() for name in names]


def main(arguments: list[str], commands: list[str]) -> None:
    """Run the services that `arguments` name until SIGTERM. Raises MissingSetting for unknown names."""
    names: list[str] = list(SERVICES) if arguments == ["all"] else arguments
    unknown = [name for name in names if name not in SERVICES]
    if unknown or not names:
        raise MissingSetting(
            f"usage: python -m services all | {' | '.join(SERVICES)} … | {' | '.join(commands)}"
            + (f"   (unknown: {', '.join(unknown)})" if unknown else "")
        )
    process.run(lambda: build(names), load(ServiceSettings))
