"""What can be set about matching."""

from pydantic import Field

from services.chassis.settings import ServiceSettings


class MatchingSettings(ServiceSettings):
    """How eagerly matching works.

    `proposing_seconds`: pause between two looks for new offers and needs to compare; `vocabulary_seconds`: between two
    counts of how rare words are; `farthest_km`: a thing that would fit but is farther away is a near miss; `meaning`:
    compare by meaning too, where the package for it is installed; `encoding_seconds`: pause between two looks for
    things whose vector is to be made.
    """

    proposing_seconds: float = Field(default=0.5, gt=0)
    vocabulary_seconds: float = Field(default=5, gt=0)
    meaning: bool = True
    encoding_seconds: float = Field(default=0.3, gt=0)
    farthest_km: float = Field(default=150, gt=0)
