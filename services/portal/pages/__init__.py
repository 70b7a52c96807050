"""The pages, a module for each room of the portal."""

from fastapi import APIRouter

from services.portal.pages import (
    account,
    accounts,
    booking_rules,
    booking_steps,
    bookings,
    calendars,
    changes,
    choices,
    circles,
    coordination,
    home,
    imports,
    inbox,
    limits,
    links,
    listing_forms,
    listings,
    match_answers,
    me,
    members,
    search,
    series,
    session_forms,
    sessions,
    settling,
    waiting,
)


def routers() -> list[APIRouter]:
    """All of them; forms before things, so that `/offers/new` is no offer."""
    rooms = (
        home,
        choices,
        account,
        me,
        calendars,
        search,
        listing_forms,
        booking_rules,
        booking_steps,
        listings,
        match_answers,
        series,
        accounts,
        bookings,
        changes,
        session_forms,
        sessions,
        inbox,
        circles,
        coordination,
        members,
        imports,
        limits,
        links,
        waiting,
        settling,
    )
    return [room.router for room in rooms]
