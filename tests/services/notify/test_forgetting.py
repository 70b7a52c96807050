"""Whoever has left stays in no table of notify, and nobody else loses anything."""

import json

import pytest
import sqlalchemy as sa

from contracts.booking import BookingConfirmed
from contracts.identity import AccessChanged
from services.notify.tables import metadata
from tests.services.notify.conftest import Notify, booking

MARK = "Zoé (Qx7-Marquée)"
ADDRESS = "qx7.marquee@lille.example"


async def everything(notify: Notify) -> str:
    """All rows of all tables, as one text."""
    found: list[str] = []
    async with notify.db.reading() as session:
        for table in metadata.sorted_tables:
            rows = (await session.execute(sa.select(table))).mappings().all()
            found += [json.dumps({"in": table.name, **row}, default=str, ensure_ascii=False) for row in rows]
    return "\n".join(found)


@pytest.mark.parametrize("address_first", [False, True])
async def test_a_member_who_leaves_is_forgotten_in_whatever_order_it_is_told(
    notify: Notify, *, address_first: bool
) -> None:
    zoe, omar = await notify.member(MARK, email=ADDRESS), await notify.member("Omar")
    other = await notify.member("Zoé (Qx7-Marquéebis)", email="other@lille.example")
    for borrower, owner in ((zoe, omar), (omar, zoe), (other, omar)):
        state = booking(borrower, owner, status="confirmed")
        names = {zoe: MARK, omar: "Omar", other: "Zoé (Qx7-Marquéebis)"}
        sides = {
            "borrower": state.borrower.model_copy(update={"name": names[borrower]}),
            "owner": state.owner.model_copy(update={"name": names[owner]}),
        }
        await notify.tell(BookingConfirmed(booking=state.model_copy(update=sides)))
    await notify.tell(AccessChanged(member_id=zoe, what="password", email=ADDRESS.upper(), name=MARK, locale="fr"))
    before = await everything(notify)
    assert before.count(MARK) > 3
    assert ADDRESS.upper() in before
    told = await notify.inbox(omar)

    steps = [notify.tell_member(zoe, MARK, left=True), notify.tell_contact(zoe, MARK, None)]
    for step in reversed(steps) if address_first else steps:
        await step
    after = await everything(notify)
    left = [line for line in after.splitlines() if MARK in line or ADDRESS in line.lower()]
    waiting = [line for line in left if '"in": "deliveries"' in line]
    assert left == waiting, "mails to others that wait still say the name; it goes when they are sent"
    kept = await notify.inbox(omar)
    assert [row["id"] for row in kept] == [row["id"] for row in told]
    assert any("quelqu'un" in row["title"] + row["body"] for row in kept)
    assert "Zoé (Qx7-Marquéebis)" in str(kept)
    assert await notify.inbox(zoe) == []
