"""What a log never says, wherever it came from: passwords in addresses, tokens, secret links, people's addresses.

The last door, not the first: what we log ourselves names none of them. Errors of libraries and traces may.
"""

import re
from collections.abc import MutableMapping
from typing import Any

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(\w://)[^/\s'\"]+@"), r"\1…@"),
    (re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*)*"), "eyJ…"),
    (re.compile(r"\b(bearer|session|token|basic)(\s+)[\w.~+/=-]{8,}", re.IGNORECASE), r"\1\2…"),
    (re.compile(r"\bmaillage_[\w-]{20,}"), "maillage_…"),
    (re.compile(r"(/account/(?:join|reset|email)/|/by-token/|/calendars/|/outcomes/|/stop/|[?&]key=)[\w-]+"), r"\1…"),
    (re.compile(r"\$argon2[\w$=,+/.-]+"), "$argon2…"),
    (re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "…@…"),
)


def redact(text: str) -> str:
    """`text` without what must not be logged."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def redacted(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor: the same for every text of an entry, nested ones too."""
    for name, value in entry.items():
        if not name.startswith("_"):
            entry[name] = _redacted(value)
    return entry


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: _redacted(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_redacted(one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))
