"""Alembic's entry."""

from services.chassis.migrations import run
from services.federation.own_tables import metadata

run(metadata)
