"""The command line: `python -m services all`, `… booking notify`, `… provision`."""

import importlib
import sys

from services.chassis import process
from services.chassis.process import Service
from services.chassis.settings import MissingSetting, ServiceSettings, load

SERVICES = ("identity", "catalog", "booking", "matching", "notify", "federation", "portal")
COMMANDS = {
    "provision": "services.provision",
    "secrets": "services.secrets_files",
    "contracts": "services.contract_documents",
    "dead": "services.dead",
    "broker-agent": "services.federation.broker_agent",
    "administrator": "services.identity.administrator",
    "reindex": "services.matching.reindex",
}


def build(names: list[str]) -> list[Service]:
    """The named services, each put together by its own `app.py`."""
    return [importlib.import_module(f"services.{name}.app").build() for name in names]


def main(arguments: list[str]) -> None:
    """Run what `arguments` name: services, `all`, or one command with its own arguments."""
    if arguments and arguments[0] in COMMANDS:
        importlib.import_module(COMMANDS[arguments[0]]).main(arguments[1:])
        return
    names = list(SERVICES) if arguments == ["all"] else arguments
    unknown = [name for name in names if name not in SERVICES]
    if unknown or not names:
        raise MissingSetting(
            f"usage: python -m services all | {' | '.join(SERVICES)} … | {' | '.join(COMMANDS)}"
            + (f"   (unknown: {', '.join(unknown)})" if unknown else "")
        )
    process.run(lambda: build(names), load(ServiceSettings))


if __name__ == "__main__":
    main(sys.argv[1:])
