"""What pretended booking answers unless a test says otherwise, topic by topic."""

from uuid import uuid4

import httpx

from tests.unit.portal.pretend import bookings, things


def _bookings() -> dict[str, things.Rule]:
    return {
        f"GET booking /resources/{things.OFFER}": lambda _: bookings.resource(),
        f"GET booking /resources/{things.PEER_OFFER}": lambda _: bookings.resource(
            origin=things.PEER, origin_name="OpenFlow (Namur)"
        ),
        f"GET booking /resources/{things.OFFER}/availability": lambda r: bookings.availability(
            r.url.params.get("from", "")
        ),
        f"GET booking /resources/{things.PEER_OFFER}/availability": lambda r: bookings.availability(
            r.url.params.get("from", "")
        ),
        "GET booking /bookings": lambda r: things.page(
            bookings.booking(
                mine=False, may_decide=True, borrower={"member_id": None, "name": None, "peer_name": "OpenFlow"}
            )
            if r.url.params.get("role") == "to_decide"
            else bookings.booking(id=str(uuid4()), status="confirmed")
        ),
        f"GET booking /bookings/{things.BOOKING}": lambda _: bookings.booking(),
        "POST booking /holds": lambda _: httpx.Response(
            201, json=bookings.booking(id=things.HOLD, status="held", decide_by=things.at(1))
        ),
        f"GET booking /bookings/{things.HOLD}": lambda _: bookings.booking(
            id=things.HOLD, status="held", decide_by=things.at(1)
        ),
        f"DELETE booking /holds/{things.HOLD}": lambda _: None,
        "POST booking /bookings": lambda _: httpx.Response(201, json=bookings.booking()),
        f"POST booking /bookings/{things.BOOKING}/approve": lambda _: bookings.booking(status="confirmed"),
        f"POST booking /bookings/{things.BOOKING}/cancel": lambda _: bookings.booking(status="cancelled"),
    }


def _use_and_accounts() -> dict[str, things.Rule]:
    return {
        "GET booking /quotas": lambda _: {
            "items": [
                {"category": "réunion", "quotas": []},
                {"category": "atelier", "quotas": [{"scope": "member", "per": "week", "unit": "hours", "most": 12}]},
            ]
        },
        "GET booking /uses": lambda _: things.page(
            bookings.use(),
            bookings.use(kind="no_show", value=None, minutes=0),
            bookings.use(given=True, value={"amount": "95", "unit": "minutes"}),
        ),
        "GET booking /uses.csv": lambda _: httpx.Response(200, text="réservation;genre\n"),
        "GET booking /balance": lambda _: {
            "peers": [
                {
                    "id": things.PEER,
                    "name": "OpenFlow (Namur)",
                    "given": bookings.sums(3, 270, "37.50"),
                    "received": bookings.sums(1, 60, time_minutes=60),
                }
            ],
            "within": bookings.sums(2, 120),
            "members": [
                {
                    "id": things.ANNA,
                    "name": "Anna Dubois",
                    "given": bookings.sums(),
                    "received": bookings.sums(2, 3090, "12.50"),
                }
            ],
            "more_members": 2,
        },
    }


def _coming_and_waiting() -> dict[str, things.Rule]:
    return {
        f"POST booking /bookings/{things.BOOKING}/check-in": lambda _: bookings.booking(status="in_use"),
        f"POST booking /bookings/{things.BOOKING}/check-out": lambda _: bookings.booking(status="completed"),
        "GET booking /waiting": lambda _: things.page(
            bookings.wish(), bookings.wish(id=str(uuid4()), status="offered", accept_by=things.at(1))
        ),
        f"GET booking /waiting/{bookings.WISH}": lambda _: bookings.wish(
            status="offered", position=None, accept_by=things.at(1)
        ),
        f"GET booking /resources/{things.OFFER}/waiting": lambda _: things.page(
            bookings.wish(), bookings.wish(position=2)
        ),
        f"GET booking /resources/{things.OFFER}/upcoming": lambda _: bookings.upcoming(bookings.affected()),
    }


def _calendars() -> dict[str, things.Rule]:
    return {
        "GET booking /my/feeds": lambda _: things.page(
            bookings.feed(),
            bookings.feed("resource", things.OFFER, title="Salle"),
            bookings.feed("circle", things.CIRCLE["id"], read_at=None),
        ),
        "POST booking /my/feeds": lambda request: httpx.Response(201, json=bookings.feed_made(request)),
        "GET booking /my/calendar": lambda _: bookings.external(),
        "PUT booking /my/calendar": lambda _: bookings.external(read_at=None),
        f"GET booking /resources/{things.OFFER}/calendar": lambda _: {
            "offer_id": things.OFFER,
            "possible": True,
            "follows_calendar": False,
            "calendar_given": True,
        },
        f"PUT booking /resources/{things.OFFER}/calendar": lambda _: {
            "offer_id": things.OFFER,
            "possible": True,
            "follows_calendar": True,
            "calendar_given": True,
        },
    }


def _sessions() -> dict[str, things.Rule]:
    return {
        "GET booking /session-templates": lambda _: things.page(
            *(bookings.session_template(name) for name in ("co_development", "peer_mentoring", "monthly_day", "open"))
        ),
        "GET booking /sessions": lambda r: things.page(
            bookings.session()
            if r.url.params.get("mine")
            else bookings.session(id=str(uuid4()), mine=None, is_short=None)
        ),
        "POST booking /sessions": lambda _: httpx.Response(201, json=bookings.session()),
        f"GET booking /sessions/{things.SESSION}": lambda _: bookings.session(),
        f"PUT booking /sessions/{things.SESSION}": lambda _: bookings.session(),
        f"PUT booking /sessions/{things.SESSION}/answers": lambda _: bookings.session(),
        **{
            f"POST booking /sessions/{things.SESSION}/{what}": lambda _: bookings.session()
            for what in ("sign-up", "accept", "move")
        },
        f"POST booking /sessions/{things.SESSION}/leave": lambda _: bookings.session(mine=None),
        f"POST booking /sessions/{things.SESSION}/cancel": lambda _: bookings.session(status="cancelled"),
    }


def booking_rules() -> dict[str, things.Rule]:
    """By "METHOD booking /path"."""
    return _bookings() | _use_and_accounts() | _coming_and_waiting() | _calendars() | _sessions()
