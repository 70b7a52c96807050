"""Bounds at the border reach every part of what a peer says, whatever holds that part."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.booking import Closure, OpeningHours, Partly, Season
from contracts.envelope import Data, Event
from contracts.link import ManifestPageAsked, ManifestPageTold, ManifestTold, PageDigest, PersonErased
from contracts.shared import SharedBusy, SharedTerms
from services.federation.bounds import LONGEST_LIST, MOST_TAGS, first_breach
from services.federation.shareable import shared_listing
from tests.services.federation.pair import listing
from tests.unit.federation.peers import NOW

HOURS = OpeningHours(weekday=1, opens="09:00", closes="17:00")
HOUR = timedelta(hours=1)


def season(**changes: Any) -> SharedTerms:
    base: dict[str, Any] = {"begins": "06-01", "ends": "08-31", "opening_hours": [HOURS]}
    return SharedTerms(seasons=(Season(**(base | changes)),))


def partly(*parts: Partly) -> SharedBusy:
    return SharedBusy(offer_id=uuid4(), since=NOW, until=NOW + HOUR, busy=[], partly=parts, version=1)


def closure(**changes: Any) -> SharedTerms:
    day: dict[str, Any] = {"first": date(2026, 8, 1), "last": date(2026, 8, 15)}
    return SharedTerms(closures=(Closure(**(day | changes)),))


GOOD = Partly(start=NOW, end=NOW + HOUR, taken=1)
FORM = shared_listing(listing())


@pytest.mark.parametrize(
    "said",
    [
        season(begins="02-30"),
        season(label="x" * 301),
        season(opening_hours=[HOURS.model_copy(update={"opens": "25:00"})]),
        season(opening_hours=[HOURS.model_copy(update={"weekday": 9})]),
        closure(last=date(2026, 7, 1)),
        closure(first=date(1, 1, 1)),
        closure(label="\x00"),
        partly(GOOD.model_copy(update={"end": NOW})),
        partly(GOOD.model_copy(update={"taken": -1})),
        partly(GOOD.model_copy(update={"taken": 2**70})),
        partly(*[GOOD] * (LONGEST_LIST + 1)),
        FORM.model_copy(update={"tags": ("scie\x00",)}),
        FORM.model_copy(update={"tags": ("scie",) * (MOST_TAGS + 1)}),
        PersonErased(pseudonym="p", booking_ids=(uuid4(),) * (LONGEST_LIST + 1)),
    ],
)
def test_what_no_service_could_keep_is_refused_inside_of_anything(said: Data) -> None:
    assert first_breach(said) is not None


@pytest.mark.parametrize(
    "said",
    [season(), season(begins="12-01", ends="02-29"), closure(), partly(GOOD), FORM, season(label="Été")],
)
def test_what_people_say_passes(said: Data) -> None:
    assert first_breach(said) is None


def manifest(*firsts: int) -> ManifestTold:
    return ManifestTold(
        as_of_seq=1, count=0, pages=[PageDigest(first=UUID(int=at), count=0, digest="") for at in firsts]
    )


@pytest.mark.parametrize(
    "said",
    [
        manifest(0, 0),
        manifest(0, 5, 5),
        manifest(0, 2**127, 0, 2**127),
        ManifestPageAsked(first=UUID(int=5), until=UUID(int=5)),
        ManifestPageTold(as_of_seq=1, first=UUID(int=5), until=UUID(int=1), lines=[]),
    ],
)
def test_ranges_that_overlap_or_go_backwards_are_refused(said: Event) -> None:
    """Each of them would be looked through from one end to the other."""
    assert first_breach(said) is not None


@pytest.mark.parametrize(
    "said", [manifest(), manifest(0), manifest(0, 1, 7), ManifestPageAsked(first=UUID(int=1), until=None)]
)
def test_ranges_in_their_order_pass(said: Event) -> None:
    assert first_breach(said) is None
