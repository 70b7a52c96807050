"""A hub has nothing of its own: nobody publishes, books or asks there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.booking.app import build as booking
from services.booking.settings import BookingSettings
from services.catalog.app import build as catalog
from services.catalog.settings import CatalogSettings
from services.chassis.process import Service
from services.matching.app import build as matching
from services.matching.settings import MatchingSettings
from services.secrets_files import make_missing

SERVICES: list[tuple[Callable[[Any], Service], type[Any], str]] = [
    (booking, BookingSettings, "/api/booking/bookings"),
    (catalog, CatalogSettings, "/api/catalog/listings"),
    (matching, MatchingSettings, "/api/matching/introductions"),
]


@pytest.mark.parametrize(("build", "settings", "asking"), SERVICES)
async def test_at_a_hub_nothing_that_changes_something_is_taken(
    build: Callable[[Any], Service], settings: type[Any], asking: str, tmp_path: Path
) -> None:
    make_missing(tmp_path)
    at_a_hub = build(settings(instance="hub", secrets_dir=tmp_path, federation_hub=True)).app
    found: dict[str, dict[str, Any]] = at_a_hub.openapi()["paths"]
    writing = [(method, path) for path, ways in found.items() for method in ways if method not in {"get", "head"}]
    assert ("post", asking) in writing
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=at_a_hub), base_url="http://hub") as client:
        for method, path in writing:
            if "/dead" in path:  # a coordinator's, about messages that no retry could help
                continue
            answer = await client.request(method, path)
            assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "nothing-of-its-own"), path


@pytest.mark.parametrize(("build", "settings", "asking"), SERVICES)
async def test_elsewhere_it_is(
    build: Callable[[Any], Service], settings: type[Any], asking: str, tmp_path: Path
) -> None:
    make_missing(tmp_path)
    here = build(settings(instance="lille", secrets_dir=tmp_path)).app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=here), base_url="http://lille") as client:
        assert (await client.post(asking, json={})).status_code in {401, 422}
