"""Tests of one `xdist_group` run in one worker, also with pytest 9.2.

pytest-xdist 3.8.0 tells its scheduler the group by an item's `_nodeid`, which pytest 9.2 does not read any more: groups
were silently ignored. To be removed with a release of pytest-xdist that knows `Node.id`.
"""

from typing import Any

import pytest
from _pytest.nodeid import NodeId


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    """Write the group behind the id, where xdist's scheduler looks for it."""
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        names = sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group")})
        suffix = "@" + "_".join(names)
        if names and not item.nodeid.endswith(suffix):
            item._id = NodeId.parse(item.nodeid + suffix)
