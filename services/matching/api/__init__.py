"""What matching answers."""

from fastapi import APIRouter

from services.matching.api import introductions, matches, saved, search, skills, suggestions, weights

router = APIRouter()
for room in (search, suggestions, matches, introductions, saved, weights, skills):
    router.include_router(room.router)
