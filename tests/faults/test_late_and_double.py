"""Every event twice and in any order: what services keep is the newest, what they do they do once."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from contracts.booking import (
    BookingCancelled,
    BookingConfirmed,
    BookingRequested,
    BookingState,
    BusyChanged,
    Interval,
    Party,
    Status,
)
from contracts.envelope import Event
from contracts.identity import MemberChanged, MemberContactChanged, MemberInvited, MemberState
from services.booking import app as booking
from services.booking.settings import BookingSettings
from services.catalog import app as catalog
from services.catalog.settings import CatalogSettings
from services.chassis.ids import new_id
from services.chassis.process import Service
from services.matching import app as matching
from services.matching.settings import MatchingSettings
from services.notify import app as notify
from services.notify.settings import NotifySettings
from tests.faults.ledger import Ledger
from tests.faults.said import LONG_AGO, PEER, Said, Speaker, gone, published, received, withdrawn
from tests.instances import Instance
from tests.services.chassis.trial import until

pytestmark = [pytest.mark.xdist_group("faults-messages"), pytest.mark.timeout(240)]

LIVES = 12
"""How many things go through the same life, each in an order of its own."""


def scattered(events: Sequence[Event], seed: int) -> list[Said]:
    """Each event twice, under one id, in an order that `seed` alone decides."""
    said = [Said.of(event, at=LONG_AGO + timedelta(seconds=place)) for place, event in enumerate(events)]
    deliveries = [*said, *said]
    random.Random(seed).shuffle(deliveries)
    return deliveries


async def rows(service: Service, query: str, **values: Any) -> list[dict[str, Any]]:
    assert service.database is not None
    async with service.database.reading() as session:
        return [dict(row) for row in (await session.execute(sa.text(query), values)).mappings()]


async def hear_all(
    post_office: Instance, speaker: Speaker, deliveries: Sequence[Said], *services: Service
) -> tuple[str, int]:
    """Say `deliveries`; return when `services` have taken every one of them and have come to rest.

    Returns what the ledger asks: the load, and how many events were on their way.
    """
    unique = {said.envelope.id for said in deliveries}
    query = "SELECT id FROM inbox WHERE id = ANY(:unique)"

    async def all_noted() -> bool:
        noted = [await rows(service, query, unique=list(unique)) for service in services]
        return all(len(rows) >= len(unique) for rows in noted)

    async with post_office.running(*services):
        await speaker.say(*deliveries)
        await until(all_noted, 90)
    types = {said.envelope.type for said in deliveries}
    for service in services:  # their end lets them finish what is in hand; what they had not taken is back by now
        assert await speaker.left(service.name, sorted(types)) == 0
        assert await speaker.dead(service.name) == 0
        assert len(await rows(service, query, unique=list(unique))) == len(unique)
    return f"{len(deliveries)} deliveries", len(unique)


async def test_a_withdrawn_listing_does_not_come_back_by_a_late_or_doubled_event(
    post_office: Instance, speaker: Speaker, ledger: Ledger
) -> None:
    listeners = (
        matching.build(post_office.settings(MatchingSettings)),
        booking.build(post_office.settings(BookingSettings)),
    )
    ended, living = [new_id() for _ in range(LIVES)], [new_id() for _ in range(LIVES)]
    deliveries: list[Said] = []
    for seed, listing_id in enumerate(ended):
        life = [*(published(listing_id, version) for version in (1, 2, 3)), withdrawn(listing_id, 4)]
        deliveries += scattered(life, seed)
    for seed, listing_id in enumerate(living):
        life = [published(listing_id, 1), withdrawn(listing_id, 2), published(listing_id, 3)]
        deliveries += scattered(life, seed)
    load, events = await hear_all(post_office, speaker, deliveries, *listeners)
    things = {row["id"]: row for row in await rows(listeners[0], "SELECT id, version, gone, title, text FROM things")}
    offers = {row["id"]: row for row in await rows(listeners[1], "SELECT id, version, published, title FROM offers")}
    for listing_id in ended:
        assert things[listing_id] == {"id": listing_id, "version": 4, "gone": True, "title": "", "text": ""}
        assert (offers[listing_id]["version"], offers[listing_id]["published"]) == (4, False)
    for listing_id in living:
        assert (things[listing_id]["version"], things[listing_id]["title"]) == (3, "Version 3")
        assert (offers[listing_id]["version"], offers[listing_id]["published"]) == (3, True)
    ledger.note("events reordered and doubled", load=load, in_flight=events, lost=0, doubled=0, heal=None)


async def test_a_peers_listing_that_is_gone_stays_gone_and_a_new_epoch_counts_more_than_a_version(
    post_office: Instance, speaker: Speaker
) -> None:
    listeners = (
        catalog.build(post_office.settings(CatalogSettings)),
        matching.build(post_office.settings(MatchingSettings)),
        booking.build(post_office.settings(BookingSettings)),
    )
    ended, restored = [new_id() for _ in range(LIVES)], [new_id() for _ in range(LIVES)]
    deliveries: list[Said] = []
    for seed, listing_id in enumerate(ended):
        deliveries += scattered([received(listing_id, 1), received(listing_id, 2), gone(listing_id, 3)], seed)
    for seed, listing_id in enumerate(restored):
        deliveries += scattered(
            [received(listing_id, 8), received(listing_id, 9), received(listing_id, 2, epoch=2)], seed
        )
    await hear_all(post_office, speaker, deliveries, *listeners)
    kept_by = {
        "catalog": "SELECT id, epoch, version, gone FROM copies",
        "matching": "SELECT id, epoch, version, gone FROM things",
        "booking": "SELECT id, epoch, version, NOT published AS gone FROM offers",
    }
    for service in listeners:
        kept = await rows(service, kept_by[service.name] + " WHERE origin = :peer", peer=PEER)
        wanted = [{"id": one, "epoch": 1, "version": 3, "gone": True} for one in ended]
        wanted += [{"id": one, "epoch": 2, "version": 2, "gone": False} for one in restored]
        assert sorted(kept, key=_id) == sorted(wanted, key=_id), service.name


async def test_busy_times_that_come_late_do_not_free_what_was_taken(post_office: Instance, speaker: Speaker) -> None:
    listener = matching.build(post_office.settings(MatchingSettings))
    offers = [new_id() for _ in range(LIVES)]
    deliveries: list[Said] = []
    for seed, offer_id in enumerate(offers):
        deliveries += scattered([busy(offer_id, version) for version in (1, 2, 3)], seed)
    await hear_all(post_office, speaker, deliveries, listener)
    kept = await rows(
        listener, "SELECT version, jsonb_array_length(intervals) AS intervals FROM busy WHERE origin = ''"
    )
    assert kept == [{"version": 3, "intervals": 3}] * LIVES


async def test_people_are_told_of_each_change_once_and_of_the_last_at_last(
    post_office: Instance, speaker: Speaker, ledger: Ledger
) -> None:
    listener = notify.build(post_office.settings(NotifySettings))
    marie, paul = new_id(), new_id()
    deliveries = [said for member in (marie, paul) for said in scattered(introduced(member), seed=1)]
    lives = [new_id() for _ in range(LIVES)]
    for seed, booking_id in enumerate(lives):
        life = [
            BookingRequested(booking=state(booking_id, marie, paul, "pending", 1)),
            BookingConfirmed(booking=state(booking_id, marie, paul, "confirmed", 2)),
            BookingCancelled(booking=state(booking_id, marie, paul, "cancelled", 3), by="owner"),
        ]
        deliveries += scattered(life, seed)
    load, events = await hear_all(post_office, speaker, deliveries, listener)
    told = await rows(listener, "SELECT member_id, template, about_id FROM notifications WHERE about_type = 'booking'")
    doubled = len(told) - len({tuple(map(str, row.values())) for row in told})
    ledger.note("messages to people doubled", load=load, in_flight=events, lost=0, doubled=doubled, heal=None)
    last = await rows(
        listener,
        "SELECT DISTINCT ON (about_id) about_id, template FROM notifications"
        " WHERE member_id = :marie ORDER BY about_id, seq DESC",
        marie=marie,
    )
    assert {row["about_id"]: row["template"] for row in last} == {str(one): "booking-cancelled" for one in lives}
    assert await rows(listener, "SELECT DISTINCT version FROM bookings") == [{"version": 3}]


async def test_an_invitation_said_three_times_is_mailed_once(post_office: Instance, speaker: Speaker) -> None:
    """Such an event has no version by which a second delivery would show as old."""
    listener = notify.build(post_office.settings(NotifySettings))
    guest = f"{new_id()}@maillage.example"
    said = Said.of(
        MemberInvited(
            request_id=new_id(),
            email=guest,
            name="Karim",
            locale="fr",
            link="https://maillage.example/account/join/x",
            expires_at=datetime.now(UTC) + timedelta(days=7),
            inviter_name="Claire",
            cooperative_name="Namur",
        )
    )
    await hear_all(post_office, speaker, [said, said, said], listener)
    assert await rows(listener, "SELECT count(*) FROM deliveries WHERE email = :guest", guest=guest) == [{"count": 1}]


def _id(row: dict[str, Any]) -> str:
    return str(row["id"])


def busy(offer_id: UUID, version: int) -> BusyChanged:
    """As many busy hours as the version says."""
    hours = [LONG_AGO + timedelta(hours=hour) for hour in range(version)]
    return BusyChanged(
        offer_id=offer_id,
        since=LONG_AGO,
        until=LONG_AGO + timedelta(days=300),
        busy=[Interval(start=hour, end=hour + timedelta(minutes=30)) for hour in hours],
        version=version,
    )


def introduced(member_id: UUID) -> list[Event]:
    member = MemberState(id=member_id, name="Marie", role="member", status="active", locale="fr", version=1)
    return [
        MemberChanged(member=member),
        MemberContactChanged(member_id=member_id, name="Marie", email="m@maillage.example", locale="fr", version=1),
    ]


def state(booking_id: UUID, borrower: UUID, owner: UUID, status: Status, version: int) -> BookingState:
    return BookingState(
        id=booking_id,
        offer_id=UUID(int=3),
        offer_title="Découpeuse laser",
        resource_origin=None,
        origin_name=None,
        borrower=Party(member_id=borrower, name="Marie"),
        owner=Party(member_id=owner, name="Paul"),
        start=LONG_AGO + timedelta(days=400),
        end=LONG_AGO + timedelta(days=400, hours=2),
        time_zone="Europe/Paris",
        place_label=None,
        quantity=1,
        note="",
        status=status,
        reason=None,
        decide_by=None,
        version=version,
        changed_at=LONG_AGO + timedelta(minutes=version),
    )
