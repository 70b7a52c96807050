"""`python -m deploy.local ensure rabbitmq-server chromium` and `python -m deploy.local remove`."""

import sys

from deploy.local import folders, packages
from deploy.local.packages import CHROMIUM, RABBITMQ, WRK, PackageMissing

_KNOWN = {package.name: package for package in (RABBITMQ, CHROMIUM, WRK)}


def main(arguments: list[str]) -> None:
    """Install the named system packages where they are missing, or remove the data of this checkout's servers."""
    match arguments:
        case ["ensure", *names] if names and set(names) <= set(_KNOWN):
            for name in names:
                packages.ensure(_KNOWN[name])
        case ["remove"]:
            folders.remove_all()
        case _:
            sys.exit(f"usage: python -m deploy.local ensure {' | '.join(_KNOWN)} …   or   remove")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except PackageMissing as missing:
        sys.exit(str(missing))
