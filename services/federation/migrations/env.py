"""Alembic's entry."""

from services.chassis.migrations import run
from services.federation.mending_tables import metadata

run(metadata)
