from typing import ClassVar

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope, Event
from services.chassis.handling import is_database_away, own_headers
from services.chassis.messaging import Consumers


class Happened(Event):
    type: ClassVar[str] = "booking.happened.v1"


class Ended(Event):
    type: ClassVar[str] = "booking.ended.v1"


async def handle(_event: Happened, _session: AsyncSession) -> None: ...


async def handle_with_envelope(_event: Ended, _session: AsyncSession, _envelope: Envelope) -> None: ...


async def forget_session(_event: Happened) -> None: ...


def test_subscriptions_are_the_event_types_listened_to() -> None:
    consumers = Consumers("notify")
    consumers.on(Happened)(handle)
    consumers.on(Ended)(handle_with_envelope)
    assert consumers.subscriptions == ["booking.ended.v1", "booking.happened.v1"]
    assert consumers.get("booking.ended.v1").wants_envelope
    assert not consumers.get("booking.happened.v1").wants_envelope


def test_a_second_handler_for_one_type_is_refused() -> None:
    consumers = Consumers("notify")
    consumers.on(Happened)(handle)
    with pytest.raises(ValueError, match="already"):
        consumers.on(Happened)(handle)


def test_a_handler_without_a_session_is_refused() -> None:
    with pytest.raises(ValueError, match="session"):
        Consumers("notify").on(Happened)(forget_session)


def test_headers_of_brokers_are_not_passed_on() -> None:
    theirs = {"x-death": [], "x-first-death-queue": "q", "x-received-from": "r", "CC": ["x"], "x-delivery-count": 3}
    assert own_headers({"cloudEvents:id": "1", "x-maillage-attempt": 2, **theirs}) == {
        "cloudEvents:id": "1",
        "x-maillage-attempt": 2,
    }


def test_a_refusal_by_the_database_or_a_network_error_of_the_handler_is_no_outage_of_the_database() -> None:
    assert not is_database_away(IntegrityError("INSERT", {}, Exception("duplicate")))
    assert not is_database_away(ConnectionRefusedError())
