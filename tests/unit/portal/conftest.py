"""A browser without scripts at the portal, with services that are pretended."""

from collections.abc import AsyncIterator, Callable
from html import unescape
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from services.portal.app import build
from services.portal.place import Portal
from services.portal.session import Sessions
from services.portal.settings import PortalSettings
from tests.unit.portal.pretend import Pretend

Browse = Callable[..., httpx.AsyncClient]
SESSION = "maillage_opteos_session"


class Switch(httpx.AsyncBaseTransport):
    """Hands every call to the pretended services of the test that runs."""

    pretend = Pretend()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.pretend.answer(request)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content))


def _build(switch: Switch, **settings: object) -> FastAPI:
    given = {"instance": "opteos", "secrets_dir": Path(), "public_url": "http://portal.test", **settings}
    return build(PortalSettings.model_validate(given), transport=switch).app


@pytest.fixture(scope="session")
def usual() -> tuple[FastAPI, Switch]:
    """The portal with its usual settings, made once: reading all templates takes longer than a test."""
    switch = Switch()
    return _build(switch), switch


@pytest.fixture
async def browse(usual: tuple[FastAPI, Switch]) -> AsyncIterator[Browse]:
    """`browse(pretend, signed_in=True)`: a client that keeps cookies and does not follow redirects."""
    opened: list[httpx.AsyncClient] = []

    def make(pretend: Pretend, *, signed_in: bool = True, **settings: object) -> httpx.AsyncClient:
        switch = Switch() if settings else usual[1]
        app = _build(switch, **settings) if settings else usual[0]
        switch.pretend = pretend
        portal: Portal = app.state.portal
        portal.sessions = Sessions(portal.services)
        portal.forget_cooperative()
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://portal.test")
        if signed_in:
            client.cookies.set(SESSION, "opaque", domain="portal.test")
        opened.append(client)
        return client

    yield make
    for client in opened:
        await client.aclose()


def fill(page: httpx.Response, action: str = "", **typed: object) -> dict[str, object]:
    """The hidden fields of the page's form that posts to `action` (else: to its own address), and what is typed."""
    mark = f'action="{action}"' if action else '<form method="post" class='
    form = page.text.split(mark, 1)[1].split("</form>", 1)[0]
    hidden = {
        part.split('name="', 1)[1].split('"', 1)[0]: unescape(part.split('value="', 1)[1].split('"', 1)[0])
        for part in form.split("<input ")
        if part.startswith('type="hidden"')
    }
    return {**hidden, **typed}
