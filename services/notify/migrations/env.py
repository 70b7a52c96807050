"""Run by Alembic."""

from services.chassis.migrations import run
from services.notify.tables import metadata

run(metadata)
