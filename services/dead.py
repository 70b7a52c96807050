"""`python -m services dead list|show|replay|drop <service> [<id>|all]`: what a service could not handle."""

import asyncio
import sys
from collections.abc import Sequence

from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from services.chassis import names
from services.chassis.letters import drop, letters, replay
from services.chassis.publishing import NotPublished
from services.chassis.settings import ServiceSettings, load

USAGE = f"usage: python -m services dead list|show|replay|drop {'|'.join(names.SERVICES)} [<id>|all]"


async def run(action: str, service: str, wanted: str, settings: ServiceSettings) -> str:
    """Do what the command line asks. Returns the text to print."""
    url = settings.broker_url(service)
    if action == "replay":
        return "\n".join(f"replayed {letter_id}" for letter_id in await replay(url, service, wanted)) or "nothing found"
    if action == "drop":
        return "\n".join(f"dropped {letter_id}" for letter_id in await drop(url, service, wanted)) or "nothing found"
    async with letters(url, service) as found:
        if action == "list":
            return "\n".join(letter.line() for letter in found) or "no dead letters"
        return "\n\n".join(letter.whole() for letter in found if wanted in {letter.id, "all"}) or "nothing found"


def main(arguments: Sequence[str]) -> None:
    """Command line."""
    action, service, wanted = (*arguments, "", "", "")[:3]
    needs_id = action in {"show", "replay", "drop"}
    if action not in {"list", "show", "replay", "drop"} or service not in names.SERVICES or (needs_id and not wanted):
        sys.exit(USAGE)
    try:
        print(asyncio.run(run(action, service, wanted, load(ServiceSettings))))  # noqa: T201 - a command's answer
    except (NotPublished, *CONNECTION_EXCEPTIONS) as error:
        sys.exit(f"broker: {error}")
