"""Services that are not there: answers by rule, for the pages' own tests. Nothing outside tests/unit/portal uses it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
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


def availability(start: str = "") -> dict[str, Any]:
    first = datetime.fromisoformat(start).date() if start else NOW.date()
    days: list[dict[str, Any]] = []
    for number in range(7):
        day = first + timedelta(days=number)
        span = {"start": f"{day}T09:00:00+01:00", "end": f"{day}T18:00:00+01:00"}
        morning = {"start": f"{day}T09:00:00+01:00", "end": f"{day}T12:00:00+01:00"}
        evening = {"start": f"{day}T14:00:00+01:00", "end": f"{day}T18:00:00+01:00"}
        busy = {"start": f"{day}T12:00:00+01:00", "end": f"{day}T14:00:00+01:00"}
        days.append({"date": str(day), "open": [span], "free": [morning, evening], "busy": [busy]})
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
        "erasures_waiting": 1, "dropped": 2, "limits": {
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


def _listing_of(request: httpx.Request) -> Answer:
    if request.url.path.endswith(NEED):
        return need()
    return peer_offer() if request.url.params.get("origin") else listing()


def _standard(role: str) -> dict[str, Rule]:
    return {
        "POST identity /tokens": lambda _: {"token": "jwt", "expires_at": at(1), "member": member(role)},
        "POST identity /sessions": lambda _: httpx.Response(201, json={"session": "opaque", "member": member(role)}),
        "DELETE identity /sessions/current": lambda _: None,
        "GET identity /cooperative": lambda _: {
            "name": "Optéos", "summary": "Une coopérative d'activité et d'emploi à Lille.", "locale": "fr",
            "time_zone": "Europe/Paris", "web": "http://127.0.0.1:8000", "contact_email": "bonjour@example.org",
            "place": {"label": "Lille", "latitude": 50.63, "longitude": 3.06},
        },
        "GET identity /me": lambda _: member(role),
        "GET identity /members": lambda _: page(member(role), member(id=PAUL, name="Paul Lemaire")),
        f"GET identity /members/{PAUL}": lambda _: member(id=PAUL, name="Paul Lemaire"),
        "GET identity /invitations": lambda _: page(
            {"id": "i1", "email": "zoe@example.org", "name": None, "role": "member", "status": "pending",
             "expires_at": at(6)}
        ),
        "GET identity /invitations/by-token/abc": lambda _: {
            "email": "zoe@example.org", "name": "Zoé", "cooperative_name": "Optéos", "inviter_name": "Paul Lemaire",
        },
        "GET identity /sessions": lambda _: [
            {"id": "s1", "device": "Firefox, Linux", "since": at(-2), "last_used_at": at(0), "current": True},
            {"id": "s2", "device": "", "since": at(-9), "last_used_at": at(-1), "current": False},
        ],
        "POST identity /sessions/end-others": lambda _: None,
        "DELETE identity /sessions/s2": lambda _: None,
        "GET identity /me/second-factor": lambda _: {"since": None, "due": at(9), "recovery_codes_left": 0},
        "GET identity /me/tokens": lambda _: [script_token()],
        "POST identity /me/tokens": lambda _: httpx.Response(201, json=script_token(token="maillage_SECRET")),
        f"DELETE identity /me/tokens/{OFFER}": lambda _: None,
        "GET identity /acts": lambda _: page(
            act(), act(what="POST /something/new", about=None, said=["catalog.listing_published.v1 x"], notes={})
        ),
        "GET identity /acts.csv": lambda _: httpx.Response(200, text="at;service\n"),
        "GET identity /circles": lambda _: page(CIRCLE),
        f"GET identity /circles/{CIRCLE['id']}": lambda _: CIRCLE,
        "GET catalog /listings": lambda request: page(
            *([need()] if request.url.params.get("side") == "need" else [listing(), peer_offer()])
        ),
        f"GET catalog /listings/{OFFER}": _listing_of,
        f"GET catalog /listings/{NEED}": _listing_of,
        f"GET catalog /listings/{PEER_OFFER}": _listing_of,
        "POST catalog /listings": lambda _: httpx.Response(201, json=listing()),
        "POST catalog /imports/check": lambda _: REPORT,
        f"POST catalog /imports/{IMPORT}/run": lambda _: httpx.Response(202, json={"status": "running"}),
        f"GET catalog /imports/{IMPORT}": lambda _: {
            "status": "running", "rows": 3, "done": 1, "created": 1, "updated": 0, "errors": 0,
        },
        "GET catalog /export.csv": lambda _: httpx.Response(200, text="ref;titre\n"),
        f"GET booking /resources/{OFFER}": lambda _: resource(),
        f"GET booking /resources/{PEER_OFFER}": lambda _: resource(origin=PEER, origin_name="OpenFlow (Namur)"),
        f"GET booking /resources/{OFFER}/availability": lambda r: availability(r.url.params.get("from", "")),
        f"GET booking /resources/{PEER_OFFER}/availability": lambda r: availability(r.url.params.get("from", "")),
        "GET booking /bookings": lambda r: page(
            booking(mine=False, may_decide=True, borrower={"member_id": None, "name": None, "peer_name": "OpenFlow"})
            if r.url.params.get("role") == "to_decide"
            else booking(id=str(uuid4()), status="confirmed")
        ),
        f"GET booking /bookings/{BOOKING}": lambda _: booking(),
        "GET booking /quotas": lambda _: {
            "items": [
                {"category": "réunion", "quotas": []},
                {"category": "atelier", "quotas": [{"scope": "member", "per": "week", "unit": "hours", "most": 12}]},
            ]
        },
        "GET notify /dead-letters": lambda _: {
            "items": [letter(), letter(id="a1b2", time=None, type="")],
            "more": True,
        },
        "POST booking /holds": lambda _: httpx.Response(201, json=booking(id=HOLD, status="held", decide_by=at(1))),
        f"GET booking /bookings/{HOLD}": lambda _: booking(id=HOLD, status="held", decide_by=at(1)),
        f"DELETE booking /holds/{HOLD}": lambda _: None,
        "GET booking /uses": lambda _: page(use(), use(kind="no_show", value=None, minutes=0), use(given=True, value={
            "amount": "95", "unit": "minutes"})),
        "GET booking /uses.csv": lambda _: httpx.Response(200, text="réservation;genre\n"),
        "GET booking /balance": lambda _: {
            "peers": [{"id": PEER, "name": "OpenFlow (Namur)", "given": sums(3, 270, "37.50"),
                       "received": sums(1, 60, time_minutes=60)}],
            "within": sums(2, 120),
            "members": [{"id": ANNA, "name": "Anna Dubois", "given": sums(), "received": sums(2, 3090, "12.50")}],
            "more_members": 2,
        },
        f"POST booking /bookings/{BOOKING}/check-in": lambda _: booking(status="in_use"),
        f"POST booking /bookings/{BOOKING}/check-out": lambda _: booking(status="completed"),
        "GET booking /waiting": lambda _: page(wish(), wish(id=str(uuid4()), status="offered", accept_by=at(1))),
        f"GET booking /waiting/{WISH}": lambda _: wish(status="offered", position=None, accept_by=at(1)),
        f"GET booking /resources/{OFFER}/waiting": lambda _: page(wish(), wish(position=2)),
        f"GET booking /resources/{OFFER}/upcoming": lambda _: upcoming(affected()),
        "POST booking /bookings": lambda _: httpx.Response(201, json=booking()),
        f"POST booking /bookings/{BOOKING}/approve": lambda _: booking(status="confirmed"),
        f"POST booking /bookings/{BOOKING}/cancel": lambda _: booking(status="cancelled"),
        "GET booking /my/feeds": lambda _: page(
            feed(), feed("resource", OFFER, title="Salle"), feed("circle", CIRCLE["id"], read_at=None)
        ),
        "POST booking /my/feeds": lambda request: httpx.Response(201, json=feed_made(request)),
        "GET booking /my/calendar": lambda _: external(),
        "PUT booking /my/calendar": lambda _: external(read_at=None),
        f"GET booking /resources/{OFFER}/calendar": lambda _: {
            "offer_id": OFFER, "possible": True, "follows_calendar": False, "calendar_given": True,
        },
        f"PUT booking /resources/{OFFER}/calendar": lambda _: {
            "offer_id": OFFER, "possible": True, "follows_calendar": True, "calendar_given": True,
        },
        "GET booking /session-templates": lambda _: page(
            *(session_template(name) for name in ("co_development", "peer_mentoring", "monthly_day", "open"))
        ),
        "GET booking /sessions": lambda r: page(
            session() if r.url.params.get("mine") else session(id=str(uuid4()), mine=None, is_short=None)
        ),
        "POST booking /sessions": lambda _: httpx.Response(201, json=session()),
        f"GET booking /sessions/{SESSION}": lambda _: session(),
        f"PUT booking /sessions/{SESSION}": lambda _: session(),
        f"PUT booking /sessions/{SESSION}/answers": lambda _: session(),
        **{f"POST booking /sessions/{SESSION}/{what}": lambda _: session() for what in ("sign-up", "accept", "move")},
        f"POST booking /sessions/{SESSION}/leave": lambda _: session(mine=None),
        f"POST booking /sessions/{SESSION}/cancel": lambda _: session(status="cancelled"),
        "GET matching /search": lambda r: page(
            result(listing()), result(peer_offer()), total=2, nearest=r.url.params.get("q") == "rien", by_meaning=True,
            facets={
                "kind": [{"value": "machine", "label": "", "count": 2}],
                "km": [{"value": "10", "label": "", "count": 1}],
                "topic": [{"value": "make.wood", "label": "Atelier bois", "count": 1}],
                "origin": [{"value": "ours", "label": "", "count": 1}, {"value": PEER, "label": "Namur", "count": 1}],
                "side": [{"value": "offer", "label": "", "count": 2}],
                "spoken": [{"value": "fr", "label": "", "count": 2}],
            },
        ),
        "GET matching /saved-searches": lambda _: [
            saved_search(), saved_search(id=str(uuid4()), paused=True, around=None),
        ],
        "POST matching /saved-searches": lambda _: httpx.Response(201, json=saved_search()),
        f"PUT matching /saved-searches/{SEARCH}": lambda _: saved_search(),
        f"DELETE matching /saved-searches/{SEARCH}": lambda _: httpx.Response(204),
        f"GET matching /saved-searches/{SEARCH}/stop": lambda _: {"name": "Scie à ruban"},
        f"POST matching /saved-searches/{SEARCH}/stop": lambda _: {"name": "Scie à ruban"},
        "GET matching /categories": lambda _: [{"code": "make.wood", "name": "Atelier bois", "group": "Atelier"}],
        **{
            f"GET matching /skills/{one}": lambda _: [{"scheme": "rome", "code": "B1803", "label": "Couture"}]
            for one in (OFFER, NEED)
        },
        "GET matching /suggestions": lambda _: {
            "titles": ["Découpeuse laser"], "categories": [{"code": "make.wood", "name": "Atelier bois", "group": ""}],
        },
        f"GET matching /needs/{NEED}/matches": lambda _: {
            "need_id": NEED,
            "by_meaning": False,
            "items": [
                result(peer_offer(), score=0.8, status="proposed", ask_outcome=False),
                result(listing(), score=0.5, status="accepted", ask_outcome=True),
                result(listing(id=str(uuid4())), score=0.5, status="accepted", ask_outcome=False),
            ],
            "near_misses": [result(listing(), missing={"code": "distance", "value": "80"})],
            "promised": [{"id": INTRODUCTION, "peer": PEER, "quantity": 3, "by": {"name": None, "peer_name": "Namur"}}],
            "widening": widening(),
        },
        f"GET matching /needs/{NEED}/pledges": lambda _: {
            "wanted": 10, "unit": "chaises", "promised": 3, "received": 2, "missing": 7, "people": 1,
        },
        f"PUT matching /needs/{NEED}/pledges/{INTRODUCTION}": lambda _: httpx.Response(204),
        f"POST matching /needs/{NEED}/seen": lambda _: httpx.Response(204),
        f"POST matching /needs/{NEED}/widening": lambda _: httpx.Response(204),
        "GET matching /introductions": lambda _: [
            introduction(), introduction(mine=True), introduction(status="accepted", peer=PEER),
        ],
        "POST matching /introductions": lambda _: httpx.Response(201, json=introduction(mine=True)),
        f"GET matching /introductions/{INTRODUCTION}": lambda _: introduction(),
        f"POST matching /introductions/{INTRODUCTION}/answer": lambda _: introduction(status="accepted"),
        f"POST matching /introductions/{INTRODUCTION}/withdraw": lambda _: httpx.Response(204),
        f"GET notify /introductions/{INTRODUCTION}/contact": lambda _: {"name": "Anna", "email": "anna@opteos.example"},
        "GET matching /outcomes/key": lambda _: {"need_title": "Découper", "offer_title": "Scie", "outcome": None},
        "PUT matching /outcomes/key": lambda _: httpx.Response(204),
        f"PUT matching /needs/{NEED}/matches/{OFFER}": lambda _: httpx.Response(204),
        "GET notify /inbox": lambda _: page(message(), message(read=True, at=at(-2), title="Demande envoyée")),
        "GET notify /inbox/unread": lambda _: {"count": 1},
        "GET notify /preferences": lambda _: {"email": "important"},
        "GET federation /links": lambda _: [link()],
        "GET federation /invitations": lambda _: [],
        f"GET federation /links/{LINK}/refusals": lambda _: [
            {"id": "r1", "at": at(-1), "reason": "unknown_key", "detail": "kid 12", "seq": 4}
        ],
        f"GET federation /links/{LINK}": lambda _: link(),
        f"GET federation /links/{LINK}/catalogue": lambda _: page(
            {"listing": {**listing(), "public": True}},
            {"listing": {**need(), "public": False, "text": "", "place": None}},
        ),
        f"GET federation /links/{LINK}/copies": lambda _: page(
            *(
                {"id": OFFER, "title": title, "copy_state": state}
                for title, state in (
                    ("Salle de réunion pour 20 personnes", "holds"), ("Découpe laser", "on_the_way"),
                    ("", "to_be_deleted"), ("Remorque", "deleted"),
                )
            )
        ),
        f"PUT federation /links/{LINK}/limits": lambda _: link(),
        f"POST federation /links/{LINK}/block": lambda _: {"peer_id": PEER},
        "GET federation /blocks": lambda _: [
            {"peer_id": PEER, "peer_name": "Ailleurs", "blocked_by": "Claire", "at": at(-3)}
        ],
        f"DELETE federation /blocks/{PEER}": lambda _: None,
        "GET federation /recovery": lambda _: {
            "recovering": True, "begun_at": at(0), "begun_by": "OpenFlow", "waiting_for": ["OpenFlow (Namur)"],
        },
        "DELETE federation /recovery": lambda _: None,
        "GET federation /members": lambda _: [
            behind_hub(),
            behind_hub(member=STRANGER, name="Cabestan", standing="open", doubt="another_key", link_id=None),
        ],
        f"POST federation /members/{HUB}/{STRANGER}/accept": lambda _: httpx.Response(201, json=link(kind="behind")),
        "GET federation /peers": lambda _: [{"peer_id": PEER, "name": "OpenFlow (Namur)", "web": "https://openflow.example"}],
        "POST federation /invitations": lambda _: httpx.Response(
            201, json={"code": "maillage:CODE", "expires_at": at(7), "thumbprint": "thumb"}
        ),
    }  # fmt: skip


@dataclass
class Pretend:
    """`rules` by "METHOD service /path"; `away`: services that do not answer; `seen`: every request that came."""

    role: str = "member"
    rules: dict[str, Rule] = field(default_factory=dict[str, Rule])
    away: set[str] = field(default_factory=set[str])
    seen: list[httpx.Request] = field(default_factory=list[httpx.Request])

    def __post_init__(self) -> None:
        self.rules = _standard(self.role) | self.rules

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        _, _, service, rest = request.url.path.split("/", 3)
        if service in self.away:
            raise httpx.ConnectError("away", request=request)
        rule = self.rules.get(f"{request.method} {service} /{rest}")
        if rule is None:
            return problem(404, "not-found", "Cet élément n'existe pas.")
        given = rule(request)
        if isinstance(given, httpx.Response):
            return given
        return httpx.Response(204) if given is None else httpx.Response(200, json=given)

    def bodies(self, method: str, path: str) -> list[dict[str, Any]]:
        """The JSON bodies sent to `path` ("/api/booking/bookings")."""
        return [json.loads(one.content or b"{}") for one in self.seen if (one.method, one.url.path) == (method, path)]
