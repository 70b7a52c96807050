"""What crosses between cooperatives, each signed by its origin."""

from contracts.border.introductions import (
    BorderIntroduced,
    BorderIntroductionAnswered,
    BorderIntroductionRequested,
    BorderIntroductionWithdrawn,
)
from contracts.border.things import (
    YEARS,
    AnswerStatus,
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderBookingWithdrawn,
    BorderBusyChanged,
    BorderChangeAnswered,
    BorderChangeRequested,
    BorderChangeWithdrawn,
    BorderContactShared,
    BorderListingPublished,
    BorderListingWithdrawn,
    BorderResourceChanged,
    BorderUseReported,
    Proposal,
)

__all__ = [
    "YEARS",
    "AnswerStatus",
    "BorderBookingAnswered",
    "BorderBookingRequested",
    "BorderBookingWithdrawn",
    "BorderBusyChanged",
    "BorderChangeAnswered",
    "BorderChangeRequested",
    "BorderChangeWithdrawn",
    "BorderContactShared",
    "BorderIntroduced",
    "BorderIntroductionAnswered",
    "BorderIntroductionRequested",
    "BorderIntroductionWithdrawn",
    "BorderListingPublished",
    "BorderListingWithdrawn",
    "BorderResourceChanged",
    "BorderUseReported",
    "Proposal",
]
