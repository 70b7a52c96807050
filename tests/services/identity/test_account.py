"""One's own account: name, password, address."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from contracts.identity import (
    EmailChanged,
    EmailChangeRequested,
    MemberChanged,
    MemberContactChanged,
    PasswordResetRequested,
)
from services.identity import leaked
from services.identity.tables import mailed_link
from tests.services.identity.conftest import ADMINISTRATOR, PASSWORD, Cooperative, Person

NEW = "une brouette de nuages verts"


async def sessions_are_ended(cooperative: Cooperative, *people: Person) -> bool:
    headers = [{"Authorization": f"Session {person.session}"} for person in people]
    return all([(await cooperative.visitor.post("tokens", headers=one)).status_code == 401 for one in headers])


async def reset_token(cooperative: Cooperative, email: str = ADMINISTRATOR) -> str:
    assert (await cooperative.visitor.post("password-resets", json={"email": email})).status_code == 202
    return (await cooperative.events(PasswordResetRequested))[-1].link.rpartition("/")[2]


async def test_change_of_name_is_told_with_a_new_version(cooperative: Cooperative, claire: Person) -> None:
    await cooperative.forget_events()
    answer = await claire.http.patch("me", json={"name": "  Claire D. ", "locale": "nl"})
    assert (answer.json()["name"], answer.json()["locale"]) == ("Claire D.", "nl")
    changed, contact = await cooperative.events()
    assert isinstance(changed, MemberChanged)
    assert (changed.member.name, changed.member.locale, changed.member.version) == ("Claire D.", "nl", 2)
    assert isinstance(contact, MemberContactChanged)
    assert (contact.name, contact.email, contact.version) == ("Claire D.", ADMINISTRATOR, 2)
    await claire.http.patch("me", json={"name": "Claire D."})
    assert len(await cooperative.events()) == 2
    assert (await claire.http.get("me")).json()["name"] == "Claire D."


@pytest.mark.parametrize("name", ["", "   ", "a" * 121, "two\nlines", "nul\x00"])
async def test_name_that_no_mail_could_carry_is_refused(claire: Person, name: str) -> None:
    refused = await claire.http.patch("me", json={"name": name})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "name"


async def test_new_password_ends_other_sessions_and_opens_one(cooperative: Cooperative, claire: Person) -> None:
    other = await cooperative.sign_in(ADMINISTRATOR)
    await reset_token(cooperative)
    answer = await claire.http.post("me/password", json={"current": PASSWORD, "new": NEW})
    assert answer.status_code == 200
    assert await sessions_are_ended(cooperative, claire, other)
    assert await cooperative.count(mailed_link) == 0
    again = await cooperative.person(answer.json())
    assert (await again.http.get("me")).status_code == 200
    await cooperative.sign_in(ADMINISTRATOR, NEW)
    old = await cooperative.visitor.post("sessions", json={"email": ADMINISTRATOR, "password": PASSWORD})
    assert old.status_code == 401


@pytest.mark.parametrize(
    ("current", "new", "wrong"),
    [
        ("wrong", NEW, ("current", "wrong-password")),
        (PASSWORD, "court", ("new", "too-short")),
        (PASSWORD, "Motdepasse2026!", ("new", "too-common")),
        (PASSWORD, "claire.delattre59", ("new", "too-common")),
        (PASSWORD, "optéos-optéos-1", ("new", "too-common")),
        (PASSWORD, "x" * 129, ("new", "too-long")),
    ],
)
async def test_password_is_refused_beside_its_field(
    cooperative: Cooperative, claire: Person, current: str, new: str, wrong: tuple[str, str]
) -> None:
    refused = await claire.http.post("me/password", json={"current": current, "new": new})
    assert refused.status_code == 422
    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [wrong]
    assert not await sessions_are_ended(cooperative, claire)


async def test_forgotten_password_is_replaced_by_mail_once(cooperative: Cooperative, claire: Person) -> None:
    token = await reset_token(cooperative)
    letter = (await cooperative.events(PasswordResetRequested))[-1]
    assert letter.link == f"https://opteos.example/account/reset/{token}"
    assert (letter.email, letter.name) == (ADMINISTRATOR, "Claire Delattre")
    assert letter.expires_at - cooperative.now < timedelta(hours=1)
    form = {"token": token, "password": NEW}
    assert (await cooperative.visitor.post("password-resets/complete", json=form)).status_code == 204
    assert await sessions_are_ended(cooperative, claire)
    await cooperative.sign_in(ADMINISTRATOR, NEW)
    again = await cooperative.visitor.post("password-resets/complete", json=form)
    assert (again.status_code, again.json()["type"]) == (410, "urn:maillage:problem:identity/link-not-valid")


async def test_reset_link_lives_one_hour(cooperative: Cooperative) -> None:
    token = await reset_token(cooperative)
    cooperative.ahead = timedelta(minutes=61)
    form = {"token": token, "password": NEW}
    assert (await cooperative.visitor.post("password-resets/complete", json=form)).status_code == 410


async def test_reset_never_tells_who_has_an_account(cooperative: Cooperative) -> None:
    known = await cooperative.visitor.post("password-resets", json={"email": ADMINISTRATOR})
    unknown = await cooperative.visitor.post("password-resets", json={"email": "nobody@opteos.example"})
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"")
    assert len(await cooperative.events(PasswordResetRequested)) == 1


async def test_mails_for_a_new_password_are_three_an_hour(cooperative: Cooperative) -> None:
    for _ in range(5):
        await reset_token(cooperative)
    assert len(await cooperative.events(PasswordResetRequested)) == 3


async def test_guesser_cannot_keep_the_owner_out(cooperative: Cooperative) -> None:
    wrong = {"email": ADMINISTRATOR, "password": "wrong"}
    statuses = [(await cooperative.visitor.post("sessions", json=wrong)).status_code for _ in range(11)]
    assert statuses[-1] == 429
    form = {"token": await reset_token(cooperative), "password": NEW}
    assert (await cooperative.visitor.post("password-resets/complete", json=form)).status_code == 204
    await cooperative.sign_in(ADMINISTRATOR, NEW)


async def test_address_changes_once_the_new_one_is_confirmed(cooperative: Cooperative, claire: Person) -> None:
    asked = await claire.http.post("me/email", json={"email": "claire@Example.NET", "password": PASSWORD})
    assert asked.status_code == 202
    (letter,) = await cooperative.events(EmailChangeRequested)
    assert letter.email == "claire@example.net"
    assert letter.link.startswith("https://opteos.example/account/email/")
    assert (await claire.http.get("me")).json()["email"] == ADMINISTRATOR
    token = {"token": letter.link.rpartition("/")[2]}
    await cooperative.forget_events()
    assert (await cooperative.visitor.post("email-confirmations", json=token)).status_code == 204
    (contact,) = await cooperative.events(MemberContactChanged)
    (notice,) = await cooperative.events(EmailChanged)
    assert (contact.email, notice.old_email) == ("claire@example.net", ADMINISTRATOR)
    await cooperative.sign_in("claire@example.net")
    assert (await cooperative.visitor.post("email-confirmations", json=token)).status_code == 410


async def test_address_of_somebody_else_is_neither_taken_nor_told(cooperative: Cooperative, claire: Person) -> None:
    paul = await cooperative.join(claire, "Paul")
    asked = await paul.http.post("me/email", json={"email": ADMINISTRATOR.upper(), "password": PASSWORD})
    assert asked.status_code == 202
    assert await cooperative.events(EmailChangeRequested) == []


async def test_address_that_was_taken_meanwhile_is_not_given(cooperative: Cooperative, claire: Person) -> None:
    paul = await cooperative.join(claire, "Paul")
    for person in (claire, paul):
        await person.http.post("me/email", json={"email": "shared@opteos.example", "password": PASSWORD})
    letters = await cooperative.events(EmailChangeRequested)
    tokens = [letter.link.rpartition("/")[2] for letter in letters]
    statuses = [
        (await cooperative.visitor.post("email-confirmations", json={"token": token})).status_code for token in tokens
    ]
    assert statuses == [204, 410]


async def test_change_of_address_needs_the_password(cooperative: Cooperative, claire: Person) -> None:
    refused = await claire.http.post("me/email", json={"email": "new@opteos.example", "password": "wrong"})
    assert refused.json()["errors"][0]["field"] == "password"
    malformed = await claire.http.post("me/email", json={"email": "new@opteos", "password": PASSWORD})
    assert malformed.json()["errors"][0]["code"] == "email"
    assert await cooperative.events(EmailChangeRequested) == []


async def test_reset_link_is_no_confirmation_of_an_address(cooperative: Cooperative) -> None:
    token = await reset_token(cooperative)
    assert (await cooperative.visitor.post("email-confirmations", json={"token": token})).status_code == 410


async def test_a_password_that_others_have_lost_is_refused_wherever_one_is_chosen(
    cooperative: Cooperative, claire: Person, tmp_path: Path
) -> None:
    lost, good = "quatre tortues sur le toit", "cinq hérissons au fond du jardin"
    (tmp_path / "words").write_text(lost, encoding="utf-8")
    leaked.main([str(tmp_path / "words"), str(tmp_path / "file"), "--words"])
    cooperative.service.app.state.leaked_passwords = leaked.LeakedPasswords(tmp_path / "file")
    invited = await cooperative.invite(claire, "zoe@opteos.example")
    await cooperative.visitor.post("password-resets", json={"email": ADMINISTRATOR})
    link = (await cooperative.events(PasswordResetRequested))[-1].link.rpartition("/")[2]

    async def tried(password: str) -> list[httpx.Response]:
        joining = {"token": invited, "name": "Zoé", "password": password, "locale": "fr"}
        return [
            await claire.http.post("me/password", json={"current": PASSWORD, "new": password}),
            await cooperative.visitor.post("invitations/accept", json=joining),
            await cooperative.visitor.post("password-resets/complete", json={"token": link, "password": password}),
        ]

    for answer in await tried(lost):
        assert answer.status_code == 422, answer.text
        assert [error["code"] for error in answer.json()["errors"]] == ["leaked"]
    changed, joined, _ = await tried(good)
    assert (changed.status_code, joined.status_code) == (200, 201)
