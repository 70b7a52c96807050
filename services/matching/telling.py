"""Which offers the author of a need is told of without having asked."""

from collections.abc import Sequence

from services.matching.domain import Fit

SURE_SCORE = 0.7
"""What has so much of what is asked (`Fit.about`) is told whatever else there is."""

_MARGIN = 0.05
"""By how much less than the best another may have, to be told, too.

On average of all labelled sets four in five that are told are right, three in four without it, and as many authors hear
of something right.
"""


def worth_telling(fits: Sequence[Fit]) -> list[bool]:
    """For each of a need's fits whether its author is told of it: likely, and about as good as the best.

    Where one thing is clearly nearer than the rest, the rest is nearly always something else. Near misses are not told,
    and hold nothing back.
    """
    likely = [fit.is_likely and not fit.missing for fit in fits]
    best = max((fit.about for fit, good in zip(fits, likely, strict=True) if good), default=0.0)
    least = min(best, SURE_SCORE) - _MARGIN
    return [good and fit.about >= least for fit, good in zip(fits, likely, strict=True)]
