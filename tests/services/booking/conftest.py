from collections.abc import AsyncIterator

import pytest

from tests.instances import Instance
from tests.services.booking.workshop import Workshop, opened


@pytest.fixture
async def workshop(instance: Instance) -> AsyncIterator[Workshop]:
    async with opened(instance) as made:
        yield made
