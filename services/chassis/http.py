"""The HTTP face that every service has: problems, traces, health, metrics, OpenAPI under `/api/<service>`."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis import audit, logs, tracing
from services.chassis.database import sqlstate
from services.chassis.field_texts import field_error
from services.chassis.problems import (
    Accident,
    InvalidFields,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Problem,
    TooLarge,
    Unavailable,
    UnusableValue,
    language_of,
)

log = logs.get(__name__)

REQUESTS = Counter("maillage_http_requests_total", "Requests answered", ["service", "method", "status"])
SECONDS = Histogram("maillage_http_request_seconds", "Time to answer", ["service"])
LARGEST_BODY = 8 * 1024 * 1024

_REFUSALS = {401, 403, 429}
_DATA_EXCEPTION = "22"
"""SQLSTATE class: PostgreSQL cannot hold a value (a NUL character, a number out of range)."""

Check = Callable[[], Awaitable[str | None]]
"""Returns None when all is well, else one line that says what is wrong."""


def create_app(service: str, *, checks: dict[str, Check] | None = None, title: str | None = None) -> FastAPI:
    """A FastAPI application whose routes live under `/api/<service>` (add routers with that prefix).

    `checks`: what readiness asks, by name ("database", "broker", "migrations").
    """
    base = f"/api/{service}"
    app = FastAPI(
        title=title or f"Maillage {service}", openapi_url=f"{base}/openapi.json", docs_url=None, redoc_url=None
    )
    app.state.service = service
    app.add_middleware(Traced, service=service)
    _add_problem_handlers(app)
    _add_health(app, base, checks or {})
    return app


def _add_health(app: FastAPI, base: str, checks: dict[str, Check]) -> None:
    async def live() -> dict[str, str]:
        return {"status": "live"}

    async def ready() -> Response:
        wrong = {name: problem for name, check in checks.items() if (problem := await _outcome(check)) is not None}
        status = "ready" if not wrong else "not ready"
        return JSONResponse({"status": status, "wrong": wrong}, 200 if not wrong else 503)

    async def metrics() -> Response:
        return PlainTextResponse(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    app.add_api_route(f"{base}/health/live", live, include_in_schema=False)
    app.add_api_route(f"{base}/health/ready", ready, include_in_schema=False, response_model=None)
    app.add_api_route(f"{base}/metrics", metrics, include_in_schema=False, response_model=None)


async def _outcome(check: Check) -> str | None:
    try:
        return await check()
    except Exception as error:  # noqa: BLE001 - whatever a check raises is the answer
        return logs.line_of(error)


def _add_problem_handlers(app: FastAPI) -> None:
    async def on_problem(request: Request, error: Exception) -> Response:
        problem = error if isinstance(error, Problem) else Unavailable()
        _note_refusal(request, problem)
        return answer(request, problem)

    async def on_invalid(request: Request, error: Exception) -> Response:
        details: list[dict[str, Any]] = list(error.errors()) if isinstance(error, RequestValidationError) else []
        return answer(request, InvalidFields(*(field_error(detail) for detail in details)))

    async def on_http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        known = {401: NotSignedIn, 403: NotAllowed, 404: NotFound, 413: TooLarge}.get(status)
        if known is not None:
            return answer(request, known())
        problem = Problem()
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        return answer(request, problem, status=status, headers=headers)

    async def on_database(request: Request, error: Exception) -> Response:
        if isinstance(error, DBAPIError) and (sqlstate(error) or "").startswith(_DATA_EXCEPTION):
            return answer(request, UnusableValue())
        log.error("database-failed", error=logs.line_of(error))
        return answer(request, Unavailable())

    async def on_accident(request: Request, error: Exception) -> Response:
        log.error("request-failed", path=request.url.path, error=repr(error), exc_info=error)
        return answer(request, Accident())

    app.add_exception_handler(Exception, on_accident)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    for kind in (OperationalError, InterfaceError, PoolTimeoutError, OSError, DBAPIError):
        app.add_exception_handler(kind, on_database)


def _note_refusal(request: Request, problem: Problem) -> None:
    """Log who was refused what: not the address, which may hold a secret, but the route.

    Of things that are not there, only where somebody signed in has named one: it may be another's.
    """
    by = getattr(request.state, "actor_id", None)
    named = problem.status == NotFound.status and by is not None and request.path_params
    if problem.status in _REFUSALS or named:
        route = getattr(request.scope.get("route"), "path", None)
        what = f"{request.app.state.service} {request.method} {route}"
        log.info("refused", what=what, problem=problem.slug, by=str(by) if by else None)


def answer(
    request: Request, problem: Problem, *, status: int | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """`problem` as application/problem+json in the language that the request asks for."""
    body = problem.body(language_of(request.headers.get("accept-language")), request.url.path)
    body["correlation_id"] = tracing.correlation_id()
    if status is not None:
        body["status"] = status
    if "retry_after_seconds" in problem.values:
        headers = {**(headers or {}), "retry-after": str(problem.values["retry_after_seconds"])}
    return JSONResponse(body, body["status"], headers=headers, media_type="application/problem+json")


class Traced:
    """ASGI middleware: continues the caller's trace, counts and times, refuses bodies over 8 MiB.

    What nobody caught is answered by the application's handler for `Exception`, inside all other middleware: with
    the headers that every answer has.
    """

    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        tracing.begin(headers.get(b"traceparent", b"").decode("latin-1") or None)
        began = time.perf_counter()
        status: int | None = None

        async def send_traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                trace = (tracing.correlation_id() or "").encode()
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], (b"x-correlation-id", trace)]
            await send(message)

        try:
            length = headers.get(b"content-length", b"0")
            announced = int(length) if length.isdigit() else 0
            await self.app(scope, _bounded(receive, announced), send_traced)
        except Exception as error:
            if status is not None:
                raise
            handle = scope["app"].exception_handlers[Exception]
            await (await handle(Request(scope), error))(scope, receive, send_traced)
        finally:
            audit.end()
            REQUESTS.labels(self.service, scope["method"], str(status or 500)).inc()
            SECONDS.labels(self.service).observe(time.perf_counter() - began)


def _bounded(receive: Receive, announced: int) -> Receive:
    """`receive` for a body that ends at 8 MiB with a 413, at once when more was `announced` (bytes; 0: nothing was)."""
    size = 0

    async def receive_bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_BODY or (announced > LARGEST_BODY and message["type"] == "http.request"):
            raise HTTPException(413)
        return message

    return receive_bounded
