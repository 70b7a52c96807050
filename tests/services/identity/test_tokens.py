"""Tokens for scripts: told once, within their scopes, until their end."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from services.chassis.auth import Authenticator
from services.identity.commands import tokens
from services.identity.domain.scopes import SCOPES
from services.identity.opaque import digest
from services.identity.tables import personal_token
from tests.services.identity.conftest import PASSWORD, Cooperative, Person

FORM: dict[str, Any] = {"name": "Agenda du site", "scopes": ["booking:write"], "days": 30, "password": PASSWORD}


async def made(person: Person, **changes: Any) -> dict[str, Any]:
    answer = await person.http.post("me/tokens", json=FORM | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def exchange(cooperative: Cooperative, secret: str) -> httpx.Response:
    return await cooperative.visitor.post("tokens", headers={"Authorization": f"Token {secret}"})


async def test_a_token_is_told_once_listed_and_kept_as_a_hash(cooperative: Cooperative, claire: Person) -> None:
    token = await made(claire)
    (listed,) = (await claire.http.get("me/tokens")).json()
    assert "token" not in listed
    assert {name: token[name] for name in listed} == listed
    assert listed["scopes"] == ["booking:read", "booking:write"]
    async with cooperative.db.reading() as session:
        row = (await session.execute(sa.select(personal_token))).mappings().one()
    assert row["secret_hash"] == digest(token["token"])
    assert token["token"] not in str(dict(row))


async def test_a_token_becomes_a_short_one_with_scopes_that_every_service_checks(
    cooperative: Cooperative, claire: Person
) -> None:
    answer = (await exchange(cooperative, (await made(claire, scopes=["identity:read"]))["token"])).json()
    other = Authenticator(instance=cooperative.settings.instance, identity_url="http://nowhere.invalid")
    other.know(cooperative.service.app.state.signer.public_key)
    actor = await other.actor(answer["token"])
    assert (actor.scopes, actor.role) == (frozenset({"identity:read"}), "member")
    script = {"Authorization": f"Bearer {answer['token']}"}
    assert (await cooperative.visitor.get("me", headers=script)).status_code == 200
    for method, path, form in (
        ("PATCH", "me", {"name": "Clara"}), ("POST", "me/tokens", FORM), ("POST", "invitations", {"email": "a@b.org"}),
        ("PUT", "cooperative", {}), ("POST", "me/password", {"current": PASSWORD, "new": "x" * 20}),
    ):  # fmt: skip
        refused = await cooperative.visitor.request(method, path, json=form, headers=script)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:maillage:problem:missing-scope")
    assert (await cooperative.visitor.get("invitations", headers=script)).status_code == 403


async def test_a_script_is_a_simple_member_unless_it_may_coordinate(cooperative: Cooperative, claire: Person) -> None:
    await cooperative.join(claire, "Zoé")

    async def addresses(*scopes: str) -> int:
        answer = await exchange(cooperative, (await made(claire, scopes=list(scopes)))["token"])
        script = {"Authorization": f"Bearer {answer.json()['token']}"}
        page = (await cooperative.visitor.get("members", headers=script)).json()
        return sum(one["email"] is not None for one in page["items"])

    assert await addresses("identity:read") == 1
    assert await addresses("identity:read", "coordination") == 2


@pytest.mark.parametrize("how", ["revoked", "ended", "password", "left", "unknown", "session"])
async def test_a_token_that_is_over_opens_nothing(cooperative: Cooperative, claire: Person, how: str) -> None:
    zoe = await cooperative.join(claire, "Zoé")
    token = await made(zoe)
    secret = token["token"]
    assert (await exchange(cooperative, secret)).status_code == 200
    if how == "revoked":
        assert (await claire.http.delete(f"me/tokens/{token['id']}")).status_code == 404
        assert (await zoe.http.delete(f"me/tokens/{token['id']}")).status_code == 204
    elif how == "ended":
        cooperative.ahead += timedelta(days=30)
    elif how == "password":
        form = {"current": PASSWORD, "new": "cinq loutres sur la glace"}
        assert (await zoe.http.post("me/password", json=form)).status_code == 200
    elif how == "left":
        await claire.http.post(f"members/{zoe.id}/leave")
    elif how == "unknown":
        secret = "maillage_" + "x" * 43
    else:
        secret = zoe.session
    assert (await exchange(cooperative, secret)).status_code == 401


async def test_the_password_is_asked_again_and_nonsense_is_refused(claire: Person) -> None:
    for change in ({"password": "guess"}, {"scopes": []}, {"scopes": ["identity:write"]}, {"days": 0}, {"days": 400}):
        assert (await claire.http.post("me/tokens", json=FORM | change)).status_code == 422
    assert (await claire.http.delete(f"me/tokens/{uuid4()}")).status_code == 404
    assert "identity:write" not in SCOPES


async def test_there_are_not_too_many(claire: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST", 1)
    await made(claire)
    refused = await claire.http.post("me/tokens", json=FORM)
    assert (refused.status_code, refused.json()["most"]) == (409, 1)
