"""The command behind `make demo`."""

import sys

from deploy.demo.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
