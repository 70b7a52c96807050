"""What coordinators limit a link to, what they see of it, blocked cooperatives, and requests sent twice."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from contracts.border import BorderBookingRequested
from contracts.catalog import ListingWithdrawn
from contracts.federation import BookingRequestReceived, ListingReceived
from services.chassis.ids import new_id
from services.federation import tending
from services.federation.domain import decode_code
from services.federation.mending_tables import idempotency
from services.federation.own_tables import invitations
from services.federation.tables import guest_bookings, sent_log, streams
from tests.services.federation.pair import Pair, Post, eventually, listing, pause, published
from tests.services.federation.test_hostile_peer import Namur
from tests.services.federation.test_mending import holds, is_gone
from tests.services.federation.test_sharing import TOMORROW, can_be_booked

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_LIMITS: dict[str, Any] = {
    "share_kinds": None, "share_circles": None, "withheld": [], "open_requests_at_most": None,
}  # fmt: skip


async def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nobody says anything by itself."""

    async def nothing(*_given: object, **_named: object) -> None: ...

    monkeypatch.setattr(tending, "tend", nothing)
    await asyncio.sleep(0.5)


async def seen(post: Post, link_id: object) -> dict[str, Any]:
    page = await post.call("GET", f"/links/{link_id}/catalogue?limit=200")
    return {one["listing"]["id"]: one["listing"] for one in page["items"]}


async def test_limits_take_back_what_may_no_longer_go_and_lifting_them_gives_it_again(pair: Pair) -> None:
    link_id, _ = await pair.link()
    circle = new_id()
    machine, space = listing(owner_circle_id=circle), listing(kind="space", title="Salle")
    for offer in (machine, space):
        await pair.lille.say("catalog", published(offer))
    await eventually(lambda: holds(pair.namur, [machine, space]))
    for limits, gone in (({"share_kinds": ["machine"]}, space), ({"share_circles": []}, machine)):
        await pair.lille.call("PUT", f"/links/{link_id}/limits", json=NO_LIMITS | limits)
        await eventually(lambda offer=gone: is_gone(pair.namur, offer))
        assert str(gone.id) not in await seen(pair.lille, link_id)
        await pair.lille.call("PUT", f"/links/{link_id}/limits", json=NO_LIMITS)
        await eventually(lambda: holds(pair.namur, [machine, space]))


async def test_a_withheld_field_leaves_the_peers_copy_although_its_version_is_the_same(pair: Pair) -> None:
    link_id, _ = await pair.link()
    offer = listing()
    async with pair.namur.ear("matching", ListingReceived) as heard:
        await pair.lille.say("catalog", published(offer))
        while (first := await heard()).listing.id != offer.id:
            pass
        assert first.listing.text and first.listing.place  # noqa: PT018 - both were there
        await pair.lille.call("PUT", f"/links/{link_id}/limits", json=NO_LIMITS | {"withheld": ["text", "place"]})
        while (again := await heard()).listing.id != offer.id:
            pass
    assert (again.listing.text, again.listing.place, again.listing.title) == ("", None, offer.title)
    # our services compare (epoch, version)
    assert (again.epoch, again.listing.version) > (first.epoch, first.listing.version)
    assert (await seen(pair.lille, link_id))[str(offer.id)] == again.listing.model_dump(mode="json")


async def test_coordinators_see_who_still_holds_a_copy_of_what(pair: Pair) -> None:
    link_id, namur_id = await pair.link()
    offer = listing(title="Presse à graver")
    await pair.lille.say("catalog", published(offer))

    async def state() -> str | None:
        page = await pair.lille.call("GET", f"/links/{link_id}/copies?limit=200")
        return {one["id"]: one["copy_state"] for one in page["items"]}.get(str(offer.id))

    async def is_in(wanted: str) -> bool:
        return await state() == wanted

    await eventually(lambda: is_in("holds"))
    await pause(pair.namur, namur_id)
    await pair.lille.say("catalog", ListingWithdrawn(id=offer.id, side="offer", version=2, reason="withdrawn"))
    await eventually(lambda: is_in("to_be_deleted"))
    await pair.namur.call("POST", f"/links/{namur_id}/resume")
    await eventually(lambda: is_in("deleted"))


async def test_a_blocked_cooperative_can_no_longer_link_with_us(pair: Pair) -> None:
    link_id, _ = await pair.link()
    blocked = await pair.lille.call("POST", f"/links/{link_id}/block")
    await pair.until_status("ended")
    refused = await pair.namur.call("POST", "/links", json={"code": await pair.invite()}, expect=502)
    assert "403" in refused["detail"]
    assert [one["peer_id"] for one in await pair.lille.call("GET", "/blocks")] == [blocked["peer_id"]]
    await pair.lille.call("DELETE", f"/blocks/{blocked['peer_id']}", expect=204)
    await pair.link()


async def test_requests_that_the_border_declines_itself_are_answered(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    link_id, namur_id = await pair.link()
    namur, offer = Namur(pair, namur_id), listing()
    await can_be_booked(pair, offer)
    await pair.lille.call("PUT", f"/links/{link_id}/limits", json=NO_LIMITS | {"open_requests_at_most": 1})

    def asked() -> BorderBookingRequested:
        return BorderBookingRequested(
            booking_id=new_id(), offer_id=offer.id, pseudonym="p", start=TOMORROW, end=TOMORROW + timedelta(hours=1),
            quantity=1, note="", decide_by=TOMORROW,
        )  # fmt: skip

    first, second = asked(), asked()
    await silence(monkeypatch)
    place = next(row for row in await pair.namur.rows(streams) if row["link_id"] == namur_id)
    async with pair.lille.ear("booking", BookingRequestReceived) as requests:
        await namur.put(
            *(
                namur.message(event, place["seq"] + number, epoch=place["epoch"])
                for number, event in enumerate((first, second), 1)
            )
        )
        assert (await requests()).booking_id == first.booking_id

    async def is_declined() -> bool:
        said = [row["content"] for row in await pair.lille.rows(sent_log)]
        return any(str(second.booking_id) in text and '"declined"' in text for text in said)

    await eventually(is_declined)
    assert {row["booking_id"] for row in await pair.lille.rows(guest_bookings)} == {first.booking_id}


async def test_an_invitation_asked_for_twice_is_one_and_its_secret_is_kept_nowhere(pair: Pair) -> None:
    async with pair.lille.client() as client:
        answers = [await client.post("/invitations", headers={"Idempotency-Key": "k1"}) for _ in range(2)]
        other = await client.post("/invitations", headers={"Idempotency-Key": "k2"})
    first, again = (answer.json() for answer in answers)
    assert first == again
    assert other.json()["code"] != first["code"]
    assert len(await pair.lille.rows(invitations)) >= 2
    secret = decode_code(first["code"]).s
    kept = str(await pair.lille.rows(idempotency)) + str(await pair.lille.rows(invitations))
    assert secret not in kept
    assert first["code"] not in kept


async def test_an_invitation_entered_twice_asks_once(pair: Pair) -> None:
    code = await pair.invite()
    async with pair.namur.client() as client:
        answers = [
            await client.post("/links", json={"code": code}, headers={"Idempotency-Key": "once"}) for _ in range(2)
        ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert code not in str(await pair.namur.rows(idempotency))
