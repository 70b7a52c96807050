"""What can be set about matching."""

from typing import ClassVar

from pydantic import Field

from services.chassis.settings import ServiceSettings


class MatchingSettings(ServiceSettings):
    """How eagerly matching works.

    `proposing_seconds`: pause between two looks for new offers and needs to compare; `vocabulary_seconds`: between two
    counts of how rare words are; `farthest_km`: a thing that would fit but is farther away is a near miss; `meaning`:
    compare by meaning too, where the package for it is installed; `encoding_seconds`: pause between two looks for
    things whose vector is to be made; `saved_searches`: how many a member may keep; `alerting_seconds`: pause between
    two looks for what they have found; `alerts_a_day`: instant messages of them to a member within 24 hours, what is
    beyond waits for the next morning; `widen_after_days`: so long after nobody answered a need its author is asked;
    `following_seconds`: pause between two looks for that, and for matches whose outcome is to be asked.
    """

    plan_cache_mode: ClassVar[str] = "force_custom_plan"
    """A plan made without knowing the words may read the whole table for a common one.

    Search and matches have statements with only one good plan, which is kept (`Database.asking`).
    """

    proposing_seconds: float = Field(default=0.5, gt=0)
    vocabulary_seconds: float = Field(default=5, gt=0)
    meaning: bool = True
    encoding_seconds: float = Field(default=0.3, gt=0)
    farthest_km: float = Field(default=150, gt=0)
    saved_searches: int = Field(default=20, ge=1)
    alerting_seconds: float = Field(default=5, gt=0)
    alerts_a_day: int = Field(default=10, ge=0)
    widen_after_days: int = Field(default=7, ge=1)
    following_seconds: float = Field(default=60, gt=0)
