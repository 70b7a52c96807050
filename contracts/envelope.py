"""The CloudEvents 1.0 envelope around every event, in AMQP binary mode.

Source: CloudEvents 1.0.2 and its AMQP protocol binding: attributes travel as application headers with the prefix
`cloudEvents:`, the data as the message's body.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
HEADER_PREFIX = "cloudEvents:"


class Data(BaseModel):
    """A piece of an event. Frozen; readers ignore fields they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Data):
    """A fact in the past tense. Carries the whole public state and version of its thing, never a delta."""

    type: ClassVar[str]

    @property
    def subject(self) -> str:
        """The id of the thing that the fact is about."""
        raise TypeError(f"{type(self).__name__} names no subject")

    @property
    def forgotten(self) -> tuple[str, ...]:
        """Ids in whose messages nothing is to be kept from now on, also where nobody could handle them; mostly none."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One event as it travels.

    `id` with `source` identify it (duplicates share both), `time` is the instant of the change (UTC),
    `traceparent` the W3C trace it belongs to, `data` the exact bytes of the JSON body.
    """

    id: UUID
    source: str
    type: str
    time: datetime
    subject: str
    data: bytes
    traceparent: str | None = None

    def headers(self) -> dict[str, str]:
        """The AMQP headers of this envelope."""
        attributes = {
            "specversion": SPEC_VERSION,
            "id": str(self.id),
            "source": self.source,
            "type": self.type,
            "time": self.time.isoformat(),
            "subject": self.subject,
        }
        if self.traceparent:
            attributes["traceparent"] = self.traceparent
        return {HEADER_PREFIX + name: value for name, value in attributes.items()}

    @classmethod
    def from_headers(cls, headers: dict[str, object], data: bytes) -> "Envelope":
        """Read an envelope back. Raises ValueError when an attribute is missing or malformed."""

        def attribute(name: str) -> str:
            value = headers.get(HEADER_PREFIX + name)
            if not isinstance(value, str):
                raise ValueError(f"the envelope has no attribute {name}")  # noqa: TRY004 - a malformed message, not a bug
            return value

        if attribute("specversion") != SPEC_VERSION:
            raise ValueError("the envelope is not CloudEvents 1.0")
        time = datetime.fromisoformat(attribute("time"))
        if time.tzinfo is None:
            raise ValueError("the envelope's time has no offset")
        traceparent = headers.get(HEADER_PREFIX + "traceparent")
        return cls(
            id=UUID(attribute("id")),
            source=attribute("source"),
            type=attribute("type"),
            time=time,
            subject=attribute("subject"),
            data=data,
            traceparent=traceparent if isinstance(traceparent, str) else None,
        )
