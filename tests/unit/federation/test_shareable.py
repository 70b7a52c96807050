"""Nothing outside the allow-list leaves, whatever a listing, a resource or a booking holds."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from contracts.booking import (
    BookingState,
    BusyChanged,
    Interval,
    OpeningHours,
    Party,
    ResourceState,
    Status,
    UsedValue,
)
from contracts.catalog import Audience, ListingState
from contracts.identity import Place
from services.federation.shareable import (
    booking_answer,
    booking_request,
    may_go_to,
    rounded,
    shared_busy,
    shared_listing,
    shared_resource,
)

PEER, OTHER = "p" * 43, "o" * 43
instants = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
private = st.uuids().map(lambda u: f"private {u}")

listings = st.builds(
    ListingState,
    owner_name=private,
    place=st.none() | st.builds(Place, label=private.map(lambda street: f"{street}, 59000 Lille"),
                                latitude=st.floats(-90, 90), longitude=st.floats(-180, 180)),
    audience=st.builds(Audience, scope=st.sampled_from(["peers", "public"]), peer_ids=st.lists(st.just(PEER))),
    valid_from=instants, valid_until=instants, window_start=instants, window_end=instants, changed_at=instants,
    version=st.integers(1, 10**6), quantity=st.integers(1, 99),
)  # fmt: skip
parties = st.builds(Party, member_id=st.uuids(), name=private, pseudonym=st.just("pseudonym"))
bookings = st.builds(
    BookingState,
    borrower=parties, owner=parties, place_label=private, note=st.just("le mardi"), offer_title=private,
    reason=st.none(), start=instants, end=instants, decide_by=instants, changed_at=instants,
    version=st.integers(1, 99), quantity=st.integers(1, 9), resource_origin=st.none(), origin_name=st.none(),
)  # fmt: skip

LISTING_FIELDS = {
    *("id", "side", "kind", "title", "text", "category", "language", "place", "quantity", "unit", "public"),
    *("valid_until", "window_start", "window_end", "urgency", "version", "changed_at", "tags"),
}


def leaves(value: Any) -> set[str]:
    """Every scalar in a JSON document, as text."""
    if isinstance(value, dict):
        items: Any = value.values()
        return set().union(*(leaves(item) for item in items), set())
    if isinstance(value, list):
        return set().union(*(leaves(item) for item in value), set())
    return {str(value)}


def said(form: BaseModel) -> set[str]:
    return leaves(json.loads(form.model_dump_json()))


@given(listings)
def test_a_shared_listing_has_the_listed_fields_and_no_person(listing: ListingState) -> None:
    form = shared_listing(listing)
    assert set(type(form).model_fields) == LISTING_FIELDS
    told = said(form)
    assert not told & {str(listing.owner_member_id), str(listing.owner_circle_id), listing.owner_name} - {"None"}
    assert not told & {str(peer) for peer in listing.audience.peer_ids}
    assert not any("private" in text for text in told - {listing.title, listing.text, listing.category, listing.unit})


@given(listings.filter(lambda listing: listing.place is not None))
def test_a_place_is_rounded_to_about_a_kilometre(listing: ListingState) -> None:
    place = shared_listing(listing).place
    assert place is not None
    assert place.label == "Lille"
    for degrees in (place.latitude, place.longitude):
        assert degrees is not None
        assert degrees == round(degrees, 2)


@pytest.mark.parametrize(
    ("label", "town"),
    [
        ("12 rue des Arts, 59000 Lille", "Lille"),
        ("Rue Godefroid 5, 5000 Namur", "Namur"),
        ("La Machinerie, 1 bis rue Riolan, 80000 Amiens", "Amiens"),
        ("12 rue des Arts 59000 Lille Cedex 9", "Lille Cedex"),
        ("Lille", "Lille"),
        ("8 place Anatole-Gosselin, 80120 Rue", "Rue"),
        ("Rue", "Rue"),
        ("Villeneuve d'Ascq", "Villeneuve d'Ascq"),
        ("", ""),
    ],
)
def test_only_the_town_of_an_address_is_told(label: str, town: str) -> None:
    place = rounded(Place(label=label))
    assert place is not None
    assert (place.label, place.latitude) == (town, None)


@pytest.mark.parametrize(
    "label",
    ["12 rue des Arts", "Chez Marie, rue des Arts", "Lille, Rue Solférino", "Av. de la Gare", "Atelier, Kerkstraat"],
)
def test_a_street_without_a_town_is_not_told(label: str) -> None:
    place = rounded(Place(label=label))
    assert place is not None
    assert place.label == ""


@given(bookings)
def test_a_request_names_the_member_by_pseudonym_only(booking: BookingState) -> None:
    told = said(booking_request(booking, "pseudonym"))
    assert not told & {str(booking.borrower.member_id), str(booking.owner.member_id)}
    assert not any("private" in text for text in told)


@given(bookings)
def test_owner_and_exact_place_are_told_from_the_confirmation_on(booking: BookingState) -> None:
    answer = booking_answer(booking)
    if answer is None:
        assert booking.status in {"held", "cancelling"}
        return
    disclosed = booking.status in {"confirmed", "in_use", "overdue", "completed", "no_show"}
    assert (answer.owner_name == booking.owner.name) is disclosed
    assert (answer.place_label == booking.place_label) is disclosed
    assert not said(answer) & {str(booking.borrower.member_id), str(booking.borrower.name), booking.offer_title}


@pytest.mark.parametrize(
    ("status", "said_first", "use"),
    [
        ("in_use", "confirmed", "in_use"),
        ("overdue", "confirmed", "overdue"),
        ("no_show", "completed", "no_show"),
        ("confirmed", "confirmed", None),
        ("completed", "completed", None),
    ],
)
def test_how_it_is_used_is_said_beside_the_states_that_first_readers_know(
    status: Status, said_first: str, use: str | None
) -> None:
    value = UsedValue(amount="12.50", unit="EUR")
    answer = booking_answer(_used(status, value=value), start_at_risk=True)
    assert answer is not None
    assert (answer.status, answer.use, answer.value, answer.start_at_risk) == (said_first, use, value, True)
    first_reader = {field: answer.model_dump()[field] for field in ("status", "start", "end", "version")}
    assert first_reader["status"] in {"pending", "confirmed", "declined", "cancelled", "expired", "completed"}


def _used(status: Status, **changes: Any) -> BookingState:
    start = datetime(2026, 3, 10, 9, tzinfo=UTC)
    return BookingState(
        id=uuid4(), offer_id=uuid4(), offer_title="Laser", resource_origin=None, origin_name=None, borrower=Party(),
        owner=Party(), start=start, end=start + timedelta(hours=2), time_zone="Europe/Paris", place_label=None,
        quantity=1, note="", status=status, reason=None, decide_by=None, version=4, changed_at=start, **changes,
    )  # fmt: skip


def test_a_resource_is_told_without_its_owner() -> None:
    resource = ResourceState(
        offer_id=uuid4(), title="private title", time_zone="Europe/Paris",
        opening_hours=[OpeningHours(weekday=0, opens="08:00", closes="20:00")],
        step_minutes=30, minimum_minutes=30, maximum_minutes=480, lead_minutes=0, horizon_days=90,
        buffer_before_minutes=0, buffer_after_minutes=0, capacity=1, approval="owner", owner_member_id=UUID(int=7),
        status="open", version=1,
    )  # fmt: skip
    assert not said(shared_resource(resource)) & {"private title", str(UUID(int=7))}


def test_busy_times_are_plain_intervals() -> None:
    start = datetime(2026, 3, 10, 9, tzinfo=UTC)
    busy = [Interval(start=start, end=start + timedelta(hours=2))]
    event = BusyChanged(offer_id=uuid4(), since=start, until=start + timedelta(days=90), busy=busy, version=2)
    assert shared_busy(event).model_dump() == event.model_dump()


@pytest.mark.parametrize(
    ("audience", "goes"),
    [
        (Audience(scope="public"), True),
        (Audience(scope="peers"), True),
        (Audience(scope="peers", peer_ids=[PEER]), True),
        (Audience(scope="peers", peer_ids=[OTHER]), False),
        (Audience(scope="cooperative"), False),
        (Audience(scope="cooperative", peer_ids=[PEER]), False),
        (Audience(scope="circle", circle_ids=[uuid4()]), False),
    ],
)
def test_the_audience_decides_who_is_told(audience: Audience, goes: bool) -> None:  # noqa: FBT001 - a row of the table
    assert may_go_to(audience, PEER) is goes
