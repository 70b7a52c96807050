"""What pretended services answer unless a test says otherwise, topic by topic."""

from uuid import uuid4

import httpx

from tests.unit.portal.pretend import things
from tests.unit.portal.pretend.booking_rules import booking_rules


def _listing_of(request: httpx.Request) -> things.Answer:
    if request.url.path.endswith(things.NEED):
        return things.need()
    return things.peer_offer() if request.url.params.get("origin") else things.listing()


def _sign_in(role: str) -> dict[str, things.Rule]:
    return {
        "POST identity /tokens": lambda _: {"token": "jwt", "expires_at": things.at(1), "member": things.member(role)},
        "POST identity /sessions": lambda _: httpx.Response(
            201, json={"session": "opaque", "member": things.member(role)}
        ),
        "DELETE identity /sessions/current": lambda _: None,
        "GET identity /sessions": lambda _: [
            {
                "id": "s1",
                "device": "Firefox, Linux",
                "since": things.at(-2),
                "last_used_at": things.at(0),
                "current": True,
            },
            {"id": "s2", "device": "", "since": things.at(-9), "last_used_at": things.at(-1), "current": False},
        ],
        "POST identity /sessions/end-others": lambda _: None,
        "DELETE identity /sessions/s2": lambda _: None,
        "GET identity /me/second-factor": lambda _: {"since": None, "due": things.at(9), "recovery_codes_left": 0},
        "GET identity /me/tokens": lambda _: [things.script_token()],
        "POST identity /me/tokens": lambda _: httpx.Response(201, json=things.script_token(token="maillage_SECRET")),
        f"DELETE identity /me/tokens/{things.OFFER}": lambda _: None,
        "GET identity /acts": lambda _: things.page(
            things.act(),
            things.act(what="POST /something/new", about=None, said=["catalog.listing_published.v1 x"], notes={}),
        ),
        "GET identity /acts.csv": lambda _: httpx.Response(200, text="at;service\n"),
    }


def _people(role: str) -> dict[str, things.Rule]:
    return {
        "GET identity /cooperative": lambda _: {
            "name": "Optéos",
            "summary": "Une coopérative d'activité et d'emploi à Lille.",
            "locale": "fr",
            "time_zone": "Europe/Paris",
            "web": "http://127.0.0.1:8000",
            "contact_email": "bonjour@example.org",
            "place": {"label": "Lille", "latitude": 50.63, "longitude": 3.06},
        },
        "GET identity /me": lambda _: things.member(role),
        "GET identity /members": lambda _: things.page(
            things.member(role), things.member(id=things.PAUL, name="Paul Lemaire")
        ),
        f"GET identity /members/{things.PAUL}": lambda _: things.member(id=things.PAUL, name="Paul Lemaire"),
        "GET identity /invitations": lambda _: things.page(
            {
                "id": "i1",
                "email": "zoe@example.org",
                "name": None,
                "role": "member",
                "status": "pending",
                "expires_at": things.at(6),
            }
        ),
        "GET identity /invitations/by-token/abc": lambda _: {
            "email": "zoe@example.org",
            "name": "Zoé",
            "cooperative_name": "Optéos",
            "inviter_name": "Paul Lemaire",
        },
        "GET identity /circles": lambda _: things.page(things.CIRCLE),
        f"GET identity /circles/{things.CIRCLE['id']}": lambda _: things.CIRCLE,
    }


def _listings() -> dict[str, things.Rule]:
    return {
        "GET catalog /listings": lambda request: things.page(
            *([things.need()] if request.url.params.get("side") == "need" else [things.listing(), things.peer_offer()])
        ),
        f"GET catalog /listings/{things.OFFER}": _listing_of,
        f"GET catalog /listings/{things.NEED}": _listing_of,
        f"GET catalog /listings/{things.PEER_OFFER}": _listing_of,
        "POST catalog /listings": lambda _: httpx.Response(201, json=things.listing()),
        "POST catalog /imports/check": lambda _: things.REPORT,
        f"POST catalog /imports/{things.IMPORT}/run": lambda _: httpx.Response(202, json={"status": "running"}),
        f"GET catalog /imports/{things.IMPORT}": lambda _: {
            "status": "running",
            "rows": 3,
            "done": 1,
            "created": 1,
            "updated": 0,
            "errors": 0,
        },
        "GET catalog /export.csv": lambda _: httpx.Response(200, text="ref;titre\n"),
    }


