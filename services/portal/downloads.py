"""Files that a service writes line by line, handed on as they come."""

from typing import Any

import httpx
from fastapi.responses import Response, StreamingResponse

from services.portal.client import PartMissing, Refusal
from services.portal.visit import Visit


async def csv_from(visit: Visit, service: str, path: str, params: dict[str, Any], *, name: str) -> Response:
    """The CSV that `service` answers at `path`, as the download `name`. Raises Refusal, PartMissing."""
    services = visit.portal.services
    given = {key: value for key, value in params.items() if value}
    request = services.streams.build_request(
        "GET", services.url(service, path), params=given, headers=visit.caller.headers()
    )
    try:
        incoming = await services.streams.send(request, stream=True)
    except httpx.TransportError as error:
        raise PartMissing(503, "unavailable", service=service) from error
    if not incoming.is_success:
        await incoming.aclose()
        raise Refusal(incoming.status_code)
    return StreamingResponse(
        incoming.aiter_bytes(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
