"""A cooperative comes back from a backup: what it had declined or called off since is over, here as for its peers."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.border import BorderBookingAnswered, BorderBookingRequested
from contracts.link import DecisionHandedBack, RecoveryAsked
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.federation import scrubbing
from services.federation.mending_tables import readmissions
from services.federation.sealed import Content, content_of, opened
from services.federation.tables import bookings_abroad, guest_bookings, links, outbox, sent_log, streams
from tests.services.federation.test_lies_about_a_restore import (
    HOUR,
    NOW,
    THE_DRILL,
    THE_VAN,
    Lille,
    handed_back,
    next_to_us,
    promise,
    readmitted,
    restored,
    write,
)
from tests.services.federation.test_what_a_hub_carries import LILLE, db, rows

__all__ = ["db"]

SOON = {"start": NOW + HOUR, "end": NOW + 2 * HOUR}


async def ended_again(db: Database) -> list[dict[str, Any]]:
    return [json.loads(row["data"]) for row in await rows(db, outbox) if "booking_end_handed_back" in row["type"]]


@pytest.mark.parametrize("status", ["declined", "cancelled", "expired"])
async def test_what_we_had_ended_is_over_as_we_signed_it(db: Database, status: str) -> None:
    lille = await restored(db)
    over = promise(new_id(), status=status, reason="En panne", version=4, withdrawals_heard=2, **SOON)
    await lille.say(lille.word(handed_back(lille, over, quantity=500, note="gravure", end=NOW + 90 * HOUR)))
    (back,) = await ended_again(db)
    assert (back["booking_id"], back["offer_id"]) == (str(over.booking_id), str(THE_DRILL))
    assert (back["status"], back["version"], back["reason"], back["quantity"]) == (status, 4, "En panne", 1)
    assert (back["end"], back["withdrawals_heard"], back["note"]) == (over.model_dump(mode="json")["end"], 2, "")
    assert (await readmitted(db), await lille.refused()) == ([], []), "nothing that could be taken for a promise"
    assert [row["booking_id"] for row in await rows(db, readmissions)] == [over.booking_id]
    (guest,) = await rows(db, guest_bookings)
    assert (guest["status"], guest["version"], guest["request"]) == (status, 4, None)


async def test_only_our_own_word_ends_anything(db: Database) -> None:
    lille = await restored(db)
    refusals: dict[str, DecisionHandedBack] = {
        "forged": handed_back(lille, promise(new_id(), status="cancelled"), by=LILLE),
        "not_theirs": handed_back(lille, promise(new_id(), status="cancelled"), offer_id=THE_VAN),
        "malformed": handed_back(lille, promise(new_id(), status="completed")),
    }
    await lille.say(*(lille.word(one) for one in refusals.values()))
    assert (await lille.refused(), await ended_again(db)) == (list(refusals), [])


async def test_to_who_has_forgotten_nothing_nothing_is_handed_back(db: Database) -> None:
    lille = await next_to_us(db)
    await lille.say(lille.word(RecoveryAsked(restored_at=NOW)))  # it comes back, not we
    await lille.say(lille.word(handed_back(lille, promise(new_id(), status="cancelled"))))
    assert (await lille.refused(), await ended_again(db)) == (["malformed"], [])


async def test_what_we_have_said_since_we_began_anew_is_not_forgotten(db: Database) -> None:
    """What was refused while we did not know yet that we had promised it ends nothing once that has come back."""
    lille = await restored(db)
    # signed in our first epoch, as all that the tests hand back: a link that began before that
    await write(db, sa.update(links).values(epoch=0), sa.update(streams).values(epoch=1))
    await lille.say(lille.word(handed_back(lille, promise(new_id(), status="declined"))))
    assert (await lille.refused(), await ended_again(db), await rows(db, readmissions)) == ([], [], [])


async def asked(db: Database, lille: Lille) -> UUID:
    """Our member's request, which Lille has heard."""
    wish: dict[str, Any] = {"booking_id": new_id(), "offer_id": THE_DRILL, "pseudonym": "p", "quantity": 1}
    wish |= {"note": "Pour un prototype", "decide_by": NOW} | SOON
    request = BorderBookingRequested(**wish)
    place: dict[str, Any] = {"event_id": new_id(), "stream": lille.link_id, "epoch": 1, "seq": 1, "now": NOW}
    content = content_of(request, audience=LILLE.instance_id, **place).model_dump_json()
    row = {"booking_id": request.booking_id, "peer_id": LILLE.instance_id, "request": content}
    await write(db, sa.insert(bookings_abroad).values(row))
    return request.booking_id


async def given_back(db: Database, lille: Lille) -> list[tuple[BorderBookingAnswered, BorderBookingRequested]]:
    """Of all that we hand back once Lille is restored: its answer, and what we had asked."""
    await lille.say(lille.word(RecoveryAsked(restored_at=NOW)))
    said = [Content.model_validate_json(row["content"]) for row in await rows(db, sent_log)]
    handed = [one.data for one in sorted(said, key=lambda one: one.seq) if one.type == DecisionHandedBack.type]
    read = BorderBookingAnswered.model_validate
    ask = BorderBookingRequested.model_validate
    return [
        (read(opened(one["decision"], LILLE).data), ask(Content.model_validate_json(one["request"]).data))
        for one in handed
    ]


async def test_what_a_peer_has_ended_is_kept_for_it_until_its_period_is_over(db: Database) -> None:
    lille = await next_to_us(db)
    stands, over, used, past = [await asked(db, lille) for _ in range(4)]
    await lille.say(lille.word(promise(over, status="cancelled", version=3, **SOON)))
    await lille.say(lille.word(promise(used, status="completed", **SOON)))
    await lille.say(lille.word(promise(past, status="declined", start=NOW - 2 * HOUR, end=NOW - HOUR)))
    await lille.say(lille.word(promise(stands, **SOON)))
    first, second = await given_back(db, lille)
    assert [(answer.booking_id, answer.status) for answer, _ in (first, second)] == [
        (stands, "confirmed"),
        (over, "cancelled"),
    ]
    assert [request.note for _, request in (first, second)] == ["Pour un prototype", ""], "nobody needs it any more"

    async def kept() -> set[UUID]:
        return {row["booking_id"] for row in await rows(db, bookings_abroad) if row["request"] or row["decision"]}

    for later, expected in ((timedelta(0), {stands, over}), (2 * HOUR, {stands})):
        async with db.transaction() as session:
            await scrubbing.forget_what_is_past(session, now=NOW + later)
        assert await kept() == expected
