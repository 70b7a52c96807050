"""`python -m services.booking`."""

from services.__main__ import main

main(["booking"])
