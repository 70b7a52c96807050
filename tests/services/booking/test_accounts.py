"""The accounts: lines, the file, the balance."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from services.booking.api import uses as uses_api
from services.booking.tables import uses
from services.chassis import paging
from services.chassis.ids import new_id
from tests.services.booking.workshop import Workshop

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
NAMUR = {"peer": "namur-thumbprint", "name": "OpenFlow"}


async def line(workshop: Workshop, *, day: int, **values: Any) -> UUID:
    """A use of an hour at nine on a day of March: Ana's of Omar's, unless told otherwise."""
    started = MARCH + timedelta(days=day - 1, hours=9)
    row: dict[str, Any] = {
        "booking_id": new_id(),
        "kind": "use",
        "borrower_member_id": workshop.ana,
        "borrower_name": "Ana",
        "owner_member_id": workshop.omar,
        "owner_name": "Omar",
        "offer_id": workshop.laser,
        "offer_title": "Découpe laser",
        "started_at": started,
        "ended_at": started + timedelta(minutes=values.get("minutes", 60)),
        "minutes": 60,
        "quantity": 1,
        "value": None,
        "unit": None,
        "recorded_at": started,
    }
    row |= values
    async with workshop.db.transaction() as session:
        await session.execute(sa.insert(uses).values(row))
    return row["booking_id"]


def guest(**values: Any) -> dict[str, Any]:
    """Borrowed by a person of Namur."""
    return {
        "borrower_member_id": None, "borrower_name": None, "borrower_peer_id": NAMUR["peer"],
        "borrower_peer_name": NAMUR["name"], "borrower_pseudonym": "p-17",
    } | values  # fmt: skip


def abroad(**values: Any) -> dict[str, Any]:
    """Lent by Namur."""
    return {
        "owner_member_id": None, "owner_name": None, "owner_peer_id": NAMUR["peer"], "owner_peer_name": NAMUR["name"],
    } | values  # fmt: skip


async def filled(workshop: Workshop) -> None:
    """A month: among ourselves, given to Namur, received from Namur, a no-show, and somebody else's."""
    await line(workshop, day=2, value=Decimal("12.50"), unit="EUR")
    await line(workshop, day=3, value=Decimal(60), unit="minutes")
    await line(workshop, day=4, minutes=90, value=Decimal("0.10"), unit="EUR", **guest())
    await line(workshop, day=5, minutes=30, value=Decimal("0.20"), unit="EUR", **guest())
    await line(workshop, day=6, minutes=120, value=Decimal(120), unit="minutes", **abroad())
    await line(workshop, day=7, kind="no_show", minutes=0, **guest())
    await line(workshop, day=8, borrower_member_id=workshop.chloe, borrower_name="Chloé")


