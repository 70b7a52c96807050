"""Python runs this first in each process that `tests.slow_by_chance.environment` was given to."""

import os

from tests import slow_by_chance

slow_by_chance.shake(int(os.environ[slow_by_chance.SEED]))
