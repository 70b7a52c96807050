"""`python -m services.portal`: the pages, in a process of their own."""

from services.__main__ import main

main(["portal"])
