"""The pages of the second step, on the real identity service."""

import re
import time
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from services.identity.domain.second_factor import STEP_SECONDS, Key
from services.identity.tables import member
from services.portal.protection import form_token
from tests.services.portal.test_account_pages import CLAIRE, PASSWORD, Browser, House, house, signed_in

__all__ = ["house"]


def code_of(page: str, later: int = 0) -> str:
    """The code that an app with the key on this page shows; `later`: in so many half minutes."""
    return code_for(page.split('name="app_key" value="', 1)[1].split('"', 1)[0], later)


def code_for(key: str, later: int = 0) -> str:
    """One older than now may be too old when it arrives."""
    return Key.read(key).code_at(int(time.time()) // STEP_SECONDS + later)


async def test_a_second_step_is_set_up_asked_for_and_taken_off(house: House) -> None:
    claire, elsewhere = await signed_in(house), await signed_in(house)
    shown = await claire.post("/me/second-factor", "/me/second-factor/start", password=PASSWORD)
    key = shown.text.split('name="app_key" value="', 1)[1].split('"', 1)[0]
    form = {"form": form_token(claire.http.cookies[house.portal.cookie("session")]), "app_key": key}
    wrong = await claire.http.post("/me/second-factor/confirm", data={**form, "uri": "javascript:x", "code": "12"})
    assert wrong.status_code == 422
    assert key in wrong.text
    assert "javascript:x" not in wrong.text
    used = code_for(key)
    on = await claire.http.post("/me/second-factor/confirm", data={**form, "code": used})
    codes = re.findall(r"<code>([a-z0-9-]{19})</code>", on.text)
    assert len(codes) == 10
    assert key not in on.text
    again = (await claire.http.get("/me/second-factor")).text
    assert "Il vous reste 10 codes de secours" in again
    assert not any(code in again for code in codes)
    house.forget_tokens()
    assert (await elsewhere.http.get("/me")).url.path == "/account/sign-in"

    phone = Browser(house.pages)
    asked = await phone.post("/account/sign-in?next=%2Fcircles", email=CLAIRE, password=PASSWORD)
    assert (asked.url.path, asked.url.query) == ("/account/second-step", b"next=%2Fcircles")
    assert "session" not in "".join(phone.http.cookies)
    assert (await phone.http.get("/me")).url.path == "/account/sign-in"
    refused = await phone.post("/account/second-step?next=%2Fcircles", code=used)
    assert (refused.status_code, "il a déjà servi" in refused.text) == (422, True)
    inside = await phone.post("/account/second-step?next=%2Fcircles", code=codes[0].upper())
    assert inside.url.path == "/circles"
    assert house.portal.cookie("step") not in phone.http.cookies

    me = (await phone.http.get("/me")).text
    assert me.count('autocomplete="one-time-code"') == 2
    off = await phone.post(
        "/me/second-factor", "/me/second-factor/remove", password_now=PASSWORD, code_now=code_for(key, 1)
    )
    assert "La deuxième étape est retirée." in off.text
    assert "Bonjour" in (await Browser(house.pages).post("/account/sign-in", email=CLAIRE, password=PASSWORD)).text


async def test_a_role_on_hold_leads_to_the_second_step(house: House) -> None:
    claire = await signed_in(house)
    assert "demande une deuxième étape" in (await claire.http.get("/coordination")).text
    async with house.database.transaction() as session:
        long_ago = datetime.now(UTC) - timedelta(days=15)
        await session.execute(sa.update(member).values(joined_at=long_ago))
    house.forget_tokens()
    page = await claire.http.get("/coordination/members")
    assert page.url.path == "/me/second-factor"
    assert "il est en pause" in page.text
    assert 'href="/coordination"' not in page.text


async def test_whoever_lost_the_phone_is_helped_by_a_coordinator(house: House) -> None:
    claire = await signed_in(house)
    action = "/coordination/members/invite"
    await claire.post("/coordination/members", action, email="zoe@example.org", name="Zoé", role="member")
    zoe = Browser(house.pages)
    await zoe.post(f"/account/join/{await house.mailed_token()}", name="Zoé", password=PASSWORD, locale="fr")
    shown = await zoe.post("/me/second-factor", "/me/second-factor/start", password=PASSWORD)
    form = {"form": form_token(zoe.http.cookies[house.portal.cookie("session")]), "code": code_of(shown.text)}
    assert "Vos codes de secours" in (await zoe.http.post("/me/second-factor/confirm", data=form)).text
    listed = (await claire.http.get("/coordination/members?q=Zo")).text
    path = "/coordination/members/" + listed.split('href="/coordination/members/', 1)[1].split('"', 1)[0]
    assert (await claire.post(path, f"{path}/second-factor")).status_code == 422
    done = await claire.post(path, f"{path}/second-factor", heard="yes")
    assert "La deuxième étape est retirée." in done.text
    assert f"{path}/second-factor" not in done.text
