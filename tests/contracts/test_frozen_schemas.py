"""Every schema ever published stays readable by old readers and fit for old writers."""

import copy
import json
from typing import Any

import pytest

from contracts.compatibility import breaks
from contracts.registry import EVENTS
from services import contract_documents as documents

FROZEN = sorted(path.stem for path in documents.SCHEMAS.glob("*.json"))


def test_every_event_has_a_frozen_schema() -> None:
    assert sorted(EVENTS) == FROZEN


@pytest.mark.parametrize("event_type", FROZEN)
def test_schema_changes_only_in_ways_that_old_readers_survive(event_type: str) -> None:
    frozen = json.loads((documents.SCHEMAS / f"{event_type}.json").read_text())
    assert breaks(frozen, documents.schema_of(event_type)) == []


def test_documents_are_up_to_date() -> None:
    for event_type in EVENTS:
        frozen = json.loads((documents.SCHEMAS / f"{event_type}.json").read_text())
        assert frozen == documents.schema_of(event_type), "run `make contracts`"
    assert json.loads(documents.ASYNCAPI.read_text()) == documents.asyncapi()
    assert documents.table() in documents.README.read_text()


def _schema() -> dict[str, Any]:
    return documents.schema_of("booking.confirmed.v1")


def _with(change: str) -> dict[str, Any]:
    schema = copy.deepcopy(_schema())
    booking = schema["$defs"]["BookingState"]
    if change == "optional field added":
        booking["properties"]["colour"] = {"type": "string", "default": ""}
    elif change == "required field added":
        booking["properties"]["colour"] = {"type": "string"}
        booking["required"].append("colour")
    elif change == "field removed":
        del booking["properties"]["note"]
    elif change == "field made optional":
        booking["required"].remove("note")
    elif change == "type changed":
        booking["properties"]["quantity"] = {"type": "string"}
    elif change == "value added to an enumeration":
        booking["properties"]["status"]["enum"].append("dreamt")
    elif change == "null allowed":
        booking["properties"]["note"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    return schema


def test_an_optional_field_may_be_added() -> None:
    assert breaks(_schema(), _with("optional field added")) == []


@pytest.mark.parametrize(
    "change",
    [
        "required field added",
        "field removed",
        "field made optional",
        "type changed",
        "value added to an enumeration",
        "null allowed",
    ],
)
def test_anything_else_breaks_somebody(change: str) -> None:
    assert breaks(_schema(), _with(change)) != []
