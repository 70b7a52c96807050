"""`python -m services.booking.calendar_worker`: reads somebody's calendar in a process that may be ended at any time.

Standard input: a line of JSON (`now`, `zone`, `own`, `seconds`), then the calendar. Standard output: JSON with
`spans`, `count` and `cut`, or with `error`. Memory and processor time are limited before it reads any of it.
"""

import json
import resource
import sys
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.booking.domain.external import CalendarTooHeavy, CalendarUnreadable, busy_times

LARGEST_MEMORY = 1024**3


def main() -> None:
    """Limit ourselves, read, answer."""
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST_MEMORY, LARGEST_MEMORY))
    asked = json.loads(sys.stdin.buffer.readline())
    seconds = int(asked["seconds"])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    sys.stdout.write(json.dumps(_answer(asked, sys.stdin.buffer.read())))


def _answer(asked: dict[str, Any], content: bytes) -> dict[str, Any]:
    zone, now = ZoneInfo(asked["zone"]), datetime.fromisoformat(asked["now"])
    try:
        busy = busy_times(content, zone=zone, now=now, own=asked["own"])
    except (CalendarTooHeavy, MemoryError, RecursionError):
        return {"error": "too_heavy"}
    except CalendarUnreadable:
        return {"error": "unreadable"}
    except Exception:  # noqa: BLE001 - whatever a strange calendar brings the libraries to raise
        return {"error": "unreadable"}
    spans = [[span.start.isoformat(), span.end.isoformat()] for span in busy.spans]
    return {"spans": spans, "count": busy.count, "cut": busy.cut}


if __name__ == "__main__":
    main()
