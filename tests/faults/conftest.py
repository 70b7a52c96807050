"""Cooperatives that may be hurt."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.faults.cooperative import Coop, under_trial
from tests.instances import MakeCooperative
from tests.servers import Servers

Found = Callable[..., Coop]


@pytest.fixture
def found(make_cooperative: MakeCooperative, servers: Servers) -> Iterator[Found]:
    """`found(name, agent=False, **how)`: a running cooperative of this test alone; `how` as for `make_cooperative`."""
    with ExitStack() as stack:

        def start(name: str, *, agent: bool = False, **how: object) -> Coop:
            return stack.enter_context(under_trial(make_cooperative(name, **how), servers, agent=agent))

        yield start


@pytest.fixture
def coop(found: Found) -> Coop:
    """One running cooperative on the session's servers."""
    return found("namur")
