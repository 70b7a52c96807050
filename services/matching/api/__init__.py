"""What matching answers."""

from fastapi import APIRouter

from services.matching.api import matches, search, suggestions

router = APIRouter()
for room in (search, suggestions, matches):
    router.include_router(room.router)
