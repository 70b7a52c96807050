"""What asks for a code, who takes the second factor off, and what a role is without it."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from contracts.identity import AccessChanged, IdentityActRecorded
from services.identity.tables import member
from tests.services.identity.conftest import ADMINISTRATOR, PASSWORD, Cooperative, Person
from tests.services.identity.test_second_factor import first_step, room_for_codes, second, set_up, told

__all__ = ["room_for_codes"]


ROLE_WITHOUT = timedelta(days=14)


async def test_what_asks_for_the_password_asks_for_a_code_too(cooperative: Cooperative, claire: Person) -> None:
    claire, app, _ = await set_up(cooperative, claire)
    forms: dict[str, dict[str, Any]] = {
        "me/email": {"email": "c@opteos.example", "password": PASSWORD},
        "me/tokens": {"name": "Site", "scopes": ["booking:read"], "password": PASSWORD},
        "me/second-factor/recovery-codes": {"password": PASSWORD},
        "me/password": {"current": PASSWORD, "new": "cinq loutres sur la glace"},
    }
    for path, form in forms.items():
        for code in ({}, {"code": "000000" if app.same_code() != "000000" else "000001"}):
            refused = await claire.http.post(path, json=form | code)
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "code"), path
        assert (await claire.http.post(path, json=form | {"code": app.code()})).is_success, path


async def test_it_is_taken_off_with_password_and_code(cooperative: Cooperative, claire: Person) -> None:
    claire, app, _ = await set_up(cooperative, claire)
    assert (await claire.http.post("me/second-factor/start", json={"password": PASSWORD})).status_code == 409
    for form in ({"password": PASSWORD}, {"password": "guess", "code": app.code()}):
        assert (await claire.http.post("me/second-factor/remove", json=form)).status_code == 422
    form = {"password": PASSWORD, "code": app.code()}
    off = await claire.http.post("me/second-factor/remove", json=form)
    assert off.status_code == 200
    claire = await cooperative.person(off.json())
    assert (await claire.http.post("me/second-factor/remove", json=form)).status_code == 409
    assert await told(cooperative) == ["second-factor-on", "second-factor-off"]
    await cooperative.sign_in(ADMINISTRATOR)


async def test_a_new_password_does_not_take_it_off(cooperative: Cooperative, claire: Person) -> None:
    _, app, _ = await set_up(cooperative, claire)
    await cooperative.visitor.post("password-resets", json={"email": ADMINISTRATOR})
    token = (await cooperative.events())[-1].link.rpartition("/")[2]
    form = {"token": token, "password": "cinq loutres sur la glace"}
    assert (await cooperative.visitor.post("password-resets/complete", json=form)).status_code == 204
    step = await first_step(cooperative, ADMINISTRATOR, form["password"])
    assert (await second(cooperative, step, app.code())).status_code == 201
    assert (await told(cooperative))[-1] == "password"


async def test_a_coordinator_resets_it_for_others_and_that_is_on_record(
    cooperative: Cooperative, claire: Person
) -> None:
    zoe, ines = await cooperative.join(claire, "Zoé"), await cooperative.join(claire, "Inès", "coordinator")
    zoe, _, _ = await set_up(cooperative, zoe)
    claire, _, _ = await set_up(cooperative, claire)
    ines, _, _ = await set_up(cooperative, ines)
    for person, of in ((zoe, ines), (ines, ines), (ines, claire), (claire, claire)):
        refused = await person.http.post(f"members/{of.id}/second-factor/reset")
        assert refused.status_code == 403
    await cooperative.forget_events()
    done = await ines.http.post(f"members/{zoe.id}/second-factor/reset")
    assert (done.status_code, done.json()["second_factor"]) == (200, False)
    (notice,) = await cooperative.events(AccessChanged)
    assert (notice.what, notice.email) == ("second-factor-reset", zoe.email)
    (act,) = await cooperative.events(IdentityActRecorded)
    assert (act.what, str(act.actor_id)) == ("POST /members/{member_id}/second-factor/reset", ines.id)
    assert zoe.id in str(act.about)
    ended = await cooperative.visitor.post("tokens", headers={"Authorization": f"Session {zoe.session}"})
    assert ended.status_code == 401
    await cooperative.sign_in(zoe.email)
    assert (await ines.http.post(f"members/{zoe.id}/second-factor/reset")).status_code == 409


async def test_a_role_counts_for_a_time_without_it_and_again_once_it_is_on(
    cooperative: Cooperative, claire: Person
) -> None:
    async def token() -> dict[str, Any]:
        answer = await cooperative.visitor.post("tokens", headers={"Authorization": f"Session {person.session}"})
        return answer.json()

    ines = await cooperative.join(claire, "Inès", "coordinator")
    person = await cooperative.sign_in(ines.email)
    before = await token()
    assert (before["member"]["role"], before["second_factor_due"] is not None) == ("coordinator", True)
    async with cooperative.db.transaction() as session:
        mine = sa.update(member).where(member.c.email_key == ines.email)
        await session.execute(mine.values(joined_at=cooperative.now - ROLE_WITHOUT))
    person = await cooperative.sign_in(ines.email)
    assert (await token())["member"]["role"] == "member"
    for path in ("invitations", "members?status=left"):
        assert (await person.http.get(path)).status_code == 403
    assert (await person.http.patch(f"members/{ines.id}", json={"role": "member"})).status_code == 403
    assert (await person.http.post(f"members/{claire.id}/leave")).status_code == 403
    assert all(
        one["email"] is None for one in (await person.http.get("members")).json()["items"] if one["id"] != ines.id
    )
    person, _, _ = await set_up(cooperative, person)
    after = await token()
    assert (after["member"]["role"], after["second_factor_due"]) == ("coordinator", None)
    assert (await person.http.get("invitations")).status_code == 200


async def test_a_script_goes_on_and_needs_no_code(cooperative: Cooperative, claire: Person) -> None:
    form = {"name": "Agenda", "scopes": ["booking:read"], "password": PASSWORD}
    script = (await claire.http.post("me/tokens", json=form)).json()["token"]
    await set_up(cooperative, claire)
    answer = await cooperative.visitor.post("tokens", headers={"Authorization": f"Token {script}"})
    assert answer.status_code == 200
