"""Signing in and out."""

import asyncio
import hashlib
import statistics
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.chassis.auth import Authenticator
from services.identity import limits
from services.identity.commands import sessions
from services.identity.housekeeping import clean
from services.identity.tables import mailed_link, member, signed_in, tried
from tests.services.identity.conftest import ADMINISTRATOR, PASSWORD, Cooperative, Person


async def test_token_is_accepted_by_a_service_that_read_the_key_set(cooperative: Cooperative, claire: Person) -> None:
    answer = await cooperative.visitor.post("tokens", headers={"Authorization": f"Session {claire.session}"})
    keys = (await cooperative.visitor.get("keys")).json()["keys"]
    assert [set(key) for key in keys] == [{"kty", "crv", "x", "kid", "use", "alg"}]
    other = Authenticator(instance=cooperative.settings.instance, identity_url="http://nowhere.invalid")
    other.know(type(cooperative.service.app.state.signer.public_key).import_key(keys[0]))
    actor = await other.actor(answer.json()["token"])
    assert (str(actor.id), actor.name, actor.role, actor.locale) == (
        claire.id,
        "Claire Delattre",
        "administrator",
        "fr",
    )
    assert answer.json()["member"]["email"] == ADMINISTRATOR


async def test_address_is_compared_without_case(cooperative: Cooperative) -> None:
    await cooperative.sign_in(" Claire@OPTEOS.example ")


@pytest.mark.parametrize("email", [ADMINISTRATOR, "nobody@opteos.example", "", "not an address", "a" * 300])
async def test_wrong_password_and_unknown_address_get_the_same_answer(cooperative: Cooperative, email: str) -> None:
    answer = await cooperative.visitor.post("sessions", json={"email": email, "password": "wrong"})
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:maillage:problem:identity/wrong-credentials"
    assert set(answer.json()) == {"type", "title", "status", "detail", "instance", "correlation_id"}


async def test_unknown_address_takes_as_long_as_a_wrong_password(cooperative: Cooperative) -> None:
    seconds: dict[str, list[float]] = {ADMINISTRATOR: [], "nobody@opteos.example": []}
    for _ in range(8):
        for email, taken in seconds.items():
            began = time.perf_counter()
            await cooperative.visitor.post("sessions", json={"email": email, "password": "wrong"})
            taken.append(time.perf_counter() - began)
    known, unknown = (statistics.median(taken) for taken in seconds.values())
    # Without the hash made for nobody the unknown address answers about five times as fast.
    assert 0.5 < unknown / known < 2


async def test_guessing_is_stopped_and_the_wait_is_told(cooperative: Cooperative) -> None:
    wrong = {"email": ADMINISTRATOR, "password": "wrong"}
    guesses = [cooperative.visitor.post("sessions", json=wrong) for _ in range(limits.PASSWORD_PER_ACCOUNT.most + 4)]
    statuses = [answer.status_code for answer in await asyncio.gather(*guesses)]
    assert sorted(statuses) == [401] * limits.PASSWORD_PER_ACCOUNT.most + [429] * 4
    right = {"email": ADMINISTRATOR, "password": PASSWORD}
    refused = await cooperative.visitor.post("sessions", json=right)
    assert refused.status_code == 429
    assert 0 < refused.json()["retry_after_seconds"] <= 901
    assert refused.headers["retry-after"] == str(refused.json()["retry_after_seconds"])
    cooperative.ahead = timedelta(minutes=16)
    assert (await cooperative.visitor.post("sessions", json=right)).status_code == 201


async def test_right_password_takes_back_the_wrong_ones(cooperative: Cooperative) -> None:
    for _ in range(2):
        for _ in range(limits.PASSWORD_PER_ACCOUNT.most - 1):
            await cooperative.visitor.post("sessions", json={"email": ADMINISTRATOR, "password": "wrong"})
        await cooperative.sign_in(ADMINISTRATOR)


async def test_one_network_cannot_try_many_accounts(cooperative: Cooperative) -> None:
    async with cooperative.db.transaction() as session:
        for number in range(limits.PASSWORD_PER_ADDRESS.most):
            key = limits.network_of(f"2001:db8::{number:x}")
            await limits.count_try(session, limits.PASSWORD_PER_ADDRESS, key, now=cooperative.now)
    form = {"email": ADMINISTRATOR, "password": PASSWORD}
    from_there = {"X-Client-Address": "2001:db8::ffff"}
    assert (await cooperative.visitor.post("sessions", json=form, headers=from_there)).status_code == 429
    assert (await cooperative.visitor.post("sessions", json=form)).status_code == 201


