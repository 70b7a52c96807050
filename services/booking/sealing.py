"""Members' secret addresses of calendars, unreadable in the database and its backups."""

from services.chassis import sealing
from services.chassis.sealing import CannotOpen
from services.chassis.settings import ServiceSettings

SECRET = "booking_calendar_key"  # noqa: S105 - the name of the file

__all__ = ["SECRET", "CannotOpen", "Sealer"]


class Sealer(sealing.Sealer):
    """Seals for one member with a key of the instance."""

    def __init__(self, settings: ServiceSettings) -> None:
        """Raises MissingSetting."""
        super().__init__(settings.secret(SECRET), purpose="calendars")
