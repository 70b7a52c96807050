"""What matching answers."""

from fastapi import APIRouter

from services.matching.api import introductions, matches, pledges, saved, search, skills, suggestions, weights

router = APIRouter()
for room in (search, suggestions, matches, introductions, pledges, saved, weights, skills):
    router.include_router(room.router)
