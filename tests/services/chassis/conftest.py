from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.servers import Servers
from tests.services.chassis.trial import Trial, make_trial


@pytest.fixture
async def trial(servers: Servers, tmp_path: Path) -> AsyncIterator[Trial]:
    async with make_trial(servers, tmp_path / "secrets") as made:
        yield made
