"""The smallest body that a route takes, made from its OpenAPI: what a test need not write for each of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

START = (datetime.now(UTC) + timedelta(days=20)).replace(hour=10, minute=0, second=0, microsecond=0)
TIMES = {
    "start": START.isoformat(),
    "end": (START + timedelta(hours=2)).isoformat(),
}


class Bodies:
    """`document`: a service's OpenAPI. `ids`: what fields with an id are given, by name ("" for any other)."""

    def __init__(self, document: Json, ids: dict[str, str]) -> None:
        self._schemas: Json = document.get("components", {}).get("schemas", {})
        self._ids = ids

    def of(self, operation: Json) -> Json:
        """How httpx sends the smallest body that `operation` takes."""
        content: Json = operation.get("requestBody", {}).get("content", {})
        if "multipart/form-data" in content:
            return {"files": {"file": ("x.csv", b"ref;type;titre\r\n", "text/csv")}}
        if "application/json" not in content:
            return {}
        return {"json": self._example(content["application/json"]["schema"], "")}

    def _example(self, schema: Json, name: str) -> Any:  # noqa: PLR0911 - a table of kinds
        if "$ref" in schema:
            return self._example(self._schemas[schema["$ref"].rpartition("/")[2]], name)
        for several in ("anyOf", "oneOf", "allOf"):
            if several in schema:
                return self._example(schema[several][0], name)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        match schema.get("type"):
            case "object":
                required = schema.get("required", [])
                return {one: self._example(schema["properties"][one], one) for one in required}
            case "array":
                return [self._example(schema["items"], name)] * schema.get("minItems", 0)
            case "integer" | "number":
                return max(schema.get("minimum", 1), 1)
            case "boolean":
                return True
            case _:
                return self._text(schema, name)

    def _text(self, schema: Json, name: str) -> str:
        if schema.get("format") == "uuid":
            return self._ids.get(name, self._ids[""])
        if name in TIMES:
            return TIMES[name]
        if schema.get("format") == "date-time":
            return TIMES["start"]
        return "x" * max(schema.get("minLength", 1), 1)
