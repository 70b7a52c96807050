"""A hub that lies about keys, forges, replays, drops and reorders; and what even an honest one cannot read."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import sqlalchemy as sa
from joserfc import jws
from joserfc.jwk import OKPKey

from contracts.booking import BookingConfirmed, BookingRequested, Party
from contracts.catalog import ListingState
from contracts.federation import BookingAnswerReceived, BookingRequestReceived, ContactReceived
from contracts.link import MemberTold
from contracts.notify import ContactDisclosed
from services.chassis.clock import Clock
from services.chassis.ids import new_id
from services.federation import boxes, carrying, hub, peer_keys, receiving, saying
from services.federation.keys import ALGORITHM, Keys
from services.federation.sealed import TYP, Content
from services.federation.tables import border_outbox, links, sent_log, shares
from tests.servers import Servers
from tests.services.federation.around_a_hub import (
    PATIENCE,
    Region,
    a_region,
    entry_of,
    holds_of,
    id_of_link,
    link_of,
    link_through_hub,
    until_holds,
)
from tests.services.federation.hub_secrets import everything_in
from tests.services.federation.pair import Post, eventually, listing, pause, published
from tests.services.federation.test_sharing import booking_of, known, resource_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]

NOW = Clock().now


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def region(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Region]:
    """Lille and Namur linked through the hub."""
    async with a_region(servers, tmp_path_factory.mktemp("hostile")) as made:
        await link_through_hub(made.lille, made.namur)
        yield made


def somebody() -> Keys:
    return Keys(OKPKey.generate_key(ALGORITHM), OKPKey.generate_key(ALGORITHM))


def header_of(kid: str) -> dict[str, str]:
    return {"alg": ALGORITHM, "kid": kid, "typ": TYP}


async def hub_says(region: Region, reader: Post, told: MemberTold) -> None:
    """The hub's own word to one of its members, as an honest hub would send it."""
    async with region.hub.db.transaction() as session:
        query = sa.select(links).where(links.c.id == await id_of_link(region.hub, reader))
        link = (await session.execute(query)).mappings().one()
        await saying.say(session, link, told)


async def refusals_of(post: Post, peer: Post) -> list[str]:
    page = await post.call("GET", f"/links/{await id_of_link(post, peer)}/refusals")
    return sorted(refusal["reason"] for refusal in page["items"])


async def until_refused(post: Post, peer: Post, reasons: list[str]) -> None:
    async def all_of_them() -> bool:
        return await refusals_of(post, peer) == sorted(reasons)

    await eventually(all_of_them, seconds=PATIENCE)
    assert (await link_of(post, peer))["refused"] == len(reasons)


async def test_a_hub_that_lies_about_a_key_is_not_believed(region: Region) -> None:
    lille, namur, _ = region.members
    pinned = await entry_of(lille, namur)
    thief = somebody()
    honest: dict[str, Any] = {
        "member": UUID(pinned["member"]), "instance_id": namur.border.us, "name": "Namur", "summary": "", "web": "",
        "status": "member", "key_set": namur.border.keys.key_set(NOW()),
    }  # fmt: skip
    another = honest | {"instance_id": thief.instance_id, "key_set": thief.key_set(NOW())}
    swapped = honest | {"key_set": thief.key_set(NOW())}
    head, payload, signature = namur.border.keys.key_set(NOW()).split(".")
    tampered = honest | {"key_set": f"{head}.{payload[:-8]}AAAAAAAA.{signature}"}
    for lie in (another, swapped, tampered):
        await hub_says(region, lille, MemberTold.model_validate(lie))
    await until_refused(lille, region.hub, ["another_key"] * 3)
    shown = await entry_of(lille, namur)
    assert (shown["doubt"], shown["thumbprint"]) == ("another_key", pinned["thumbprint"])
    same_name = honest | {"member": new_id(), "instance_id": thief.instance_id, "key_set": thief.key_set(NOW())}
    for name, doubt in (
        (shown["name"].upper(), "same_name"),
        ("Autre", None),
        (f" {shown['name']}\u200b", "same_name"),
    ):
        await hub_says(region, lille, MemberTold.model_validate(same_name | {"name": name}))

        async def is_doubted(wanted: str | None = doubt) -> bool:
            found = await lille.call("GET", "/members")
            return [one["doubt"] for one in found if one["peer_id"] == thief.instance_id] == [wanted]

        await eventually(is_doubted, seconds=PATIENCE)
    offer = listing(title="Toujours pour Namur")
    await lille.say("catalog", published(offer))
    await until_holds(namur, lille, {offer.id: 1})


