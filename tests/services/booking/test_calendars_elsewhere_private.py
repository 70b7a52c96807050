"""The address of somebody's calendar elsewhere: where it may not lead, who may read it, and when it is forgotten."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from contracts.booking import BusyChanged
from contracts.identity import MemberState
from services.booking.commands import copies
from services.booking.sealing import CannotOpen, Sealer
from tests.services.booking.test_calendars_elsewhere import (
    SECRET,
    Server,
    busy_at,
    due_again,
    elsewhere,
    follow,
    reader,
    serving,
    state,
    studio,
)
from tests.services.booking.workshop import Workshop, at

__all__ = ["elsewhere", "studio"]


@pytest.mark.parametrize(
    "address",
    [
        "http://calendar.example/x.ics", "https://127.0.0.1/x", "https://[::1]/x", "https://[::ffff:10.0.0.1]/x",
        "https://169.254.169.254/latest/meta-data", "https://10.0.0.1:5432/", "https://localhost/x", "https://rabbitmq/x",
        "https://user:secret@calendar.example/x", "ftp://calendar.example/x", "file:///etc/passwd", "", "calendar",
    ],
)  # fmt: skip
async def test_no_address_leads_into_our_own_house(workshop: Workshop, address: str) -> None:
    answer = await workshop.as_omar.put("/my/calendar", json={"address": address})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["address"]
    assert (await state(workshop))["given"] is False


async def test_a_name_that_leads_into_our_own_house_is_not_called(
    workshop: Workshop, elsewhere: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = await workshop.as_omar.put("/my/calendar", json={"address": "webcal://calendar.example/x.ics"})
    assert given.json()["host"] == "calendar.example"
    port = int(elsewhere.address.split(":")[2].split("/")[0])

    async def here(*_args: object, **_more: object) -> list[Any]:
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", here)
    await reader(workshop).read_due()
    assert (await state(workshop))["error"] == "not_public"
    assert elsewhere.asked == []


async def test_the_address_is_a_secret(
    studio: Workshop, elsewhere: Server, loud_logs: pytest.CaptureFixture[str]
) -> None:
    await follow(studio, elsewhere, 10)
    elsewhere.content = b"no"
    await due_again(studio)
    await studio.as_omar.put("/my/calendar", json={"address": "http://127.0.0.1:1/" + SECRET})
    await due_again(studio)
    shown = (await studio.as_omar.get("/my/calendar")).text
    refused = await studio.as_omar.put("/my/calendar", json={"address": f"gopher://x/{SECRET}"})
    async with studio.db.reading() as session:
        kept = (await session.execute(sa.text("SELECT c::text FROM external_calendars c"))).scalar_one()
    assert SECRET not in "".join([shown, refused.text, kept, *loud_logs.readouterr()])
    assert SECRET.encode().hex() not in kept


async def test_a_sealed_address_opens_for_its_member_and_under_its_key_alone(studio: Workshop) -> None:
    settings = studio.service.app.state.settings
    sealed = Sealer(settings).seal(studio.omar, "https://x.example/y")
    assert Sealer(settings).open(studio.omar, sealed) == "https://x.example/y"
    with pytest.raises(CannotOpen):
        Sealer(settings).open(studio.ana, sealed)
    with pytest.raises(CannotOpen):
        Sealer(settings).open(studio.omar, b"short")
    await studio.as_omar.put("/my/calendar", json={"address": "https://x.example/y"})
    (studio.instance.secrets_dir / "booking_calendar_key").write_text("another", encoding="utf-8")
    await reader(studio).read_due()
    assert (await state(studio))["error"] == "forgotten"


async def test_another_address_given_meanwhile_counts(studio: Workshop, elsewhere: Server) -> None:
    await follow(studio, elsewhere, 10)
    async with serving() as other:
        other.content = busy_at(14)
        reading = reader(studio)
        await studio.sql("UPDATE external_calendars SET next_at = now()")
        slow = asyncio.create_task(reading.read_due())
        await asyncio.sleep(0)
        await studio.as_omar.put("/my/calendar", json={"address": other.address})
        await slow
        while await reader(studio).read_due():
            pass
    assert (await studio.book(studio.as_ana, at(10), at(11))).status_code == 201
    assert (await studio.book(studio.as_ana, at(14), at(15))).status_code == 409


async def test_taking_it_back_forgets_everything(studio: Workshop, elsewhere: Server) -> None:
    await follow(studio, elsewhere, 10)
    await studio.said()
    assert (await studio.as_omar.delete("/my/calendar")).status_code == 204
    assert (await state(studio))["given"] is False
    assert len(await studio.said(BusyChanged)) == 1
    assert (await studio.book(studio.as_ana, at(10), at(11))).status_code == 201


async def test_who_leaves_leaves_no_calendar(studio: Workshop, elsewhere: Server) -> None:
    await follow(studio, elsewhere, 10)
    left = MemberState(id=studio.omar, name="Omar", role="member", status="left", locale="fr", version=2)
    async with studio.db.transaction() as session:
        await copies.keep_member(session, left, now=datetime.now(UTC))
    async with studio.db.reading() as session:
        for table in ("external_calendars", "external_busy", "resource_calendars", "feeds"):
            assert (await session.execute(sa.select(sa.func.count()).select_from(sa.table(table)))).scalar_one() == 0
