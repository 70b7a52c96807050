"""Limits on guessing hold for all replicas together, count by the browser's address, and say how long to wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest

from services.identity import limits
from services.identity.app import build
from services.portal.app import build as build_portal
from services.portal.protection import form_token
from services.portal.settings import PortalSettings
from tests.instances import Instance
from tests.services.identity.conftest import ADMINISTRATOR, PASSWORD, Cooperative, cooperative, instance

__all__ = ["cooperative", "instance"]  # fixtures
PORTAL, PROXY = "172.18.0.7", "172.18.0.1"


class Replicas(httpx.AsyncBaseTransport):
    """The network of `compose.yaml`: the portal calls one replica of identity after the other from its own address."""

    def __init__(self, *applications: httpx.ASGITransport) -> None:
        self._applications = applications
        self._next = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.startswith("/api/identity/"):
            raise httpx.ConnectError("away", request=request)
        self._next += 1
        return await self._applications[self._next % len(self._applications)].handle_async_request(request)


@dataclass
class Layout:
    """Browsers reach a proxy, it the portal, the portal two replicas of identity over one database."""

    proxy: httpx.AsyncClient

    async def sign_in(self, password: str, *, email: str = ADMINISTRATOR, address: str = "9.9.9.9") -> httpx.Response:
        """From the browser at `address`; what it claims itself stands first, as proxies add at the end."""
        self.proxy.cookies.clear()
        headers = {"x-forwarded-for": f"6.6.6.6, {address}", "x-client-address": "6.6.6.6"}
        await self.proxy.get("/account/sign-in", headers=headers)
        form = {"form": form_token(next(iter(self.proxy.cookies.values()))), "email": email, "password": password}
        return await self.proxy.post("/account/sign-in", data=form, headers=headers)


@pytest.fixture
async def layout(cooperative: Cooperative, instance: Instance) -> AsyncIterator[Layout]:
    inside = cooperative.settings.model_copy(update={"trusted_networks": ("172.16.0.0/12",)})
    replicas = [build(inside) for _ in range(2)]
    transports = [httpx.ASGITransport(app=one.app, client=(PORTAL, 1)) for one in replicas]
    settings = PortalSettings(
        instance=instance.name, secrets_dir=instance.secrets_dir, public_url="http://portal.test", trusted_proxies=1
    )
    portal = build_portal(settings, transport=Replicas(*transports))
    async with AsyncExitStack() as stack:
        outside = httpx.ASGITransport(app=portal.app, client=(PROXY, 1))
        yield Layout(
            await stack.enter_async_context(httpx.AsyncClient(transport=outside, base_url="http://portal.test"))
        )
    for one in replicas:
        assert one.database is not None
        await one.database.close()


async def test_guesses_at_one_account_are_counted_over_all_replicas(layout: Layout) -> None:
    most = limits.PASSWORD_PER_ACCOUNT.most
    statuses = [(await layout.sign_in("wrong", address=f"9.9.9.{number}")).status_code for number in range(most)]
    assert statuses == [401] * most
    refused = await layout.sign_in(PASSWORD, address="9.9.9.99")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 901
    assert "Trop d&#39;essais" in refused.text
    assert 'role="alert"' in refused.text


async def test_one_address_cannot_try_many_accounts_and_others_are_not_hindered(
    layout: Layout, cooperative: Cooperative
) -> None:
    async with cooperative.db.transaction() as session:
        for _ in range(limits.PASSWORD_PER_ADDRESS.most):
            await limits.count_try(session, limits.PASSWORD_PER_ADDRESS, "9.9.9.9", now=cooperative.now)
    assert (await layout.sign_in(PASSWORD)).status_code == 429
    assert (await layout.sign_in(PASSWORD, address="8.8.8.8")).status_code == 303


async def test_a_browser_is_not_believed_about_its_address(layout: Layout, cooperative: Cooperative) -> None:
    """The limit of the claimed address is reached; that of the real one counts."""
    async with cooperative.db.transaction() as session:
        for _ in range(limits.PASSWORD_PER_ADDRESS.most):
            await limits.count_try(session, limits.PASSWORD_PER_ADDRESS, "6.6.6.6", now=cooperative.now)
    assert (await layout.sign_in(PASSWORD)).status_code == 303


async def test_invitations_are_limited_too(cooperative: Cooperative, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INVITATIONS_PER_MEMBER", limits.Limit(what="x", most=2, within=limits.LONGEST_WINDOW))
    claire = await cooperative.sign_in(ADMINISTRATOR)
    answers = [await claire.http.post("invitations", json={"email": f"n{n}@opteos.example"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[-1].json()["type"] == "urn:maillage:problem:identity/too-often"
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_a_thousand_guesses_at_once_are_still_ten(cooperative: Cooperative) -> None:
    async def guess(number: int) -> bool:
        try:
            await cooperative.db.run(limits.count_try, limits.PASSWORD_PER_ACCOUNT, "a@b.example", now=cooperative.now)
        except limits.TooManyTries:
            return False
        return number >= 0

    outcomes = await asyncio.gather(*(guess(number) for number in range(60)))
    assert sum(outcomes) == limits.PASSWORD_PER_ACCOUNT.most


async def test_nobody_shuts_the_owner_out_where_they_are_signed_in(cooperative: Cooperative) -> None:
    """Ten wrong passwords from anywhere close an account for a quarter of an hour, but not where its owner is."""

    async def tried(password: str, network: str) -> int:
        credentials = {"email": ADMINISTRATOR, "password": password}
        headers = {"x-client-address": network}
        return (await cooperative.visitor.post("sessions", json=credentials, headers=headers)).status_code

    assert await tried(PASSWORD, "9.9.9.9") == 201
    most = limits.PASSWORD_PER_ACCOUNT.most
    assert [await tried("wrong", f"6.6.6.{number}") for number in range(most)] == [401] * most
    assert await tried(PASSWORD, "6.6.6.6") == 429
    assert await tried(PASSWORD, "9.9.9.9") == 201
    assert [await tried("wrong", "9.9.9.9") for _ in range(most + 1)] == [401] * most + [429]
