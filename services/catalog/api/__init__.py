"""The HTTP face of catalog."""

from services.catalog.api import listings

routers = [listings.router]
