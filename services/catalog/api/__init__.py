"""The HTTP face of catalog."""

from services.catalog.api import imports, listings

routers = [listings.router, imports.router]
