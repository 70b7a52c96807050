"""One public door: `/api/<service>/…` and `/federation/…` go on to the services when these run in other processes."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from services.chassis import names, tracing
from services.chassis.http import answer
from services.chassis.problems import NotFound, Unavailable
from services.portal.place import Portal, client_address

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_PASSED = "x-maillage-gateway"
_HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
    ]
)
_NOT_FROM_OUTSIDE = frozenset({*_HOP_BY_HOP, "x-client-address", "forwarded", "x-forwarded-for", "cookie", _PASSED})
_NOT_BACK = frozenset({*_HOP_BY_HOP, "set-cookie", "date", "server", "x-correlation-id"})
_INTERNAL = ("metrics", "health")


def add_gateway(app: FastAPI) -> None:
    """Forward what is not ours. In a process that runs everything these routes are never reached."""

    async def to_service(request: Request) -> Response:
        service, path = request.path_params["service"], request.path_params["path"]
        if service not in names.SERVICES or path.split("/")[0] in _INTERNAL or ".." in path.split("/"):
            return answer(request, NotFound())
        return await _forward(request, service)

    async def to_federation(request: Request) -> Response:
        if ".." in request.path_params["path"].split("/"):
            return answer(request, NotFound())
        return await _forward(request, "federation")

    app.add_api_route(
        "/api/{service}/{path:path}", to_service, methods=METHODS, include_in_schema=False, response_model=None
    )
    app.add_api_route(
        "/federation/{path:path}", to_federation, methods=METHODS, include_in_schema=False, response_model=None
    )


async def _forward(request: Request, service: str) -> Response:
    portal: Portal = request.app.state.portal
    if _PASSED in request.headers:
        return answer(request, Unavailable())
    base = urlsplit(portal.settings.url_of(service))
    target = httpx.URL(f"{base.scheme}://{base.netloc}", raw_path=_raw_target(request))
    outgoing = portal.services.streams.build_request(
        request.method,
        target,
        headers=_headers_for(request, portal.settings.trusted_proxies),
        content=request.stream() if _has_body(request) else None,
    )
    try:
        incoming = await portal.services.streams.send(outgoing, stream=True)
    except httpx.TransportError:
        return answer(request, Unavailable())
    headers = [(name, value) for name, value in incoming.headers.multi_items() if name.lower() not in _NOT_BACK]
    response = StreamingResponse(_body(incoming), incoming.status_code)
    response.raw_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return response


def _raw_target(request: Request) -> bytes:
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope.get("query_string", b"")
    return raw.split(b"?")[0] + (b"?" + query if query else b"")


def _headers_for(request: Request, trusted_proxies: int) -> list[tuple[str, str]]:
    named = {name.strip().lower() for name in request.headers.get("connection", "").split(",")}
    kept = [
        (name, value) for name, value in request.headers.items() if name not in _NOT_FROM_OUTSIDE and name not in named
    ]
    traceparent = tracing.current()
    if traceparent is not None:
        kept = [(name, value) for name, value in kept if name != "traceparent"] + [("traceparent", traceparent)]
    return [*kept, ("x-client-address", client_address(request, trusted_proxies)), (_PASSED, "1")]


def _has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


async def _body(incoming: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in incoming.aiter_raw():
            yield piece
    finally:
        await incoming.aclose()
