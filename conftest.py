"""Where pytest looks for plugins of the whole project."""

pytest_plugins = (
    "tests.servers",
    "tests.witness",
    "tests.instances",
    "tests.groups",
    "tests.properties",
    "tests.shaking",
)