async def get(client: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(path, params={name.rstrip("_"): value for name, value in params.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_coordinators_see_all_lines_and_members_their_own(workshop: Workshop) -> None:
    await filled(workshop)
    everything = (await get(workshop.as_chloe, "/uses"))["items"]
    assert [one["start"][8:10] for one in everything] == ["08", "07", "06", "05", "04", "03", "02"]
    mine = (await get(workshop.as_ana, "/uses"))["items"]
    assert [(one["start"][8:10], one["given"], one["received"]) for one in mine] == [
        ("06", False, True), ("03", False, True), ("02", False, True),
    ]  # fmt: skip
    assert mine[0]["owner"] | {"name": None} == {
        "member_id": None, "name": None, "peer_id": NAMUR["peer"], "peer_name": NAMUR["name"], "pseudonym": None,
    }  # fmt: skip
    assert [one["value"] for one in mine] == [
        {"amount": "120", "unit": "minutes"}, {"amount": "60", "unit": "minutes"}, {"amount": "12.50", "unit": "EUR"},
    ]  # fmt: skip
    given = (await get(workshop.as_omar, "/uses"))["items"]
    assert {one["given"] for one in given} == {True}
    assert len(given) == 6
    assert (await get(workshop.client(new_id(), name="Zoé"), "/uses"))["items"] == []


async def test_period_is_half_open_and_peer_narrows(workshop: Workshop) -> None:
    await filled(workshop)
    third = (MARCH + timedelta(days=2, hours=10)).isoformat()
    fourth = (MARCH + timedelta(days=3, hours=10, minutes=30)).isoformat()
    found = (await get(workshop.as_chloe, "/uses", from_=third, until=fourth))["items"]
    assert [one["start"][8:10] for one in found] == ["03"]
    with_namur = (await get(workshop.as_chloe, "/uses", peer=NAMUR["peer"]))["items"]
    assert [one["start"][8:10] for one in with_namur] == ["07", "06", "05", "04"]
    assert (await get(workshop.as_chloe, "/uses", peer="nobody"))["items"] == []
    backwards = await workshop.as_chloe.get("/uses", params={"from": fourth, "until": third})
    assert (backwards.status_code, backwards.json()["errors"][0]["field"]) == (422, "until")


async def test_pages_of_lines_follow_each_other_also_where_uses_end_together(workshop: Workshop) -> None:
    ids = {str(await line(workshop, day=2 + number // 3)) for number in range(7)}
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = await get(workshop.as_chloe, "/uses", **params)
        seen += [one["booking_id"] for one in page["items"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert len(seen) == 7
    assert set(seen) == ids
    for strange in ("x", paging.encode("2026-03-02", str(new_id())), paging.encode("9999-12-31T23:59:59-12:00", "x")):
        assert (await workshop.as_chloe.get("/uses", params={"cursor": strange})).status_code == 422


async def test_balance_adds_up_by_cooperative_and_by_member(workshop: Workshop) -> None:
    await filled(workshop)
    balance = await get(workshop.as_chloe, "/balance")
    [namur] = balance["peers"]
    assert namur["name"] == "OpenFlow"
    assert namur["given"] == {"uses": 2, "no_shows": 1, "minutes": 120, "euros": "0.30", "time_minutes": 0}
    assert namur["received"] == {"uses": 1, "no_shows": 0, "minutes": 120, "euros": "0.00", "time_minutes": 120}
    assert balance["within"] == {"uses": 3, "no_shows": 0, "minutes": 180, "euros": "12.50", "time_minutes": 60}
    members = [(one["name"], one["given"]["minutes"], one["received"]["minutes"]) for one in balance["members"]]
    assert members == [("Omar", 300, 0), ("Ana", 0, 240), ("Chloé", 0, 60)]
    [mine] = (await get(workshop.as_ana, "/balance"))["members"]
    assert (mine["name"], mine["received"]["minutes"]) == ("Ana", 240)
    own = await get(workshop.as_ana, "/balance")
    assert (own["peers"], own["within"]) == ([], None)
    empty = await get(workshop.as_chloe, "/balance", until=MARCH.isoformat())
    assert (empty["peers"], empty["members"], empty["within"]["uses"]) == ([], [], 0)


async def test_file_is_for_coordinators_in_their_language_and_runs_no_formula(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uses_api, "EXPORT_PAGE", 2)
    await filled(workshop)
    await line(workshop, day=9, offer_title='=HYPERLINK("http://evil";"x")', borrower_name="+32 Ana")
    assert (await workshop.as_ana.get("/uses.csv")).status_code == 403
    answer = await workshop.as_chloe.get("/uses.csv", headers={"accept-language": "fr"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert len(rows) == 8
    assert [rows[number]["valeur"] for number in (0, 1, 2, 5)] == ["12,50", "60", "0,10", ""]
    assert [rows[number]["genre"] for number in (0, 5)] == ["utilisation", "pas venu·e"]
    assert (rows[2]["coopérative qui emprunte"], rows[2]["qui emprunte"]) == ("OpenFlow", "p-17")
    assert (rows[4]["coopérative qui prête"], rows[4]["qui prête"]) == ("OpenFlow", "")
    assert (rows[0]["début"], rows[0]["fin"]) == ("2026-03-02 10:00", "2026-03-02 11:00")
    assert (rows[7]["offre"], rows[7]["qui emprunte"]) == ('\'=HYPERLINK("http://evil";"x")', "'+32 Ana")
    narrow: dict[str, Any] = {"params": {"peer": NAMUR["peer"]}, "headers": {"accept-language": "en"}}
    english = await workshop.as_chloe.get("/uses.csv", **narrow)
    rows = list(csv.DictReader(io.StringIO(english.content.decode("utf-8-sig")), delimiter=";"))
    assert [row["value"] for row in rows] == ["0.10", "0.20", "120", ""]


async def test_line_outlives_the_member_who_leaves(workshop: Workshop) -> None:
    await line(workshop, day=2)
    await workshop.sql("UPDATE members SET status = 'left' WHERE id = :id", id=workshop.ana)
    [kept] = (await get(workshop.as_chloe, "/uses"))["items"]
    assert kept["borrower"]["name"] == "Ana"
    assert (await workshop.as_ana.get("/uses")).status_code == 403
