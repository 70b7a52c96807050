"""What can be set about matching."""

from pydantic import Field

from services.chassis.settings import ServiceSettings


class MatchingSettings(ServiceSettings):
    """`proposing_seconds`: how often new offers and needs are compared; `vocabulary_seconds`: pause between two counts of
    how rare words are; `farthest_km`: a fitting offer beyond it is shown as a near miss.
    """

    proposing_seconds: float = Field(default=0.5, gt=0)
    vocabulary_seconds: float = Field(default=5, gt=0)
    farthest_km: float = Field(default=150, gt=0)
