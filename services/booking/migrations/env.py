from services.booking.tables import metadata
from services.chassis.migrations import run

run(metadata)
