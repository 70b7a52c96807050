"""The portal: pages for people, made of what the services answer. No database, no broker."""

import asyncio
import ipaddress

import httpx
from fastapi import Request
from fastapi.responses import Response
from starlette.middleware.base import RequestResponseEndpoint

from services.chassis import names
from services.chassis.http import Check, answer, create_app
from services.chassis.problems import NotFound
from services.chassis.process import Service
from services.chassis.protection import Protected
from services.chassis.settings import load
from services.portal.assets import Assets
from services.portal.client import Services
from services.portal.gateway import add_gateway
from services.portal.looks import Looks
from services.portal.pages import errors, routers
from services.portal.place import Portal
from services.portal.protection import HEADERS
from services.portal.session import Sessions
from services.portal.settings import PortalSettings

_READY_SECONDS = 3


def build(settings: PortalSettings | None = None, *, transport: httpx.AsyncBaseTransport | None = None) -> Service:
    """The portal put together. `transport` replaces the network between pages and services (tests)."""
    settings = settings or load(PortalSettings)
    services = Services(settings, answer_seconds=settings.answer_seconds, transport=transport)
    assets = Assets()
    portal = Portal(
        settings=settings,
        services=services,
        sessions=Sessions(services),
        assets=assets,
        looks=Looks(assets, zone=settings.time_zone),
    )
    app = create_app("portal", checks={name: _is_ready(services, name) for name in names.SERVICES}, title="Maillage")
    app.router.redirect_slashes = False  # an address with a slash too many is another address, also at the gateway
    app.state.portal = portal
    app.middleware("http")(_metrics_stay_inside)
    app.add_middleware(Protected, public_url=settings.public_url, headers=HEADERS)
    errors.add_to(app)
    assets.add_to(app)
    for router in routers():
        app.include_router(router, include_in_schema=False)
    add_gateway(app)
    return Service(name="portal", app=app, paths=("",), on_close=[services.close])


def _is_ready(services: Services, name: str) -> Check:
    async def check() -> str | None:
        try:
            async with asyncio.timeout(_READY_SECONDS):
                answered = await services.http.get(services.url(name, "/health/ready"))
        except (httpx.HTTPError, TimeoutError):
            return "does not answer"
        return None if answered.is_success else "not ready"

    return check


async def _metrics_stay_inside(request: Request, call_next: RequestResponseEndpoint) -> Response:
    if request.url.path == "/api/portal/metrics" and not _is_from_this_machine(request):
        return answer(request, NotFound())
    return await call_next(request)


def _is_from_this_machine(request: Request) -> bool:
    if request.client is None or "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
