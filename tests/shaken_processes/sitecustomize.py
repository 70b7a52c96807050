"""Python runs this first in each process that `tests.slow_by_chance.environment` was given to, and in theirs."""

import os

if seed := os.environ.get("SHAKEN_SEED"):  # the reader of strangers' calendars is not given it, and need not wait
    from tests import slow_by_chance

    slow_by_chance.shake(int(seed))
