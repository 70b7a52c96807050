"""A real message of every type, which today's readers must understand."""

import json
from pathlib import Path

import pytest
from jsonschema_rs import validator_for

from contracts.registry import EVENTS
from services import contract_documents as documents
from services.provision import declared_subscriptions

EXAMPLES = documents.CONTRACTS / "examples"
LISTENERS = sorted({(service, kind) for service, kinds in declared_subscriptions().items() for kind in kinds})


def example(event_type: str) -> Path:
    return EXAMPLES / f"{event_type}.json"


@pytest.mark.parametrize("event_type", sorted(EVENTS))
def test_every_type_has_an_example_that_its_frozen_schema_accepts(event_type: str) -> None:
    data = json.loads(example(event_type).read_text(encoding="utf-8"))
    frozen = json.loads((documents.SCHEMAS / f"{event_type}.json").read_text(encoding="utf-8"))
    frozen.pop("$id")
    validator_for(frozen).validate(data)


@pytest.mark.parametrize(("service", "event_type"), LISTENERS)
def test_every_subscriber_reads_it_also_with_a_field_of_tomorrow(service: str, event_type: str) -> None:
    data = json.loads(example(event_type).read_text(encoding="utf-8")) | {"field_of_tomorrow": service}
    event = EVENTS[event_type].model_validate_json(json.dumps(data))
    assert event.subject


def test_no_example_holds_a_secret() -> None:
    for path in EXAMPLES.glob("identity.*.json"):
        link = json.loads(path.read_text(encoding="utf-8")).get("link", "/SECRET")
        assert link.endswith("/SECRET"), path.name
