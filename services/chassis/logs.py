"""Structured logs: one JSON object a line on standard error, with the correlation id."""

import logging
import sys
import time
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

from services.chassis import tracing
from services.chassis.redaction import redacted


def _with_correlation_id(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if (trace := tracing.correlation_id()) is not None:
        entry["correlation_id"] = trace
    return entry


def configure(level: str) -> None:
    """Send our own log and that of every library to standard error, from `level` ("info", …) up."""
    shared: list[structlog.types.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_logger_name,
        _with_correlation_id,
        structlog.processors.format_exc_info,
        redacted,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # sqlalchemy.engine would tell every row that it reads
    for noisy in ("httpx", "httpcore", "aiormq", "aio_pika", "uvicorn.access", "sqlalchemy.engine"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    # every try to reconnect, once a second and connection; consumers and relays say themselves that they wait
    for repeated in ("aio_pika.robust_connection", "aiormq.connection"):
        logging.getLogger(repeated).setLevel(logging.CRITICAL)


class Outage:
    """When to speak of something that is away and tried again and again: as it begins, then once every `seconds`."""

    def __init__(self, *, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._spoken_at: float | None = None

    def goes_on(self) -> bool:
        """It is away. Whether to say so now."""
        now = self._clock()
        if self._spoken_at is not None and now - self._spoken_at < self._seconds:
            return False
        self._spoken_at = now
        return True

    def is_over(self) -> bool:
        """It is there. Whether it was away before."""
        was_away, self._spoken_at = self._spoken_at is not None, None
        return was_away


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger called `name`; call `.info("what-happened", key=value)`."""
    return structlog.stdlib.get_logger(name)


def line_of(error: BaseException) -> str:
    """The kind of `error` and the first line of what it says; some say nothing."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
