"""What a team did is on record from every service, a script stays within its scopes, and the logs tell no secret."""

import pytest

from deploy.demo.api import Json, Refused, Visitor, wait_for
from tests.journeys.conftest import PASSWORD, Region

pytestmark = pytest.mark.xdist_group("journeys")


def test_what_the_team_did_is_on_record_from_every_service(region: Region) -> None:
    claire, julie = region.lille.members["claire"], region.lille.members["julie"]
    quotas: Json = {"category": "essai", "quotas": [{"scope": "member", "per": "week", "unit": "hours", "most": 9}]}
    julie.call("PUT", "booking/quotas", json=quotas)
    offer = julie.post("catalog/listings", {"side": "offer", "kind": "space", "title": "Salle du conseil", "text": ""})

    def acts(**query: str) -> list[Json]:
        return list(claire.get("identity/acts", limit=200, **query)["items"])

    wait_for("the offer on record", lambda: any(offer["id"] in str(act["said"]) for act in acts(service="catalog")))
    wait_for("the quotas on record", lambda: acts(service="booking", actor=julie.id))
    wait_for("the link on record", lambda: ("federation", "POST /links") in _kinds([*acts(), *_of(region, "namur")]))
    assert ("identity", "POST /invitations") in _kinds(acts())
    with pytest.raises(Refused, match="403"):
        julie.get("identity/acts")


def _kinds(acts: list[Json]) -> set[tuple[str, str]]:
    return {(act["service"], act["what"]) for act in acts}


def _of(region: Region, town: str) -> list[Json]:
    administrator = {"lille": region.lille.members["claire"], "namur": region.namur.members["benoit"]}[town]
    return list(administrator.get("identity/acts", limit=200)["items"])


def test_a_script_books_nothing_that_it_may_only_read(region: Region) -> None:
    marie = region.lille.members["marie"]
    form: Json = {"name": "Agenda du site", "scopes": ["booking:read"], "days": 7, "password": PASSWORD}
    token = marie.post("identity/me/tokens", form)["token"]
    script = Visitor(region.lille.url, marie.http)
    short = script.call("POST", "identity/tokens", headers={"Authorization": f"Token {token}"})["token"]
    bearer = {"Authorization": f"Bearer {short}"}
    assert "items" in script.call("GET", "booking/bookings", headers=bearer)
    for method, path in (("POST", "booking/bookings"), ("GET", "notify/inbox"), ("POST", "identity/invitations")):
        with pytest.raises(Refused, match="missing-scope"):
            script.call(method, path, json={}, headers=bearer)


def test_the_logs_of_all_that_hold_no_secret_and_no_address(region: Region) -> None:
    people = [*region.lille.members.values(), *region.namur.members.values()]
    secrets = {PASSWORD, *(member.email for member in people)}
    for instance in region.instances.values():
        folder = instance.folder / "secrets"
        secrets |= {path.read_text(encoding="utf-8").strip() for path in folder.iterdir() if path.is_file()}
        for process in ("all", "broker-agent"):
            text = instance.log(process).read_text(encoding="utf-8", errors="replace")
            assert text or process != "all"
            assert [secret for secret in secrets if len(secret) > 8 and secret in text] == []
            assert "@opteos.example" not in text
            assert "Bearer ey" not in text
