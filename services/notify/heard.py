"""The one list of what notify listens to; `consumers.py` and `match_consumers.py` fill it."""

from services.chassis.messaging import Consumers

consumers = Consumers("notify")
