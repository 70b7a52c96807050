"""Alembic's entry."""

from services.chassis.migrations import run
from services.matching.tables import metadata

run(metadata)