def _messages() -> dict[str, things.Rule]:
    return {
        "GET notify /dead-letters": lambda _: {
            "items": [things.letter(), things.letter(id="a1b2", time=None, type="")],
            "more": True,
        },
        "GET notify /inbox": lambda _: things.page(
            things.message(), things.message(read=True, at=things.at(-2), title="Demande envoyée")
        ),
        "GET notify /inbox/unread": lambda _: {"count": 1},
        "GET notify /preferences": lambda _: {"email": "important"},
    }


def _searches() -> dict[str, things.Rule]:
    return {
        "GET matching /search": lambda r: things.page(
            things.result(things.listing()),
            things.result(things.peer_offer()),
            total=2,
            nearest=r.url.params.get("q") == "rien",
            by_meaning=True,
            facets={
                "kind": [{"value": "machine", "label": "", "count": 2}],
                "km": [{"value": "10", "label": "", "count": 1}],
                "topic": [{"value": "make.wood", "label": "Atelier bois", "count": 1}],
                "origin": [
                    {"value": "ours", "label": "", "count": 1},
                    {"value": things.PEER, "label": "Namur", "count": 1},
                ],
                "side": [{"value": "offer", "label": "", "count": 2}],
                "spoken": [{"value": "fr", "label": "", "count": 2}],
            },
        ),
        "GET matching /saved-searches": lambda _: [
            things.saved_search(),
            things.saved_search(id=str(uuid4()), paused=True, around=None),
        ],
        "POST matching /saved-searches": lambda _: httpx.Response(201, json=things.saved_search()),
        f"PUT matching /saved-searches/{things.SEARCH}": lambda _: things.saved_search(),
        f"DELETE matching /saved-searches/{things.SEARCH}": lambda _: httpx.Response(204),
        f"GET matching /saved-searches/{things.SEARCH}/stop": lambda _: {"name": "Scie à ruban"},
        f"POST matching /saved-searches/{things.SEARCH}/stop": lambda _: {"name": "Scie à ruban"},
        "GET matching /categories": lambda _: [{"code": "make.wood", "name": "Atelier bois", "group": "Atelier"}],
        **{
            f"GET matching /skills/{one}": lambda _: [{"scheme": "rome", "code": "B1803", "label": "Couture"}]
            for one in (things.OFFER, things.NEED)
        },
        "GET matching /suggestions": lambda _: {
            "titles": ["Découpeuse laser"],
            "categories": [{"code": "make.wood", "name": "Atelier bois", "group": ""}],
        },
    }


def _needs() -> dict[str, things.Rule]:
    return {
        f"GET matching /needs/{things.NEED}/matches": lambda _: {
            "need_id": things.NEED,
            "by_meaning": False,
            "items": [
                things.result(things.peer_offer(), score=0.8, status="proposed", ask_outcome=False),
                things.result(things.listing(), score=0.5, status="accepted", ask_outcome=True),
                things.result(things.listing(id=str(uuid4())), score=0.5, status="accepted", ask_outcome=False),
            ],
            "near_misses": [things.result(things.listing(), missing={"code": "distance", "value": "80"})],
            "promised": [
                {
                    "id": things.INTRODUCTION,
                    "peer": things.PEER,
                    "quantity": 3,
                    "by": {"name": None, "peer_name": "Namur"},
                }
            ],
            "widening": things.widening(),
        },
        f"GET matching /needs/{things.NEED}/pledges": lambda _: {
            "wanted": 10,
            "unit": "chaises",
            "promised": 3,
            "received": 2,
            "missing": 7,
            "people": 1,
        },
        f"PUT matching /needs/{things.NEED}/pledges/{things.INTRODUCTION}": lambda _: httpx.Response(204),
        f"POST matching /needs/{things.NEED}/seen": lambda _: httpx.Response(204),
        f"POST matching /needs/{things.NEED}/widening": lambda _: httpx.Response(204),
        f"PUT matching /needs/{things.NEED}/matches/{things.OFFER}": lambda _: httpx.Response(204),
    }


