from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.servers import Servers
from tests.services.federation.pair import Pair, a_pair


@pytest.fixture
async def pair(servers: Servers, tmp_path: Path) -> AsyncIterator[Pair]:
    async with a_pair(servers, tmp_path) as made:
        yield made
