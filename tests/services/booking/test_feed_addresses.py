"""The secret address of a feed: who makes one, who reads by it, and when it ends."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client import generate_latest

from contracts.identity import MemberState
from services.booking.commands import copies
from services.chassis.ids import new_id
from tests.services.booking.test_feeds import DENIED, anybody, booked, made
from tests.services.booking.workshop import Workshop

__all__ = ["anybody"]


async def test_an_address_is_shown_once_and_its_secret_kept_nowhere(
    workshop: Workshop, anybody: httpx.AsyncClient, loud_logs: pytest.CaptureFixture[str]
) -> None:
    feed = await made(workshop.as_ana)
    secret = feed["address"].rsplit("/", 1)[1].removesuffix(".ics")
    assert len(secret) == 43  # 256 bits
    assert (await anybody.get(feed["address"])).status_code == 200
    assert (await anybody.get(feed["address"].replace(".ics", ".ifb"))).status_code == DENIED
    async with workshop.db.reading() as session:
        rows = [*(await session.execute(sa.text("SELECT f::text FROM feeds f"))).scalars()]
        rows += (await session.execute(sa.text("SELECT i::text FROM idempotency i"))).scalars()
    listed = (await workshop.as_ana.get("/my/feeds")).text
    seen = listed + "".join(rows) + "".join(loud_logs.readouterr()) + generate_latest().decode()
    assert secret not in seen
    [one] = (await workshop.as_ana.get("/my/feeds")).json()["items"]
    assert (one["kind"], one["subject_id"]) == ("member", None)
    assert one["read_at"] is not None


async def test_another_address_ends_the_first_and_revoking_ends_the_other(
    workshop: Workshop, anybody: httpx.AsyncClient
) -> None:
    first, second = await made(workshop.as_ana), await made(workshop.as_ana)
    assert (await anybody.get(first["address"])).status_code == DENIED
    assert (await anybody.get(second["address"])).status_code == 200
    assert (await workshop.as_omar.delete(f"/my/feeds/{second['id']}")).status_code == DENIED
    assert (await workshop.as_ana.delete(f"/my/feeds/{second['id']}")).status_code == 204
    gone = await anybody.get(second["address"])
    assert (gone.status_code, gone.text) == (DENIED, "not found")
    assert (await workshop.as_ana.get("/my/feeds")).json() == {"items": []}


async def test_who_has_left_or_lost_access_reads_nothing_more(workshop: Workshop, anybody: httpx.AsyncClient) -> None:
    await booked(workshop, workshop.as_ana)
    mine, laser = await made(workshop.as_ana), await made(workshop.as_chloe, "resource", workshop.laser)
    assert (await anybody.get(laser["address"])).status_code == 200
    ana = MemberState(id=workshop.ana, name="Ana", role="member", status="left", locale="fr", version=2)
    chloe = MemberState(id=workshop.chloe, name="Chloé", role="member", status="active", locale="fr", version=2)
    for state in (ana, chloe):
        async with workshop.db.transaction() as session:
            await copies.keep_member(session, state, now=datetime.now(UTC))
    assert (await anybody.get(mine["address"])).status_code == DENIED
    assert (await anybody.get(laser["address"])).status_code == DENIED


@pytest.mark.parametrize(
    "body", [{"kind": "member", "subject_id": str(new_id())}, {"kind": "circle"}, {"kind": "else"}, {}, []]
)
async def test_a_feed_of_nothing_is_refused(workshop: Workshop, body: Any) -> None:
    assert (await workshop.as_ana.post("/my/feeds", json=body)).status_code == 422


@pytest.mark.parametrize("secret", ["x", "x" * 43, "%00", "..", "a" * 300])
async def test_a_guess_finds_nothing(anybody: httpx.AsyncClient, secret: str) -> None:
    assert (await anybody.get(f"/api/booking/calendars/{secret}.ics")).status_code in {404, 422}


async def test_feeds_are_made_by_members_alone(workshop: Workshop, anybody: httpx.AsyncClient) -> None:
    assert (await anybody.post("/api/booking/my/feeds", json={"kind": "member"})).status_code == 401
    assert (await anybody.get("/api/booking/my/feeds")).status_code == 401


async def test_the_same_key_gives_the_same_address_which_is_kept_sealed(
    workshop: Workshop, anybody: httpx.AsyncClient
) -> None:
    body, key = {"kind": "member", "subject_id": None}, {"Idempotency-Key": "f1"}
    first, again = [(await workshop.as_ana.post("/my/feeds", json=body, headers=key)).json() for _ in "12"]
    assert first == again
    assert (await anybody.get(first["address"])).status_code == 200
    other = {"kind": "busy", "subject_id": str(workshop.laser)}
    assert (await workshop.as_ana.post("/my/feeds", json=other, headers=key)).status_code == 422
    theirs = await workshop.as_chloe.post("/my/feeds", json=body, headers=key)  # a key is one member's
    assert theirs.json()["address"] != first["address"]
    async with workshop.db.reading() as session:
        kept = (await session.execute(sa.text("SELECT i::text FROM idempotency i"))).scalars().all()
    secret = first["address"].rsplit("/", 1)[1].removesuffix(".ics")
    assert len(kept) == 2
    assert secret not in "".join(kept)
