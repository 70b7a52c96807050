"""The second step of signing in: set up, asked for, used once, taken away, and what a role asks for."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from contracts.identity import AccessChanged
from services.identity import limits
from services.identity.commands import second_factor as commands
from services.identity.domain.second_factor import STEP_SECONDS, Key
from services.identity.housekeeping import clean
from services.identity.limits import CODE_PER_ACCOUNT, CODE_PER_DAY
from services.identity.tables import recovery_code, second_factor, second_step, tried
from tests.services.identity.conftest import ADMINISTRATOR, PASSWORD, Cooperative, Person

WRONG = "urn:maillage:problem:identity/wrong-credentials"


@pytest.fixture(autouse=True)
def room_for_codes(cooperative: Cooperative) -> None:
    """Each code is of a half minute of its own; a token of the future is refused, so we begin in the past."""
    cooperative.ahead = timedelta(seconds=-7 * STEP_SECONDS)


class App:
    """The phone of somebody who has set up the second factor."""

    def __init__(self, cooperative: Cooperative, key: str) -> None:
        self._cooperative = cooperative
        self._key = Key.read(key)

    def code(self) -> str:
        """One that was not used: the clock goes on by half a minute first."""
        self._cooperative.ahead += timedelta(seconds=STEP_SECONDS)
        return self.same_code()

    def same_code(self) -> str:
        return self._key.code_at(int(self._cooperative.now.timestamp()) // STEP_SECONDS)


async def set_up(cooperative: Cooperative, person: Person) -> tuple[Person, App, list[str]]:
    """Returns them signed in anew, their app, and the recovery codes."""
    shown = await person.http.post("me/second-factor/start", json={"password": PASSWORD})
    assert shown.status_code == 200, shown.text
    app = App(cooperative, shown.json()["key"])
    on = await person.http.post("me/second-factor/confirm", json={"code": app.code(), "device": "Firefox"})
    assert on.status_code == 200, on.text
    return await cooperative.person(on.json()), app, on.json()["recovery_codes"]


async def first_step(cooperative: Cooperative, email: str, password: str = PASSWORD) -> str:
    answer = await cooperative.visitor.post("sessions", json={"email": email, "password": password, "device": "Mac"})
    assert answer.status_code == 202, answer.text
    assert "session" not in answer.json()
    return answer.json()["step"]


async def second(cooperative: Cooperative, step: str, code: str) -> httpx.Response:
    return await cooperative.visitor.post("sessions/second-step", json={"step": step, "code": code})


async def told(cooperative: Cooperative) -> list[str]:
    return [event.what for event in await cooperative.events(AccessChanged)]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_it_is_on_after_the_first_code_and_ends_the_sessions_before(
    cooperative: Cooperative, claire: Person
) -> None:
    elsewhere = await cooperative.sign_in(ADMINISTRATOR)
    claire, app, codes = await set_up(cooperative, claire)
    assert len(codes) == 10
    state = (await claire.http.get("me/second-factor")).json()
    assert (state["since"] is not None, state["due"], state["recovery_codes_left"]) == (True, None, 10)
    ended = await cooperative.visitor.post("tokens", headers={"Authorization": f"Session {elsewhere.session}"})
    assert ended.status_code == 401
    assert await told(cooperative) == ["second-factor-on"]
    step = await first_step(cooperative, ADMINISTRATOR)
    opened = await second(cooperative, step, app.code())
    assert opened.status_code == 201
    sessions = await cooperative.visitor.get(
        "sessions", headers={"Authorization": f"Session {opened.json()['session']}"}
    )
    assert {one["device"] for one in sessions.json()} == {"Firefox", "Mac"}
    assert (await second(cooperative, step, app.code())).json()["type"].endswith("identity/step-ended")


async def test_a_key_without_its_first_code_asks_for_nothing(cooperative: Cooperative, claire: Person) -> None:
    shown = (await claire.http.post("me/second-factor/start", json={"password": PASSWORD})).json()
    app = App(cooperative, shown["key"])
    refused = await claire.http.post("me/second-factor/confirm", json={"code": wrong(app.code())})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "code")
    await cooperative.sign_in(ADMINISTRATOR)
    cooperative.ahead += timedelta(minutes=31)
    late = await claire.http.post("me/second-factor/confirm", json={"code": app.code()})
    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (409, "second-factor-is-off")
    await cooperative.db.run(clean, cooperative.now)
    assert await cooperative.count(second_factor) == 0


async def test_starting_asks_for_the_password_and_nothing_is_kept_in_the_clear(
    cooperative: Cooperative, claire: Person
) -> None:
    assert (await claire.http.post("me/second-factor/start", json={"password": "guess"})).status_code == 422
    shown = (await claire.http.post("me/second-factor/start", json={"password": PASSWORD})).json()
    app = App(cooperative, shown["key"])
    on = await claire.http.post("me/second-factor/confirm", json={"code": app.code()})
    step = await first_step(cooperative, ADMINISTRATOR)
    async with cooperative.db.reading() as session:
        kept = [(await session.execute(sa.select(t))).all() for t in (second_factor, recovery_code, second_step)]
    written = repr(kept)
    for secret in (shown["key"], step, *on.json()["recovery_codes"]):
        assert secret not in written
        assert secret.replace("-", "") not in written
    assert Key.read(shown["key"]).raw not in kept[0][0].sealed_key
    assert all(row.code_hash.startswith("$argon2id$") for row in kept[1])
    again = await claire.http.post("me/second-factor/start", json={"password": PASSWORD})
    assert again.status_code == 401 or again.json()["type"].endswith("second-factor-is-on")


async def test_a_code_is_taken_once_also_by_two_at_the_same_time(cooperative: Cooperative, claire: Person) -> None:
    _, app, _ = await set_up(cooperative, claire)
    steps = [await first_step(cooperative, ADMINISTRATOR) for _ in range(3)]
    code = app.code()
    answers = await asyncio.gather(*(second(cooperative, step, code) for step in steps[:2]))
    assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert (await second(cooperative, steps[2], code)).status_code == 422
    assert (await second(cooperative, steps[2], app.code())).status_code == 201


async def test_a_recovery_code_opens_once_and_its_owner_is_told(cooperative: Cooperative, claire: Person) -> None:
    claire, app, codes = await set_up(cooperative, claire)
    typed = codes[3].upper().replace("-", " ")
    assert (await second(cooperative, await first_step(cooperative, ADMINISTRATOR), typed)).status_code == 201
    step = await first_step(cooperative, ADMINISTRATOR)
    assert (await second(cooperative, step, typed)).status_code == 422
    assert (await second(cooperative, step, codes[4][:-1] + "b")).status_code == 422
    assert (await claire.http.get("me/second-factor")).json()["recovery_codes_left"] == 9
    assert await told(cooperative) == ["second-factor-on", "recovery-code-used"]
    form = {"password": PASSWORD, "code": app.code()}
    fresh = (await claire.http.post("me/second-factor/recovery-codes", json=form)).json()["recovery_codes"]
    assert not set(fresh) & set(codes)
    step = await first_step(cooperative, ADMINISTRATOR)
    assert (await second(cooperative, step, codes[5])).status_code == 422
    assert (await second(cooperative, step, fresh[0])).status_code == 201


async def test_codes_are_not_guessed_and_the_owner_hears_of_it_once(cooperative: Cooperative, claire: Person) -> None:
    _, app, _ = await set_up(cooperative, claire)
    await cooperative.forget_events()
    step = await first_step(cooperative, ADMINISTRATOR)
    statuses = [(await second(cooperative, step, wrong(app.same_code()))).status_code for _ in range(7)]
    assert statuses == [422] * CODE_PER_ACCOUNT.most + [429, 429]
    step = await first_step(cooperative, ADMINISTRATOR)
    refused = await second(cooperative, step, app.code())
    assert (refused.status_code, "retry-after" in refused.headers) == (429, True)
    assert await told(cooperative) == ["many-wrong-codes"]
    cooperative.ahead += CODE_PER_ACCOUNT.within
    opened = await second(cooperative, await first_step(cooperative, ADMINISTRATOR), app.code())
    assert opened.status_code == 201
    async with cooperative.db.transaction() as session:  # a patient guesser has a day's limit too
        rows = [{"what": CODE_PER_DAY.what, "at": cooperative.now}] * (CODE_PER_DAY.most - CODE_PER_ACCOUNT.most)
        key = sa.select(tried.c.key_hash).where(tried.c.what == CODE_PER_DAY.what).limit(1).scalar_subquery()
        for row in rows:
            await session.execute(sa.insert(tried).values(id=sa.func.gen_random_uuid(), key_hash=key, **row))
    cooperative.ahead += timedelta(hours=1)
    assert (await second(cooperative, await first_step(cooperative, ADMINISTRATOR), app.code())).status_code == 429


async def test_who_tries_codes_at_the_door_does_not_lock_the_owner_out(
    cooperative: Cooperative, claire: Person
) -> None:
    claire, app, codes = await set_up(cooperative, claire)
    step = await first_step(cooperative, ADMINISTRATOR)
    for _ in range(CODE_PER_ACCOUNT.most):
        await second(cooperative, step, wrong(app.same_code()))
    assert (await second(cooperative, step, app.same_code())).status_code == 429
    form = {"password": PASSWORD, "code": app.code()}
    assert (await claire.http.post("me/second-factor/recovery-codes", json=form)).status_code == 200
    assert (await second(cooperative, step, codes[0])).status_code == 422  # replaced a moment ago, but looked at
    assert (await second(cooperative, step, wrong(app.same_code()))).status_code == 429


async def test_a_recovery_code_opens_where_codes_of_the_app_were_tried(
    cooperative: Cooperative, claire: Person
) -> None:
    _, app, codes = await set_up(cooperative, claire)
    step = await first_step(cooperative, ADMINISTRATOR)
    for _ in range(CODE_PER_ACCOUNT.most):
        await second(cooperative, step, wrong(app.same_code()))
    assert (await second(cooperative, step, codes[0])).status_code == 201


async def test_a_new_password_forgives_codes_once_a_day(cooperative: Cooperative, claire: Person) -> None:
    await set_up(cooperative, claire)
    owner, now = UUID(claire.id), cooperative.now
    for forgiven in (True, False):
        async with cooperative.db.transaction() as session:
            for _ in range(CODE_PER_ACCOUNT.most):
                await commands.count(session, owner, "123456", in_session=False, now=now)
            await limits.forgive_codes(session, owner, now=now)
        async with cooperative.db.transaction() as session:
            if forgiven:
                continue
            with pytest.raises(limits.TooManyTries):
                await commands.count(session, owner, "123456", in_session=False, now=now)


async def test_the_first_step_tells_nothing_without_the_password(cooperative: Cooperative, claire: Person) -> None:
    await set_up(cooperative, claire)
    for email in (ADMINISTRATOR, "nobody@opteos.example"):
        answer = await cooperative.visitor.post("sessions", json={"email": email, "password": "guess"})
        assert (answer.status_code, answer.json()["type"]) == (401, WRONG)
    unknown = await second(cooperative, "x" * 43, "123456")
    assert (unknown.status_code, unknown.json()["type"].rpartition("/")[2]) == (401, "step-ended")
    assert await cooperative.count(second_step) == 0


@pytest.mark.parametrize("how", ["late", "password", "left"])
async def test_a_step_ends(cooperative: Cooperative, claire: Person, how: str) -> None:
    zoe = await cooperative.join(claire, "Zoé")
    zoe, app, codes = await set_up(cooperative, zoe)
    step = await first_step(cooperative, zoe.email)
    if how == "late":
        cooperative.ahead += timedelta(minutes=5)
    elif how == "password":
        form = {"current": PASSWORD, "code": app.code(), "new": "cinq loutres sur la glace"}
        assert (await zoe.http.post("me/password", json=form)).status_code == 200
    else:
        assert (await claire.http.post(f"members/{zoe.id}/leave")).status_code == 200
        assert await cooperative.count(second_factor) + await cooperative.count(recovery_code) == 0
    assert (await second(cooperative, step, codes[0])).status_code == 401
