"""`python -m services.notify`."""

from services.__main__ import main

main(["notify"])
