"""The cooperative's profile and the command that begins an instance."""

import io
import sys
from pathlib import Path

import pytest

from contracts.identity import CooperativeChanged, MemberChanged
from services.chassis.database import Database
from services.chassis.settings import MissingSetting
from services.identity import administrator
from services.identity.app import build
from services.identity.housekeeping import Housekeeping
from services.identity.settings import IdentitySettings
from tests.instances import Instance
from tests.services.identity.conftest import ADMINISTRATOR, PASSWORD, Cooperative, Person

FORM = {
    "name": "Optéos",
    "summary": "Nous partageons.\nVoilà.",
    "locale": "fr",
    "time_zone": "Europe/Brussels",
    "place": {"label": "Roubaix", "latitude": 50.69, "longitude": 3.17},
    "contact_email": "bonjour@opteos.example",
}


async def test_profile_is_public_and_was_told(cooperative: Cooperative) -> None:
    shown = (await cooperative.visitor.get("cooperative")).json()
    assert (shown["name"], shown["web"], shown["place"]["label"]) == ("Optéos", "https://opteos.example", "Lille")
    (told,) = await cooperative.events(CooperativeChanged)
    assert told.cooperative.model_dump(mode="json", exclude={"version"}) == shown
    assert told.cooperative.version == 1


async def test_administrator_changes_the_profile(cooperative: Cooperative, claire: Person) -> None:
    await cooperative.forget_events()
    changed = await claire.http.put("cooperative", json=FORM)
    assert changed.status_code == 200
    assert changed.json() == FORM | {"web": "https://opteos.example"}
    await claire.http.put("cooperative", json=FORM)
    assert [event.cooperative.version for event in await cooperative.events()] == [2]
    ines = await cooperative.join(claire, "Inès", "coordinator")
    assert (await ines.http.put("cooperative", json=FORM)).status_code == 403


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"time_zone": "Europe/Lille"}, "time_zone"),
        ({"contact_email": "nobody"}, "contact_email"),
        ({"place": {"label": "Nulle part", "latitude": 91}}, "place.latitude"),
        ({"locale": "de"}, "locale"),
        ({"name": " "}, "name"),
    ],
)
async def test_wrong_profile_is_told_beside_its_field(claire: Person, change: dict[str, object], field: str) -> None:
    refused = await claire.http.put("cooperative", json=FORM | change)
    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (422, [field])


async def test_new_public_address_is_told(cooperative: Cooperative) -> None:
    await cooperative.forget_events()
    moved = Housekeeping(cooperative.db, public_url="https://neuf.example")
    await cooperative.db.run(moved.follow_address)
    await cooperative.db.run(moved.follow_address)
    (told,) = await cooperative.events(CooperativeChanged)
    assert (told.cooperative.web, told.cooperative.version) == ("https://neuf.example", 2)


async def test_instance_without_a_profile_says_what_to_do(instance: Instance) -> None:
    service = build(instance.settings(IdentitySettings))
    async with instance.client(service) as visitor:
        answer = await visitor.get("cooperative", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert "`administrator`" in answer.json()["detail"]
    assert service.database is not None
    await service.database.close()


async def test_wrong_signing_key_is_named_at_start(instance: Instance) -> None:
    (instance.secrets_dir / "identity_signing_key.pem").write_text("not a key")
    with pytest.raises(MissingSetting, match=r"identity_signing_key\.pem"):
        build(instance.settings(IdentitySettings))


@pytest.fixture
def environment(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Instance:
    for name, value in instance.settings().model_dump(mode="json").items():
        monkeypatch.setenv(f"MAILLAGE_{name.upper()}", str(value))
    return instance


def test_command_makes_profile_and_administrator_once(
    environment: Instance, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n", encoding="utf-8")
    options = ["--email", ADMINISTRATOR, "--name", "Claire", "--password-file", str(file)]
    place = ["--cooperative", "Optéos", "--place", "Lille", "--latitude", "50.63", "--longitude", "3.06"]
    for _ in range(2):
        administrator.main([*options, *place])
    assert capsys.readouterr().out == f"{ADMINISTRATOR} is an administrator of http://127.0.0.1:8000\n" * 2


async def test_command_without_a_password_prints_a_link_that_works(
    environment: Instance, cooperative: Cooperative, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = administrator.Wanted(
        profile=(await _profile(cooperative)),
        address=administrator.email_address("ana@opteos.example"),
        name="Ana",
        password=None,
    )
    async with cooperative.db.transaction() as session:
        link = await administrator.establish(
            session, wanted, None, public_url="https://opteos.example", now=cooperative.now
        )
    token = link.removeprefix("https://opteos.example/account/reset/")
    form = {"token": token, "password": "une brouette de nuages verts"}
    assert (await cooperative.visitor.post("password-resets/complete", json=form)).status_code == 204
    ana = await cooperative.sign_in("ana@opteos.example", "une brouette de nuages verts")
    assert (await ana.http.get("me")).json()["role"] == "administrator"
    assert len(await cooperative.events(CooperativeChanged)) == 1


async def test_command_makes_a_member_an_administrator(cooperative: Cooperative, claire: Person) -> None:
    paul = await cooperative.join(claire, "Paul")
    wanted = administrator.Wanted(
        profile=(await _profile(cooperative)), address=administrator.email_address(paul.email), name="X", password=None
    )
    async with cooperative.db.transaction() as session:
        await administrator.establish(session, wanted, None, public_url="https://x", now=cooperative.now)
    told = (await cooperative.events(MemberChanged))[-1].member
    assert (told.name, told.role) == ("Paul", "administrator")


@pytest.mark.parametrize("email", ["nobody@opteos.example", "paul"])
async def test_command_forgets_the_second_factor_of_an_administrator_alone(
    cooperative: Cooperative, claire: Person, email: str
) -> None:
    paul = await cooperative.join(claire, "Paul")
    wanted = administrator.Wanted(
        profile=(await _profile(cooperative)),
        address=administrator.email_address(paul.email if email == "paul" else email),
        name="X",
        password=None,
        without_second_factor=True,
    )
    before = await cooperative.events(MemberChanged)
    with pytest.raises(administrator.UnknownAdministrator, match="is no administrator of"):
        async with cooperative.db.transaction() as session:
            await administrator.establish(session, wanted, None, public_url="https://x", now=cooperative.now)
    assert await cooperative.events(MemberChanged) == before


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("nobody", PASSWORD, "This does not look like an e-mail address"),
        (ADMINISTRATOR, "short", "At least 12 characters"),
        (ADMINISTRATOR, "Claire Claire", "Too easy to guess"),
    ],
)
def test_command_refuses_in_one_line(
    environment: Instance, monkeypatch: pytest.MonkeyPatch, email: str, password: str, said: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(password + "\n"))
    with pytest.raises(SystemExit, match=said):
        administrator.main(["--email", email, "--name", "Claire", "--password-file", "-"])


def test_command_without_a_database_says_so_in_one_line(environment: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAGE_DB_PORT", "1")
    with pytest.raises(SystemExit, match="database"):
        administrator.main(["--email", ADMINISTRATOR, "--name", "Claire"])


async def _profile(cooperative: Cooperative) -> administrator.Profile:
    database: Database = cooperative.db
    async with database.reading() as session:
        return (await administrator.cooperative.the_cooperative(session)).profile()
