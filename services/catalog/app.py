"""Puts catalog together."""

from services.catalog import api, consumers
from services.catalog.loops import Expiry, Importing
from services.catalog.settings import CatalogSettings
from services.chassis.assembly import assemble
from services.chassis.process import Service
from services.chassis.settings import load


def build(settings: CatalogSettings | None = None) -> Service:
    """The service, not yet running."""
    settings = settings or load(CatalogSettings)
    return assemble(
        "catalog",
        settings,
        routers=api.routers,
        consumers=consumers.consumers,
        only_shows=settings.federation_hub,
        loops=lambda db: [
            Expiry(db, seconds=settings.expiry_seconds),
            Importing(db, seconds=settings.import_poll_seconds),
        ],
    )