@pytest.mark.parametrize(("who", "lasting"), [("zoe", sessions.MEMBERS), ("claire", sessions.WITH_A_ROLE)])
async def test_a_session_ends_when_it_is_not_used_and_in_any_case_some_day(
    cooperative: Cooperative, claire: Person, who: str, lasting: sessions.Lasting
) -> None:
    person = claire if who == "claire" else await cooperative.join(claire, "Zoé")
    nearly = lasting.idle - timedelta(hours=1)

    async def goes_on(session: str) -> bool:
        header = {"Authorization": f"Session {session}"}
        answer = await cooperative.visitor.post("tokens", headers=header)
        assert answer.status_code == 200 or answer.json()["type"] == "urn:maillage:problem:identity/session-ended"
        return answer.status_code == 200

    whole = timedelta()
    while whole + nearly < lasting.whole:
        cooperative.ahead += nearly
        whole += nearly
        assert await goes_on(person.session)
    cooperative.ahead += nearly
    assert not await goes_on(person.session)
    again = await cooperative.sign_in(person.email)
    cooperative.ahead += lasting.idle
    assert not await goes_on(again.session)


async def test_own_sessions_are_listed_and_ended(cooperative: Cooperative, claire: Person) -> None:
    zoe = await cooperative.join(claire, "Zoé")
    form = {"email": claire.email, "password": PASSWORD, "device": "Firefox, Linux"}
    other = (await cooperative.visitor.post("sessions", json=form)).json()["session"]
    third = await cooperative.sign_in(ADMINISTRATOR)

    async def at(method: str, path: str, secret: str) -> Any:
        answer = await cooperative.visitor.request(method, path, headers={"Authorization": f"Session {secret}"})
        return answer.status_code if answer.status_code >= 400 or not answer.content else answer.json()

    listed = await at("GET", "sessions", other)
    assert sorted((one["device"], one["current"]) for one in listed) == [
        ("", False),
        ("", False),
        ("Firefox, Linux", True),
    ]
    (mine,) = [one["id"] for one in await at("GET", "sessions", other) if one["current"]]
    assert await at("DELETE", f"sessions/{mine}", zoe.session) == 404
    assert await at("DELETE", f"sessions/{mine}", third.session) == 204
    assert await at("GET", "sessions", other) == 401
    assert await at("POST", "sessions/end-others", third.session) == 204
    assert await at("GET", "sessions", claire.session) == 401
    assert [one["current"] for one in await at("GET", "sessions", third.session)] == [True]
    assert len(await at("GET", "sessions", zoe.session)) == 1


async def test_another_role_signs_out_everywhere(cooperative: Cooperative, claire: Person) -> None:
    zoe = await cooperative.join(claire, "Zoé")
    header = {"Authorization": f"Session {zoe.session}"}
    await claire.http.patch(f"members/{zoe.id}", json={"role": "member"})
    assert (await cooperative.visitor.post("tokens", headers=header)).status_code == 200
    await claire.http.patch(f"members/{zoe.id}", json={"role": "coordinator"})
    assert (await cooperative.visitor.post("tokens", headers=header)).status_code == 401


async def test_signing_out_ends_this_session_alone(cooperative: Cooperative, claire: Person) -> None:
    other = await cooperative.sign_in(ADMINISTRATOR)
    header = {"Authorization": f"Session {claire.session}"}
    assert (await cooperative.visitor.delete("sessions/current", headers=header)).status_code == 204
    assert (await cooperative.visitor.post("tokens", headers=header)).status_code == 401
    still = await cooperative.visitor.post("tokens", headers={"Authorization": f"Session {other.session}"})
    assert still.status_code == 200


@pytest.mark.parametrize("header", [{}, {"Authorization": "Session "}, {"Authorization": "Session nonsense"}])
async def test_no_token_without_a_session(cooperative: Cooperative, header: dict[str, str]) -> None:
    assert (await cooperative.visitor.post("tokens", headers=header)).status_code == 401


async def test_secrets_and_passwords_are_not_in_the_database(cooperative: Cooperative, claire: Person) -> None:
    async with cooperative.db.reading() as session:
        kept = (await session.execute(sa.select(signed_in.c.secret_hash))).scalars().all()
        hashed = (await session.execute(sa.select(member.c.password_hash))).scalar_one()
    assert kept == [hashlib.sha256(claire.session.encode()).digest()]
    assert hashed is not None
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_housekeeping_removes_what_is_over_and_nothing_else(cooperative: Cooperative, claire: Person) -> None:
    await cooperative.visitor.post("password-resets", json={"email": ADMINISTRATOR})
    async with cooperative.db.transaction() as session:
        await clean(session, cooperative.now)
    counts = [await cooperative.count(table) for table in (signed_in, mailed_link, tried)]
    assert counts[:2] == [1, 1]
    assert counts[2] > 0
    async with cooperative.db.transaction() as session:
        await clean(session, cooperative.now + timedelta(days=91))
    assert [await cooperative.count(table) for table in (signed_in, mailed_link, tried)] == [0, 0, 0]


async def test_the_session_that_was_unused_for_longest_makes_room(cooperative: Cooperative, claire: Person) -> None:
    for _ in range(sessions.MOST_SESSIONS):
        async with cooperative.db.transaction() as session:
            await sessions.open_session(session, UUID(claire.id), device="", now=cooperative.now)
    assert await cooperative.count(signed_in) == sessions.MOST_SESSIONS
    answer = await cooperative.visitor.post("tokens", headers={"Authorization": f"Session {claire.session}"})
    assert answer.status_code == 401
