"""One trace from the HTTP request through every event to the last e-mail (W3C Trace Context)."""

import re
import secrets
from contextvars import ContextVar

_PATTERN = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def begin(traceparent: str | None) -> str:
    """Continue the trace of `traceparent`, or begin one when that is missing or malformed. Returns the new one."""
    trace = traceparent.split("-")[1] if traceparent and _PATTERN.fullmatch(traceparent) else secrets.token_hex(16)
    value = f"00-{trace}-{secrets.token_hex(8)}-01"
    _current.set(value)
    return value


def current() -> str | None:
    """The traceparent of what runs now."""
    return _current.get()


def correlation_id() -> str | None:
    """The trace id of what runs now: what a person quotes when something went wrong."""
    value = _current.get()
    return value.split("-")[1] if value else None
