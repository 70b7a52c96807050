import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from services.chassis import logs
from tests.instances import Instance
from tests.services.booking.workshop import Workshop, opened


@pytest.fixture
async def workshop(instance: Instance) -> AsyncIterator[Workshop]:
    async with opened(instance) as made:
        yield made


@pytest.fixture
def loud_logs(capfd: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Our logs as a process writes them, at their loudest; what they said is in the captured standard error."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    logs.configure("debug")
    yield capfd
    root.handlers = handlers
    root.setLevel(level)
