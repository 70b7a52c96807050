"""A real message of every type, which today's readers must understand."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema_rs import validator_for
from pydantic import BaseModel

from contracts.registry import EVENTS
from services import contract_documents as documents
from services.provision import declared_subscriptions

EXAMPLES = documents.CONTRACTS / "examples"
LISTENERS = sorted({(service, kind) for service, kinds in declared_subscriptions().items() for kind in kinds})


def example(event_type: str) -> Path:
    return EXAMPLES / f"{event_type}.json"


GROWN = sorted(path.stem for path in (EXAMPLES / "today").glob("*.json"))
"""Types of which there is the message that was recorded first, and one as it is said today, with more in it."""


@pytest.mark.parametrize("name", [*sorted(EVENTS), *(f"today/{one}" for one in GROWN)])
def test_every_type_has_an_example_that_its_frozen_schema_accepts(name: str) -> None:
    event_type = name.rpartition("/")[2]
    data = json.loads(example(name).read_text(encoding="utf-8"))
    frozen = json.loads((documents.SCHEMAS / f"{event_type}.json").read_text(encoding="utf-8"))
    frozen.pop("$id")
    validator_for(frozen).validate(data)


@pytest.mark.parametrize(("service", "event_type"), LISTENERS)
def test_every_subscriber_reads_it_also_with_a_field_of_tomorrow(service: str, event_type: str) -> None:
    data = json.loads(example(event_type).read_text(encoding="utf-8")) | {"field_of_tomorrow": service}
    event = EVENTS[event_type].model_validate_json(json.dumps(data))
    assert event.subject


@pytest.mark.parametrize("event_type", GROWN)
def test_what_has_grown_is_read_in_both_forms_and_nothing_of_today_is_lost(event_type: str) -> None:
    """Version N+1 is what the example of today is to whoever knew the first one, and N-1 the other way round."""
    first, today = (
        json.loads(example(name).read_text(encoding="utf-8")) for name in (event_type, f"today/{event_type}")
    )
    kind = EVENTS[event_type]
    assert kind.model_validate_json(json.dumps(first)).subject
    said = kind.model_validate_json(json.dumps(today)).model_dump(mode="json")
    assert ways(today) <= ways(said), "a field that nobody reads"
    assert ways(today) - ways(first), "nothing new in it: the first example tells enough"


def ways(value: Any) -> set[str]:
    """The names of the fields in `value`, with their way from the top."""
    if isinstance(value, dict):
        return {f"{name}.{rest}" for name, one in value.items() for rest in {"", *ways(one)}}
    return {f"[].{rest}" for one in value for rest in ways(one)} if isinstance(value, list) else set()


@pytest.mark.parametrize("event_type", sorted(EVENTS))
def test_the_reader_of_today_takes_what_a_writer_of_tomorrow_says(event_type: str) -> None:
    """Version N+1: one field more at every level, which nobody of today may stumble over, or lose another by.

    A map of texts (`notes`) has names that nobody fixed: its values stay texts.
    """
    data = json.loads(example(event_type).read_text(encoding="utf-8"))
    today = EVENTS[event_type].model_validate_json(json.dumps(data))
    assert EVENTS[event_type].model_validate_json(json.dumps(_of_tomorrow(data))) == today


@pytest.mark.parametrize("event_type", sorted(EVENTS))
def test_the_reader_of_today_takes_what_a_writer_of_yesterday_said(event_type: str) -> None:
    """Version N-1: none of the fields that came later, which are the optional ones.

    Examples stay as they were recorded: those of types that have grown since are such messages themselves.
    """
    kind = EVENTS[event_type]
    data = json.loads(example(event_type).read_text(encoding="utf-8"))
    old = _of_yesterday(kind, data)
    read = kind.model_validate_json(json.dumps(old))
    assert read.subject == kind.model_validate_json(json.dumps(data)).subject
    assert _of_yesterday(kind, read.model_dump(mode="json")) == _of_yesterday(kind, data)


def _of_tomorrow(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: one if name == "notes" else _of_tomorrow(one) for name, one in value.items()} | {
            "field_of_tomorrow": {"since": 2}
        }
    return [_of_tomorrow(one) for one in value] if isinstance(value, list) else value


def _of_yesterday(kind: type[BaseModel], data: Any) -> Any:
    """`data` without the optional fields of `kind`, at every level."""
    return {
        name: _inside(field.annotation, data[name])
        for name, field in kind.model_fields.items()
        if field.is_required() and name in data
    }


def _inside(annotation: Any, value: Any) -> Any:
    models = [one for one in (annotation, *_parts(annotation)) if isinstance(one, type) and issubclass(one, BaseModel)]
    if not models:
        return value
    if isinstance(value, list):
        return [_of_yesterday(models[0], one) for one in value]
    return _of_yesterday(models[0], value) if isinstance(value, dict) else value


def _parts(annotation: Any) -> list[Any]:
    return [part for one in get_args(annotation) for part in (one, *_parts(one))]


def test_no_example_holds_a_secret() -> None:
    for path in EXAMPLES.rglob("identity.*.json"):
        link = json.loads(path.read_text(encoding="utf-8")).get("link", "/SECRET")
        assert link.endswith("/SECRET"), path.name