def _introductions() -> dict[str, things.Rule]:
    return {
        "GET matching /introductions": lambda _: [
            things.introduction(),
            things.introduction(mine=True),
            things.introduction(status="accepted", peer=things.PEER),
        ],
        "POST matching /introductions": lambda _: httpx.Response(201, json=things.introduction(mine=True)),
        f"GET matching /introductions/{things.INTRODUCTION}": lambda _: things.introduction(),
        f"POST matching /introductions/{things.INTRODUCTION}/answer": lambda _: things.introduction(status="accepted"),
        f"POST matching /introductions/{things.INTRODUCTION}/withdraw": lambda _: httpx.Response(204),
        f"GET notify /introductions/{things.INTRODUCTION}/contact": lambda _: {
            "name": "Anna",
            "email": "anna@opteos.example",
        },
        "GET matching /outcomes/key": lambda _: {"need_title": "Découper", "offer_title": "Scie", "outcome": None},
        "PUT matching /outcomes/key": lambda _: httpx.Response(204),
    }


def _links() -> dict[str, things.Rule]:
    return {
        "GET federation /links": lambda _: [things.link()],
        "GET federation /invitations": lambda _: [],
        "GET federation /blocks": lambda _: [
            {"peer_id": things.PEER, "peer_name": "Ailleurs", "blocked_by": "Claire", "at": things.at(-3)}
        ],
        f"DELETE federation /blocks/{things.PEER}": lambda _: None,
        "GET federation /recovery": lambda _: {
            "recovering": True,
            "begun_at": things.at(0),
            "begun_by": "OpenFlow",
            "waiting_for": ["OpenFlow (Namur)"],
        },
        "DELETE federation /recovery": lambda _: None,
        "GET federation /members": lambda _: [
            things.behind_hub(),
            things.behind_hub(
                member=things.STRANGER, name="Cabestan", standing="open", doubt="another_key", link_id=None
            ),
        ],
        f"POST federation /members/{things.HUB}/{things.STRANGER}/accept": lambda _: httpx.Response(
            201, json=things.link(kind="behind")
        ),
        "GET federation /peers": lambda _: [
            {"peer_id": things.PEER, "name": "OpenFlow (Namur)", "web": "https://openflow.example"}
        ],
        "POST federation /invitations": lambda _: httpx.Response(
            201, json={"code": "maillage:CODE", "expires_at": things.at(7), "thumbprint": "thumb"}
        ),
    }


def _link_details() -> dict[str, things.Rule]:
    return {
        f"GET federation /links/{things.LINK}/refusals": lambda _: [
            {"id": "r1", "at": things.at(-1), "reason": "unknown_key", "detail": "kid 12", "seq": 4}
        ],
        f"GET federation /links/{things.LINK}": lambda _: things.link(),
        f"GET federation /links/{things.LINK}/unclaimed": lambda _: [
            {
                "booking_id": things.BOOKING,
                "offer_id": offer,
                "start": things.at(1),
                "end": things.at(1, 11),
                "quantity": 2,
                "confirmed": yes,
            }
            for offer, yes in ((things.PEER_OFFER, True), (str(uuid4()), False))
        ],
        f"POST federation /links/{things.LINK}/unclaimed/call-off": lambda _: httpx.Response(202),
        f"GET federation /links/{things.LINK}/catalogue": lambda _: things.page(
            {"listing": {**things.listing(), "public": True}},
            {"listing": {**things.need(), "public": False, "text": "", "place": None}},
        ),
        f"GET federation /links/{things.LINK}/copies": lambda _: things.page(
            *(
                {"id": things.OFFER, "title": title, "copy_state": state}
                for title, state in (
                    ("Salle de réunion pour 20 personnes", "holds"),
                    ("Découpe laser", "on_the_way"),
                    ("", "to_be_deleted"),
                    ("Remorque", "deleted"),
                )
            )
        ),
        f"PUT federation /links/{things.LINK}/limits": lambda _: things.link(),
        f"POST federation /links/{things.LINK}/block": lambda _: {"peer_id": things.PEER},
    }


def standard(role: str) -> dict[str, things.Rule]:
    """By "METHOD service /path", for somebody with this role."""
    of_people = _sign_in(role) | _people(role) | _listings() | _messages() | booking_rules()
    return of_people | _searches() | _needs() | _introductions() | _links() | _link_details()
