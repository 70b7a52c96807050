"""Every event type that exists, by name."""

from types import ModuleType

from contracts import booking, border, catalog, federation, identity, link, matching, notify
from contracts.envelope import Event

PUBLISHERS: dict[str, ModuleType] = {
    "identity": identity,
    "catalog": catalog,
    "booking": booking,
    "matching": matching,
    "notify": notify,
    "federation": federation,
    "border": border,
    "link": link,
}

CROSSING = ("border", "link")
"""The vocabularies between cooperatives; the others are said inside an instance."""


def events_of(publisher: str) -> dict[str, type[Event]]:
    """The event classes that `publisher` (a service, or one of CROSSING) may say, by type name."""
    module = PUBLISHERS[publisher]
    classes = [cls for cls in vars(module).values() if isinstance(cls, type)]
    own = [cls for cls in classes if f"{cls.__module__}.".startswith(f"{module.__name__}.")]
    return {cls.type: cls for cls in own if issubclass(cls, Event) and "type" in vars(cls)}


EVENTS: dict[str, type[Event]] = {name: cls for publisher in PUBLISHERS for name, cls in events_of(publisher).items()}
