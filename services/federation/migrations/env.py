"""Alembic's entry."""

from services.chassis.migrations import run
from services.federation.tables import metadata

run(metadata)
