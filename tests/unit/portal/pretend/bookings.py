"""What pretended booking tells: how things are booked, bookings, sessions, calendars."""

import json
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx

from tests.unit.portal.pretend.things import (
    ANNA,
    BOOKING,
    NOW,
    OFFER,
    PAUL,
    SESSION,
    at,
    terms,
)


def resource(**changes: Any) -> dict[str, Any]:
    return {
        "offer_id": OFFER, "offer_title": "Salle de réunion", "owner_name": "Paul Lemaire", "origin": None,
        "origin_name": None, "may_edit": False, "time_zone": "Europe/Paris",
        "opening_hours": [{"weekday": day, "opens": "09:00", "closes": "18:00"} for day in range(7)],
        "step_minutes": 60, "minimum_minutes": 60, "maximum_minutes": 480, "lead_minutes": 120, "horizon_days": 60,
        "buffer_before_minutes": 0, "buffer_after_minutes": 0, "approval": "owner", "capacity": 1, "status": "open",
        "terms": terms(),
        "check_in": "asked", "grace_minutes": 30, **changes,
    }  # fmt: skip


def hours(day: date, begin: int, end: int) -> dict[str, Any]:
    """By the clocks of Paris, in summer and in winter."""
    clock = {"start": time(begin), "end": time(end)}
    return {name: datetime.combine(day, hour, ZoneInfo("Europe/Paris")).isoformat() for name, hour in clock.items()}


def availability(start: str = "") -> dict[str, Any]:
    first = datetime.fromisoformat(start).date() if start else NOW.date()
    days: list[dict[str, Any]] = []
    for number in range(7):
        day = first + timedelta(days=number)
        free, busy = [hours(day, 9, 12), hours(day, 14, 18)], hours(day, 12, 14)
        days.append({"date": str(day), "open": [hours(day, 9, 18)], "free": free, "busy": [busy]})
    return {
        "time_zone": "Europe/Paris", "step_minutes": 60, "from": str(first), "days": days, "as_of": None,
        "next_free": [{"start": at(n, 8), "end": at(n, 10)} for n in (1, 2, 3)],
    }  # fmt: skip


def booking(**changes: Any) -> dict[str, Any]:
    return {
        "id": BOOKING, "offer_id": OFFER, "offer_title": "Salle de réunion pour 20 personnes", "resource_origin": None,
        "origin_name": None, "borrower": {"member_id": ANNA, "name": "Anna Dubois", "peer_name": None},
        "owner": {"member_id": PAUL, "name": "Paul Lemaire", "peer_name": None}, "start": at(3), "end": at(3, 12),
        "time_zone": "Europe/Paris", "place_label": "Lille", "quantity": 1, "note": "Pour l'assemblée.",
        "status": "pending", "reason": None, "decide_by": at(2), "version": 1, "changed_at": at(0), "mine": True,
        "may_decide": False, "may_cancel": True, "may_change": True, "change": None, "cancel_until": None,
        "approvals": 0, "approvals_needed": 1, "approved_by": [], "circle_id": None, "circle_name": None,
        "price": None, "instructions": "", "change_reason": None,
        "may_check_in": False, "may_check_out": False, "check_in_from": None,
        "check_in_until": None, "check_in_code": None, "checked_in_at": None, "checked_out_at": None,
        "value": None,
        "history": [{"at": at(0), "what": "requested", "by_name": "Anna Dubois"}], **changes,
    }  # fmt: skip


def feed(kind: str = "member", subject: Any = None, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()), "kind": kind, "subject_id": subject, "title": None, "created_at": at(-9),
        "read_at": at(-1), **changes,
    }  # fmt: skip


def feed_made(request: httpx.Request) -> dict[str, Any]:
    asked = json.loads(request.content)
    address = "https://opteos.example/api/booking/calendars/SECRET"
    busy = f"{address}.ifb" if asked["kind"] == "busy" else None
    return feed(asked["kind"], asked["subject_id"], address=f"{address}.ics", free_busy_address=busy)


def external(**changes: Any) -> dict[str, Any]:
    return {
        "given": True, "host": "calendar.example", "time_zone": "Europe/Paris", "read_at": at(-1), "next_at": at(1),
        "count": 42, "cut": False, "error": None, "detail": None, **changes,
    }  # fmt: skip


def sums(uses: int = 0, minutes: int = 0, euros: str = "0.00", time_minutes: int = 0) -> dict[str, Any]:
    return {"uses": uses, "no_shows": 0, "minutes": minutes, "euros": euros, "time_minutes": time_minutes}


