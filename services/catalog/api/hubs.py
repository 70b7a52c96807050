"""Where nothing of its own is published."""

from fastapi import Request

from services.catalog.domain import NothingOfItsOwn


async def not_at_a_hub(request: Request) -> None:
    """For an endpoint by which something comes into the catalogue. Raises NothingOfItsOwn."""
    if request.app.state.settings.federation_hub:
        raise NothingOfItsOwn
