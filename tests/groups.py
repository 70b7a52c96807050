"""Tests of one `xdist_group` run in one worker, also with pytest 9.2, and so do tests that share their module's loop.

Such tests share servers or a region and mostly follow each other: apart from each other they would not find what the
one before has made.

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
        names = sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group")} or _shared_loop(item))
        suffix = "@" + "_".join(names)
        if names and not item.nodeid.endswith(suffix):
            item._id = NodeId.parse(item.nodeid + suffix)


def _shared_loop(item: Any) -> set[str]:
    shared = any(mark.kwargs.get("loop_scope") == "module" for mark in item.iter_markers("asyncio"))
    return {item.path.stem} if shared else set()
