"""`python -m services.catalog`."""

from services.__main__ import main

main(["catalog"])
