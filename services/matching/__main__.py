"""`python -m services.matching`."""

from services.__main__ import main

main(["matching"])
