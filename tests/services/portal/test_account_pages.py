"""The account pages over the real identity service and its database."""

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from contracts.identity import MemberInvited
from services import provision
from services.chassis.database import Database
from services.identity.administrator import Wanted, establish
from services.identity.app import build as build_identity
from services.identity.domain.addresses import email_address
from services.identity.domain.cooperative import Profile
from services.identity.settings import IdentitySettings
from services.identity.tables import outbox
from services.portal.app import build as build_portal
from services.portal.place import Portal
from services.portal.protection import form_token
from services.portal.session import Sessions
from services.portal.settings import PortalSettings
from tests.instances import Instance, plan, provision_quickly
from tests.servers import Servers

CLAIRE, PASSWORD = "claire@opteos.example", "trois girafes sous la pluie"
PROFILE = Profile(
    name="Optéos", summary="Une coopérative.", locale="fr", time_zone="Europe/Paris",
    place_label="Lille", latitude=50.63, longitude=3.06, contact_email=None,
)  # fmt: skip


class OnlyIdentity(httpx.AsyncBaseTransport):
    """identity answers; the other services are away."""

    def __init__(self, app: httpx.ASGITransport) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.startswith("/api/identity/"):
            raise httpx.ConnectError("away", request=request)
        return await self._app.handle_async_request(request)


class Browser:
    """A person with a browser without scripts."""

    def __init__(self, app: httpx.ASGITransport) -> None:
        self.http = httpx.AsyncClient(transport=app, base_url="http://portal.test", follow_redirects=True)

    async def post(self, path: str, action: str = "", **typed: str) -> httpx.Response:
        """Open the page at `path` and send the form that posts to `action` (or to the page itself)."""
        html = (await self.http.get(path)).text
        form = html.split(f'action="{action}"' if action else '<form method="post" class="', 1)[1].split("</form>", 1)[
            0
        ]
        hidden = [part for part in form.split("<input ") if part.startswith('type="hidden"')]
        values = {
            one.split('name="')[1].split('"')[0]: unescape(one.split('value="')[1].split('"')[0]) for one in hidden
        }
        return await self.http.post(action or path, data={**values, **typed})


@dataclass
class House:
    """A cooperative of one administrator, with pages."""

    pages: httpx.ASGITransport
    database: Database
    portal: Portal

    def forget_tokens(self) -> None:
        """As if a minute had passed."""
        self.portal.sessions = Sessions(self.portal.services)

    async def mailed_token(self) -> str:
        """The secret in the link of the last invitation."""
        async with self.database.reading() as session:
            query = sa.select(outbox.c.data).where(outbox.c.type == MemberInvited.type).order_by(outbox.c.id.desc())
            data = (await session.execute(query.limit(1))).scalar_one()
        return MemberInvited.model_validate(json.loads(data)).link.rpartition("/")[2]


@pytest.fixture
async def house(servers: Servers, tmp_path: Path) -> AsyncIterator[House]:
    name = f"t{secrets.token_hex(5)}"
    wanted = plan(servers, name, tmp_path / "secrets", subscriptions={"identity": []})
    await provision_quickly(wanted, servers)
    instance = Instance(name=name, secrets_dir=wanted.secrets_dir, servers=servers)
    settings = instance.settings(IdentitySettings, public_url="http://portal.test")
    identity = build_identity(settings)
    instance.trust_tokens(identity)
    assert identity.database is not None
    hashed = await identity.app.state.password_hashes.of(PASSWORD)
    first = Wanted(profile=PROFILE, address=email_address(CLAIRE), name="Claire", password=PASSWORD)
    async with identity.database.transaction() as session:
        await establish(session, first, hashed, public_url=settings.public_url, now=datetime.now(UTC))
    own = PortalSettings(instance=name, secrets_dir=wanted.secrets_dir, public_url="http://portal.test")
    pages = build_portal(own, transport=OnlyIdentity(httpx.ASGITransport(app=identity.app)))
    yield House(httpx.ASGITransport(app=pages.app), identity.database, pages.app.state.portal)
    await identity.database.close()
    await provision.remove(wanted)


async def signed_in(house: House) -> Browser:
    claire = Browser(house.pages)
    home = await claire.post("/account/sign-in", email=CLAIRE, password=PASSWORD)
    assert "Bonjour" in home.text
    return claire


async def test_the_home_page_says_which_parts_are_missing(house: House) -> None:
    home = (await (await signed_in(house)).http.get("/")).text
    for part in ("le catalogue", "les réservations", "les messages"):
        assert part in home
    assert "Claire" in home


