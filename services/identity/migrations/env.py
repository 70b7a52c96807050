"""Alembic's entry for identity."""

from services.chassis.migrations import run
from services.identity.tables import metadata

run(metadata)
