"""When a schema may change in place: an old reader must survive new messages, a new reader old ones."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
_PROSE = {"title", "description", "default", "examples", "$id", "$defs"}


def breaks(old: Schema, new: Schema) -> list[str]:
    """What a reader or writer of `old` would not survive in `new`; empty when only optional fields were added."""
    return list(_differences(old, new, old, new, "data"))


def _differences(old: Any, new: Any, old_root: Schema, new_root: Schema, where: str) -> Iterator[str]:
    old, new = _resolve(old, old_root), _resolve(new, new_root)
    if "properties" in old and "properties" in new:
        yield from _objects(old, new, old_root, new_root, where)
        return
    for keyword in sorted((old.keys() | new.keys()) - _PROSE):
        before, after = old.get(keyword), new.get(keyword)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _differences(before, after, old_root, new_root, f"{where}.{keyword}")
        elif _are_schemas(before) and _are_schemas(after) and len(before) == len(after):
            for one, other in zip(before, after, strict=True):
                yield from _differences(one, other, old_root, new_root, where)
        elif before != after:
            yield f"{where}: {keyword} was {before}, is {after}"


def _objects(old: Schema, new: Schema, old_root: Schema, new_root: Schema, where: str) -> Iterator[str]:
    required_before, required_now = set(old.get("required", [])), set(new.get("required", []))
    for name in sorted(required_now - required_before):
        yield f"{where}.{name}: is required now, old messages lack it"
    for name in sorted(required_before - required_now):
        yield f"{where}.{name}: is optional now, old readers need it"
    for name, schema in old["properties"].items():
        if name not in new["properties"]:
            yield f"{where}.{name}: is gone"
        else:
            yield from _differences(schema, new["properties"][name], old_root, new_root, f"{where}.{name}")


def _resolve(schema: Any, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _are_schemas(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)  # pyright: ignore[reportUnknownVariableType]
