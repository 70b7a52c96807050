"""`python -m services.identity`."""

from services.__main__ import main

main(["identity"])
