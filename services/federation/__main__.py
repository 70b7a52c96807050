"""`python -m services.federation`."""

from services.__main__ import main

main(["federation"])