async def test_what_the_hub_drops_reorders_and_repeats_arrives_once(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    lille, namur, _ = region.members
    before = await holds_of(namur, lille)
    caught: list[str] = []

    async def keep(_session: Any, _link_id: UUID, bodies: list[bytes], **_bounds: Any) -> list[Any]:
        caught.extend(body.decode() for body in bodies if boxes.recipient_of(body) == namur.border.us)
        return []

    offers = [listing(title=f"Dans le désordre {number}") for number in range(5)]
    with monkeypatch.context() as patched:
        patched.setattr(hub, "pass_on_boxes", keep)
        for offer in offers:
            await lille.say("catalog", published(offer))

        async def are_caught() -> bool:
            told = {row["thing_id"] for row in await lille.rows(shares)}
            return {offer.id for offer in offers} <= told and len(caught) >= len(offers)

        await eventually(are_caught, seconds=PATIENCE)
    shuffled = [body for number, body in enumerate(reversed(caught)) if number != 1]
    async with region.hub.db.transaction() as session:
        await carrying.put_as_it_is(session, await id_of_link(region.hub, namur), [*shuffled, *shuffled])
    await until_holds(namur, lille, before | {offer.id: 1 for offer in offers})
    assert (await link_of(namur, lille))["refused"] == 0


def tripping_over(box: str, reader: Post) -> str:
    """The same box under a header whose key is of a curve that nobody uses for boxes."""
    curve = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "typ": boxes.TYP, "kid": reader.border.us, "epk": curve}
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{head}.{box.partition('.')[2]}"


