"""Alembic's entry."""

from services.catalog.tables import metadata
from services.chassis.migrations import run

run(metadata)
