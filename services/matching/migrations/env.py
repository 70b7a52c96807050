"""Alembic's entry."""

from services.matching.tables import metadata
from services.chassis.migrations import run

run(metadata)