async def test_the_hub_can_speak_for_nobody(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    lille, namur, gand = region.members
    content = Content(**json.loads((await lille.rows(sent_log))[-1]["content"])).model_dump(mode="json")
    claimed = json.dumps(content | {"source": lille.border.us, "seq": content["seq"] + 1000}).encode()
    forged = jws.serialize_compact(
        header_of(lille.border.keys.signing_kid), claimed, region.hub.border.keys.signing, algorithms=[ALGORITHM]
    ).encode()
    own = json.dumps(content | {"source": region.hub.border.us}).encode()
    own_header = header_of(region.hub.border.keys.signing_kid)
    by_itself = jws.serialize_compact(own_header, own, region.hub.border.keys.signing, algorithms=[ALGORITHM]).encode()
    box = str(namur.border.keys.box.as_dict(private=False)["x"])
    closed = [boxes.close(body, namur.border.us, box).decode() for body in (forged, by_itself)]
    elsewhere = boxes.close(forged, gand.border.us, str(gand.border.keys.box.as_dict(private=False)["x"])).decode()
    stranger = somebody()
    unknown = boxes.close(forged, stranger.instance_id, str(stranger.box.as_dict(private=False)["x"])).decode()
    tripping = tripping_over(closed[0], namur)
    async with region.hub.db.transaction() as session:
        at_namur = await id_of_link(region.hub, namur)
        await carrying.put_as_it_is(session, at_namur, [*closed, elsewhere, unknown])
    so_far = ["forged", "wrong_source", "wrong_audience", "wrong_audience"]
    await until_refused(namur, region.hub, so_far)
    async with region.hub.db.transaction() as session:
        await carrying.put_as_it_is(session, at_namur, [tripping])
    so_far.append("unreadable")
    await until_refused(namur, region.hub, so_far)
    # a key that Lille never had: whoever has closed the box, it was the hub that handed it to us
    kid = somebody().signing_kid
    strange = jws.serialize_compact(header_of(kid), claimed, somebody().signing, algorithms=[ALGORITHM]).encode()
    with monkeypatch.context() as patched:
        patched.setattr(peer_keys, "WAIT_AT_MOST", timedelta(0))
        async with region.hub.db.transaction() as session:
            await carrying.put_as_it_is(session, at_namur, [boxes.close(strange, namur.border.us, box).decode()])
        await until_refused(namur, region.hub, [*so_far, "unknown_key"])
    with monkeypatch.context() as patched:
        patched.setattr(receiving, "QUARANTINED_AT_MOST", 0)
        async with region.hub.db.transaction() as session:
            await carrying.put_as_it_is(session, at_namur, [boxes.close(strange, namur.border.us, box).decode()])
        await until_refused(namur, region.hub, [*so_far, "unknown_key", "unknown_key"])
    assert await refusals_of(namur, lille) == []


async def until_bookable(origin: Post, offer: ListingState) -> None:
    """Others were told how it is booked."""

    async def is_told() -> bool:
        return any(row["thing_id"] == offer.id and row["resource_version"] for row in await origin.rows(shares))

    await eventually(is_told, seconds=PATIENCE)


async def until_passed_on(region: Region, *words: str) -> None:
    """Something with these words has left Lille, and the hub's hands."""

    async def is_passed_on() -> bool:
        said = [row for row in await region.lille.rows(sent_log) if all(word in row["content"] for word in words)]
        waiting = await region.lille.rows(border_outbox) + await region.hub.rows(border_outbox)
        return bool(said) and not waiting

    await eventually(is_passed_on, seconds=PATIENCE)


async def all_that_the_hub_stores(region: Region) -> str:
    settings = region.hub.instance.settings()
    return await everything_in(
        region.hub.instance.name,
        database_url=settings.secret("admin_database_url"),
        broker_url=settings.secret("admin_broker_url"),
    )


async def test_the_hub_stores_nothing_that_it_could_read_of_what_is_not_public(region: Region) -> None:
    lille, namur, _ = region.members
    public, secret = f"VITRINE{new_id().hex}", f"SECRET{new_id().hex}"
    offer = listing(title=f"Partagée {secret}", text=f"Entre nous {secret}")
    shown = listing(title=f"Pour tous {public}", scope="public", owner_name=f"Ana {secret}")
    async with (
        lille.ear("booking", BookingRequestReceived) as requests,
        namur.ear("booking", BookingAnswerReceived) as answers,
        namur.ear("notify", ContactReceived) as contacts,
    ):
        await lille.say("catalog", published(offer))
        await lille.say("catalog", published(shown))
        await lille.say("booking", resource_of(offer))
        await known(lille, shown.id)
        borrower = Party(member_id=new_id(), name=f"Omar {secret}")
        wish = booking_of(
            offer, resource_origin=lille.border.us, origin_name="Lille", borrower=borrower, note=f"Note {secret}"
        )
        await until_bookable(lille, offer)
        await namur.say("booking", BookingRequested(booking=wish))
        request = await requests()
        assert secret in request.note
        # from here on what goes to Namur waits at the hub, so that there is something to be read
        at_hub = await id_of_link(namur, region.hub)
        await pause(namur, at_hub)
        guest = Party(peer_id=namur.border.us, pseudonym=request.pseudonym)
        decided = booking_of(offer, id=wish.id, borrower=guest, status="confirmed", version=2, place_label=secret)
        await lille.say("booking", BookingConfirmed(booking=decided))
        await lille.say(
            "notify",
            ContactDisclosed(booking_id=wish.id, peer_id=namur.border.us, name=secret, email=f"{secret}@ici.example"),
        )
        await until_passed_on(region, "contact", secret)
        stored = await all_that_the_hub_stores(region)
        assert public in stored
        assert namur.border.us in stored
        assert secret not in stored
        await namur.call("POST", f"/links/{at_hub}/resume")
        assert (await answers()).place_label == secret
        assert (await contacts()).name == secret
