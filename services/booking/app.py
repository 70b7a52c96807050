"""Puts booking together."""

from services.booking import api
from services.booking.calendar_reader import CalendarReader
from services.booking.commands.handing_out import PLACES_CHANNEL
from services.booking.commands.telling import BUSY_CHANNEL
from services.booking.consumers import consumers_with
from services.booking.group_commit import GroupCommit
from services.booking.loops import BusyTeller, PlaceOfferer, Sweeper
from services.booking.queries import Asked
from services.booking.remembered import Remembered
from services.booking.sealing import Sealer
from services.booking.settings import BookingSettings
from services.chassis.assembly import assemble
from services.chassis.database import Database
from services.chassis.database_listener import Listener
from services.chassis.process import Runs, Service
from services.chassis.settings import load

REMEMBERED_BYTES = 4 * 1024 * 1024
"""Of the answers kept for one kind of question."""


def build(settings: BookingSettings | None = None) -> Service:
    """The service, not yet running."""
    settings = settings or load(BookingSettings)
    sealer = Sealer(settings)
    service = assemble(
        "booking",
        settings,
        routers=api.routers,
        consumers=consumers_with(pending_per_peer=settings.booking_pending_per_peer, language=settings.locale),
        loops=lambda db: [*_loops(settings, db), CalendarReader(db, settings, sealer)],
        only_shows=settings.federation_hub,
    )
    service.app.state.sealer = sealer
    service.app.state.asked = Asked()
    service.app.state.together = GroupCommit(service.app.state.database, service.app.state.asked)
    service.app.state.worked_out = Remembered(most=REMEMBERED_BYTES)
    service.app.state.free_times = Remembered(most=REMEMBERED_BYTES)
    return service


def _loops(settings: BookingSettings, db: Database) -> list[Runs]:
    listener = Listener(settings.database_url("booking"), BUSY_CHANNEL)
    freed = Listener(settings.database_url("booking"), PLACES_CHANNEL)
    return [
        Sweeper(db, seconds=settings.booking_sweep_seconds),
        listener,
        BusyTeller(db, listener),
        freed,
        PlaceOfferer(db, freed),
    ]
