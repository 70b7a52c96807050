"""What matching answers."""

from fastapi import APIRouter

from services.matching.api import matches, search, suggestions, weights

router = APIRouter()
for room in (search, suggestions, matches, weights):
    router.include_router(room.router)
