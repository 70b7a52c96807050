"""`pytest --shaken SEED`: what a test expects must not hang on who is quicker (`tests/slow_by_chance.py`)."""

import os

import pytest

from tests import slow_by_chance


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shaken", type=int, metavar="SEED", help="let transactions and messages wait by chance")


def pytest_configure(config: pytest.Config) -> None:
    if (seed := config.getoption("--shaken")) is not None:
        os.environ[slow_by_chance.SEED] = str(seed)
        slow_by_chance.shake(seed)