async def test_a_wrong_password_is_said_in_french_and_in_dutch(house: House) -> None:
    visitor = Browser(house.pages)
    for language in ("fr", "nl"):
        visitor.http.headers["accept-language"] = language
        answer = await visitor.post("/account/sign-in", email=CLAIRE, password="guess")
        assert answer.status_code == 401
        assert f'lang="{language}"' in answer.text
        assert 'role="alert"' in answer.text


async def test_somebody_is_invited_and_joins_by_the_mailed_link(house: House) -> None:
    claire = await signed_in(house)
    action = "/coordination/members/invite"
    listed = await claire.post("/coordination/members", action, email="zoe@example.org", name="Zoé", role="member")
    assert "zoe@example.org" in listed.text
    zoe = Browser(house.pages)
    path = f"/account/join/{await house.mailed_token()}"
    refused = await zoe.post(path, name="Zoé Martin", password="court", locale="nl")
    assert refused.status_code == 422
    assert 'id="e-password"' in refused.text
    assert 'value="Zoé Martin"' in refused.text
    home = await zoe.post(path, name="Zoé Martin", password="quatre hérissons au soleil", locale="nl")
    assert "Welkom!" in home.text
    assert (await zoe.http.get("/coordination")).status_code == 403
    assert (await zoe.http.get(path)).status_code == 410
    assert "Zoé Martin" in (await claire.http.get("/coordination/members")).text


async def test_a_changed_password_keeps_this_browser_in_and_puts_others_out(house: House) -> None:
    here, elsewhere = await signed_in(house), await signed_in(house)
    new = "cinq loutres sur la glace"
    changed = await here.post("/me", "/me/password", current=PASSWORD, new=new)
    assert "Votre mot de passe est changé" in changed.text
    assert (await here.http.get("/me")).url.path == "/me"
    house.forget_tokens()
    assert (await elsewhere.http.get("/me")).url.path == "/account/sign-in"


async def test_signing_out_ends_it(house: House) -> None:
    claire = await signed_in(house)
    answer = await claire.post("/", "/account/sign-out")
    assert answer.url.path == "/"
    assert (await claire.http.get("/me")).url.path == "/account/sign-in"


async def test_a_circle_is_made_and_closed(house: House) -> None:
    claire = await signed_in(house)
    made = await claire.post("/circles", "/circles", name="Couture", purpose="Coudre ensemble.")
    assert "Coudre ensemble." in made.text
    closed = await claire.post(f"{made.url.path}/close")
    assert "Le cercle est fermé." in closed.text


async def test_signing_in_again_ends_the_session_that_was(house: House) -> None:
    claire = await signed_in(house)
    before = dict(claire.http.cookies)
    elsewhere = Browser(house.pages)
    elsewhere.http.cookies.update(before)
    page = (await Browser(house.pages).http.get("/account/sign-in")).text
    assert "Se connecter" in page
    form = {"form": form_token(before[house.portal.cookie("session")]), "email": CLAIRE, "password": PASSWORD}
    await claire.http.post("/account/sign-in", data=form)
    assert claire.http.cookies[house.portal.cookie("session")] != before[house.portal.cookie("session")]
    house.forget_tokens()
    assert (await elsewhere.http.get("/me")).url.path == "/account/sign-in"


async def test_other_devices_are_seen_and_signed_out(house: House) -> None:
    here, there = await signed_in(house), Browser(house.pages)
    there.http.headers["user-agent"] = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
    await there.post("/account/sign-in", email=CLAIRE, password=PASSWORD)
    page = (await here.http.get("/me/access")).text
    assert "Connecté·e à 2 endroits" in page
    assert "Firefox, Android" in page
    assert "cet appareil" in page
    action = page.split('action="/me/access/sessions/', 1)[1].split('"', 1)[0]
    done = await here.post("/me/access", f"/me/access/sessions/{action}")
    assert "Connecté·e à 1 endroit<" in done.text
    house.forget_tokens()
    assert (await there.http.get("/me")).url.path == "/account/sign-in"


async def test_a_token_is_made_shown_once_and_deleted(house: House) -> None:
    claire = await signed_in(house)
    typed = {"name": "Agenda du site", "scopes": "catalog:read", "days": "30"}
    refused = await claire.post("/me/access", "/me/access/tokens", **typed, password="guess")
    assert refused.status_code == 422
    assert 'value="Agenda du site"' in refused.text
    made = await claire.post("/me/access", "/me/access/tokens", **typed, password=PASSWORD)
    assert "maillage_" in made.text
    again = (await claire.http.get("/me/access")).text
    assert "maillage_" not in again.replace("maillage_t", "")
    assert "Agenda du site" in again
    action = again.split('action="/me/access/tokens/', 1)[1].split('"', 1)[0]
    gone = await claire.post("/me/access", f"/me/access/tokens/{action}")
    assert "Le jeton est supprimé." in gone.text
    assert "Agenda du site" not in gone.text
