"""`make contracts`: freeze schemas, write the AsyncAPI document and the table of events; refuse what breaks a reader.

Lives here and not in `contracts`, because the table needs to know who listens.
"""

import json
import sys
from pathlib import Path
from typing import Any

from contracts.compatibility import breaks
from contracts.registry import CROSSING, EVENTS, PUBLISHERS, events_of
from services.provision import declared_subscriptions

CONTRACTS = Path(__file__).resolve().parent.parent / "contracts"
SCHEMAS = CONTRACTS / "schemas"
README = CONTRACTS / "README.md"
ASYNCAPI = CONTRACTS / "asyncapi.json"
_TABLE_BEGINS, _TABLE_ENDS = "<!-- table: made by `make contracts` -->", "<!-- end of table -->"


def schema_of(event_type: str) -> dict[str, Any]:
    """The JSON Schema of an event's data, as old writers and readers see it."""
    return EVENTS[event_type].model_json_schema(mode="validation") | {"$id": event_type}


def problems() -> list[str]:
    """Every way in which the events of today would break a reader or writer of a frozen schema."""
    found: list[str] = []
    for path in sorted(SCHEMAS.glob("*.json")):
        event_type = path.stem
        if event_type not in EVENTS:
            found.append(f"{event_type}: published before and gone; delete its schema once the last reader has moved")
            continue
        frozen = json.loads(path.read_text(encoding="utf-8"))
        found += [f"{event_type}: {what}" for what in breaks(frozen, schema_of(event_type))]
    return found


def table() -> str:
    """The table *event | publisher | subscribers* in Markdown."""
    listeners = declared_subscriptions()
    rows = ["| event | publisher | subscribers |", "| --- | --- | --- |"]
    for publisher in PUBLISHERS:
        for event_type in events_of(publisher):
            readers = [service for service, types in listeners.items() if event_type in types]
            crosses = publisher in CROSSING
            said_by = "federation of each cooperative" if crosses else publisher
            read_by = "federation of the peer" if crosses else ", ".join(readers) or "–"
            rows.append(f"| `{event_type}` | {said_by} | {read_by} |")
    return "\n".join(rows)


def queues() -> str:
    """Every queue of an instance, one a line, with the exchange and key that fill it."""
    listeners = declared_subscriptions()
    lines = [f"{service}.{kind}  ← events, {kind}" for service, types in listeners.items() for kind in types]
    return "\n".join(lines)


def asyncapi() -> dict[str, Any]:
    """An AsyncAPI 3.0 document of the exchange `events` and of what crosses the border."""
    messages = {
        event_type: {"name": event_type, "contentType": "application/json", "payload": schema_of(event_type)}
        for event_type in EVENTS
    }
    channels = {
        event_type: {
            "address": event_type,
            "messages": {"event": {"$ref": f"#/components/messages/{event_type}"}},
            "bindings": {
                "amqp": {"is": "routingKey", "exchange": {"name": "events", "type": "topic", "durable": True}}
            },
        }
        for event_type in EVENTS
        if event_type.partition(".")[0] not in CROSSING
    }
    info = {"title": "Maillage", "version": "1", "description": "CloudEvents 1.0 in AMQP binary mode."}
    return {"asyncapi": "3.0.0", "info": info, "channels": channels, "components": {"messages": messages}}


def write() -> None:
    """Write schemas, AsyncAPI document and table."""
    SCHEMAS.mkdir(exist_ok=True)
    for event_type in EVENTS:
        _write_json(SCHEMAS / f"{event_type}.json", schema_of(event_type))
    _write_json(ASYNCAPI, asyncapi())
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(_TABLE_BEGINS)
    after = rest.partition(_TABLE_ENDS)[2]
    README.write_text(f"{before}{_TABLE_BEGINS}\n{table()}\n{_TABLE_ENDS}{after}", encoding="utf-8")


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def main(_arguments: list[str]) -> None:
    """Command line: check, write, print the table and the queues. Ends with 1 when a contract would be broken."""
    found = problems()
    if found:
        sys.exit("These changes need a new version of the event, published beside the old one:\n" + "\n".join(found))
    write()
    sys.stdout.write(f"{table()}\n\n{queues()}\n")
