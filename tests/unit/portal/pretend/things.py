"""What pretended services tell: people, things, messages, links."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

Answer = httpx.Response | dict[str, Any] | list[Any] | None
Rule = Callable[[httpx.Request], Answer]
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
OFFER, NEED, BOOKING, PEER_OFFER, LINK, SESSION = (f"0190a000-0000-7000-8000-00000000000{n}" for n in range(1, 7))
INTRODUCTION = "0190a000-0000-7000-8000-00000000000b"
SEARCH = "0190a000-0000-7000-8000-00000000000a"
LETTER = "0190a000-0000-7000-8000-00000000000f"
HOLD = "0190a000-0000-7000-8000-000000000009"
PEER = "peer-thumbprint"
ANNA, PAUL = "0190a000-0000-7000-8000-0000000000a1", "0190a000-0000-7000-8000-0000000000b2"


def at(days: int, hour: int = 9) -> str:
    return (NOW.replace(hour=hour) + timedelta(days=days)).isoformat()


def listing(**changes: Any) -> dict[str, Any]:
    return {
        "id": OFFER, "origin": None, "origin_name": None, "side": "offer", "kind": "space",
        "title": "Salle de réunion pour 20 personnes", "text": "Grande table, écran, café.\nAccès de plain-pied.",
        "category": "réunion", "language": "fr",
        "place": {"label": "12 rue du Moulin, Lille", "latitude": 50.63, "longitude": 3.06},
        "quantity": 1, "unit": "", "owner_member_id": PAUL, "owner_circle_id": None, "owner_name": "Paul Lemaire",
        "audience": {"scope": "peers", "circle_ids": [], "peer_ids": []},
        "valid_from": None, "valid_until": None, "window_start": None, "window_end": None, "urgency": "normal",
        "status": "published", "version": 3, "changed_at": at(-1), "mine": False, "may_edit": False,
        **changes,
    }  # fmt: skip


def need(**changes: Any) -> dict[str, Any]:
    return listing(
        id=NEED, side="need", kind="machine", title="Découper 40 pièces de contreplaqué", category="bois",
        window_start=at(2), window_end=at(9), urgency="high", mine=True, may_edit=True, owner_name="Anna Dubois",
        **changes,
    )  # fmt: skip


def peer_offer(**changes: Any) -> dict[str, Any]:
    return listing(
        id=PEER_OFFER, origin=PEER, origin_name="OpenFlow (Namur)", kind="machine", title="Découpe laser 60 × 90",
        owner_name=None, owner_member_id=None, place={"label": "Namur", "latitude": 50.47, "longitude": 4.87},
        **changes,
    )  # fmt: skip


def result(one: dict[str, Any], **changes: Any) -> dict[str, Any]:
    names = ("id", "origin", "origin_name", "side", "kind", "title", "category", "owner_name")
    return {
        **{name: one[name] for name in names},
        "excerpt": one["text"][:80], "place_label": one["place"]["label"], "latitude": 50.6, "longitude": 3.1,
        "distance_km": 4.2, "bookable": True,
        "reasons": [{"code": "words", "value": "découpe"}, {"code": "distance", "value": "4"}], **changes,
    }  # fmt: skip


def introduction(**changes: Any) -> dict[str, Any]:
    return {
        "id": INTRODUCTION, "peer": None, "thing_id": OFFER, "thing_origin": None, "thing_title": "Scie à ruban",
        "thing_side": "offer", "bookable": False, "unit": "", "need_id": NEED,
        "asker": {"member_id": ANNA, "name": "Anna Dubois", "peer_id": None, "peer_name": None, "pseudonym": None},
        "owner": {"member_id": PAUL, "name": "Paul Lemaire", "peer_id": None, "peer_name": None, "pseudonym": None},
        "message": "Bonjour, une planche à couper.", "quantity": None, "status": "asked", "reason": None, "mine": False,
        "asked_at": at(-1), "changed_at": at(-1), **changes,
    }  # fmt: skip


def widening(**changes: Any) -> dict[str, Any]:
    return {
        "asked_at": at(-1), "radius_km": 300.0, "scope": "peers", "answered_at": None, "widened": None, **changes,
    }  # fmt: skip


def saved_search(**changes: Any) -> dict[str, Any]:
    return {
        "id": SEARCH, "name": "Scie à ruban", "words": "scie ruban", "side": "offer", "kind": "machine", "origin": PEER,
        "around": {"label": "Lille", "latitude": 50.63, "longitude": 3.06, "radius_km": 30.0}, "how": "daily",
        "paused": False, "found": 3, "made_at": at(-9), **changes,
    }  # fmt: skip


def terms(**changes: Any) -> dict[str, Any]:
    return {
        "seasons": [], "closures": [], "holidays": None, "approvals_needed": 1, "circle_ids": [], "roles": [],
        "peers": True, "peers_within_days": None, "quotas": [], "price": None, "deposit": "", "instructions": "",
        "cancel_notice_minutes": 0, "private": False, **changes,
    }  # fmt: skip


def letter(**changes: Any) -> dict[str, Any]:
    return {
        "id": LETTER, "type": "booking.confirmed.v1", "time": at(-1), "source": "opteos/booking", "subject": BOOKING,
        "queue": "notify.booking.confirmed.v1", "attempts": 6, "error": "RuntimeError: no stamps left", **changes,
    }  # fmt: skip


def message(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()), "at": at(0), "template": "booking-confirmed",
        "about": {"type": "booking", "id": BOOKING, "origin": None},
        "title": "Votre réservation est confirmée", "body": "Salle de réunion, jeudi.", "url": f"/bookings/{BOOKING}",
        "read": False, **changes,
    }  # fmt: skip


def link(**changes: Any) -> dict[str, Any]:
    return {
        "link_id": LINK, "peer_id": PEER, "peer_name": "OpenFlow (Namur)", "peer_web": "https://openflow.example",
        "status": "active", "since": at(-30), "last_sent_at": at(-1), "last_received_at": at(-1), "waiting": 2,
        "refused": 1, "reason": None, "detail": None, "thumbprint": "12345 67890", "unacknowledged": 3,
        "acknowledged_at": at(-1), "missing": 2, "copies_there": 12, "copies_here": 7, "compared_at": at(-1),
        "erasures_waiting": 1, "unclaimed": 2, "dropped": 2, "limits": {
            "share_kinds": ["machine"], "share_circles": None, "withheld": ["place"], "open_requests_at_most": 5,
        }, "kind": "direct", "hub_link_id": None, "hub_name": None, **changes,
    }  # fmt: skip


HUB = "0190a000-0000-7000-8000-00000000beef"
STRANGER = "0190a000-0000-7000-8000-00000000cafe"


def behind_hub(**changes: Any) -> dict[str, Any]:
    return {
        "hub_link_id": HUB, "hub_name": "Inter-CAE", "member": "0190a000-0000-7000-8000-00000000abba", "peer_id": PEER,
        "name": "OpenFlow (Namur)", "summary": "Coopérative d'activité.", "web": "https://openflow.example",
        "thumbprint": "12345 67890", "standing": "linked", "link_id": LINK, "first_seen_at": at(-9), "doubt": None,
        "claimed_thumbprint": "99999 00000", **changes,
    }  # fmt: skip


def member(role: str = "member", **changes: Any) -> dict[str, Any]:
    return {
        "id": ANNA, "name": "Anna Dubois", "role": role, "status": "active", "locale": "fr", "joined_at": at(-300),
        "email": "anna@example.org", **changes,
    }  # fmt: skip


def script_token(**changes: Any) -> dict[str, Any]:
    return {
        "id": OFFER, "name": "Agenda du site", "scopes": ["booking:read", "coordination"], "created_at": at(-3),
        "expires_at": at(30), "last_used_at": None, **changes,
    }  # fmt: skip


def act(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()), "at": at(-1), "service": "identity", "actor_id": PAUL, "actor_name": "Paul Lemaire",
        "role": "administrator", "what": "PATCH /members/{member_id}", "about": ANNA, "said": [],
        "notes": {"role": "coordinator"}, "correlation_id": "0af7651916cd43dd8448eb211c80319c", **changes,
    }  # fmt: skip


def problem(status: int, slug: str, detail: str, **more: Any) -> httpx.Response:
    body = {"type": f"urn:maillage:problem:{slug}", "title": slug, "status": status, "detail": detail, **more}
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})


def page(*items: Any, **more: Any) -> dict[str, Any]:
    return {"items": list(items), "next": None, **more}


CIRCLE = {
    "id": "0190a000-0000-7000-8000-0000000000c1", "name": "Couture", "purpose": "Coudre ensemble.", "status": "active",
    "mine": True, "members": [{"id": ANNA, "name": "Anna Dubois"}, {"id": PAUL, "name": "Paul Lemaire"}],
}  # fmt: skip
IMPORT = "0190a000-0000-7000-8000-0000000000d1"
REPORT = {
    "import_id": IMPORT, "encoding": "windows-1252", "separator": ";", "rows": 3, "valid": 2,
    "errors": [{"line": 3, "column": "genre", "value": "fusée", "reason": "Genre inconnu."}],
    "preview": [{"titre": "Salle"}, {"titre": "Four"}], "columns": ["titre"],
}  # fmt: skip