def use(**changes: Any) -> dict[str, Any]:
    return {
        "booking_id": BOOKING, "kind": "use", "offer_id": OFFER, "offer_title": "Salle de réunion",
        "borrower": {"member_id": ANNA, "name": "Anna Dubois", "peer_name": None},
        "owner": {"member_id": None, "name": None, "peer_name": "OpenFlow (Namur)"}, "circle_id": None,
        "circle_name": None, "start": at(-3), "end": at(-3, 12), "minutes": 95, "quantity": 1,
        "value": {"amount": "12.50", "unit": "EUR"}, "given": False, "received": True, **changes,
    }  # fmt: skip


def session(**changes: Any) -> dict[str, Any]:
    """A session of co-development that Anna organises and takes part in."""
    role = {"minimum": 1, "maximum": 1, "taken": 0, "offered": 0, "waiting": 0, "free": 1, "i_must_wait": False}
    person = {"member_id": ANNA, "name": "Anna Dubois", "role": "facilitator", "state": "taken", "position": None}
    answers = {"meal": True, "children": 2}
    return {
        "id": SESSION, "series_id": None, "template": "co_development", "title": "Codéveloppement du jeudi",
        "text": "Apportez une situation.", "start": at(3), "end": at(3, 11), "time_zone": "Europe/Paris",
        "place_label": "Salle bleue, Lille", "has_video": True, "video_url": "https://video.example/salle",
        "organiser_member_id": ANNA, "organiser_name": "Anna Dubois", "circle_id": None, "circle_name": None,
        "audience": "cooperative", "audience_circle_ids": [], "private": False, "status": "planned", "reason": None,
        "roles": [
            {**role, "code": "client", "label": "Client·e", "i_must_wait": True},
            {**role, "code": "consultant", "label": "Consultant·e", "minimum": 4, "maximum": 8, "free": 5, "taken": 3},
            {**role, "code": "facilitator", "label": "Animation", "taken": 1, "free": 0, "waiting": 1},
        ],
        "mine": {
            "role": "facilitator", "role_label": "Animation", "state": "taken", "position": None, "accept_by": None,
            "answers": answers,
        },
        "may_lead": True, "may_sign_up": False, "is_short": True, "version": 4, "rotating_role": "client",
        "confidentiality": "Ce qui se dit ici reste ici.", "accept_hours": 24, "changed_at": at(0),
        "steps": [
            {"title": "Exposé", "minutes": 15, "start": at(3), "end": at(3)},
            {"title": "Consultation", "minutes": 45, "start": at(3), "end": at(3, 10)},
        ],
        "extras": [
            {"code": "meal", "label": "Repas", "kind": "yes_no", "maximum": 1, "total": 1},
            {"code": "children", "label": "Enfants", "kind": "number", "maximum": 5, "total": 2},
        ],
        "participants": [
            {**person, "answers": answers},
            {**person, "member_id": PAUL, "name": "Paul Lemaire", "state": "waiting", "position": 1, "answers": {}},
        ],
        **changes,
    }  # fmt: skip


def session_template(template: str, **changes: Any) -> dict[str, Any]:
    return {
        "template": template, "minutes": 120,
        "roles": [{"code": "client", "label": "Client·e", "minimum": 1, "maximum": 1},
                  {"code": "consultant", "label": "Consultant·e", "minimum": 4, "maximum": 8}],
        "steps": [{"title": "Exposé", "minutes": 15}], "confidentiality": "Ici.", "private": False,
        "extras": [{"code": "meal", "label": "Repas", "kind": "yes_no", "maximum": 1}],
        "rotating_role": "client", "organiser_role": "consultant", **changes,
    }  # fmt: skip


WISH = "0190a000-0000-7000-8000-0000000000e1"


def wish(**changes: Any) -> dict[str, Any]:
    return {
        "id": WISH, "offer_id": OFFER, "offer_title": "Salle de réunion pour 20 personnes",
        "member_name": "Anna Dubois", "mine": True, "start": at(3), "end": at(3, 12), "time_zone": "Europe/Paris",
        "quantity": 1, "note": "", "status": "waiting", "position": 2, "kept_until": None, "accept_by": None,
        "booking_id": None, **changes,
    }  # fmt: skip


def affected(**changes: Any) -> dict[str, Any]:
    return {
        "booking": booking(status="confirmed", mine=False),
        "reasons": [{"code": "outside_hours", "detail": "hors des nouvelles heures d'ouverture"}],
        "kept": False, "may_move": True, "may_end": True, **changes,
    }  # fmt: skip


def upcoming(*lines: dict[str, Any]) -> dict[str, Any]:
    return {
        "offer_id": OFFER, "offer_title": "Salle de réunion", "time_zone": "Europe/Paris", "items": list(lines),
        "to_settle": len(lines),
    }  # fmt: skip
