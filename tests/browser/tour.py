"""A tour of the main pages, with something going on in both cooperatives."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from deploy.demo import places, seed
from deploy.demo.api import Json, wait_for
from deploy.demo.seed import LASER, ROOM
from services.portal.looks import listing_path
from tests.browser import things
from tests.journeys.conftest import Region

Pages = list[tuple[str, str]]
Tour = dict[str, Pages]
"""Names and paths of pages, by the key of the person who looks at them ("visitor" is not signed in)."""

LINK_PAGES = ("catalogue", "copies", "limits", "block")


_VISITORS_PAGES: Pages = [
    ("home", "/"),
    ("sign-in", "/account/sign-in"),
    ("search", "/search?q=salle"),
    ("lost", "/nowhere"),
]
_OWN_PAGES: Pages = [
    ("home", "/"),
    ("search", "/search?q=laser&side=offer"),
    ("search-nothing", "/search?q=zzyzx"),
    ("need-new", "/needs/new"),
    ("offer-new", "/offers/new"),
    ("bookings", "/bookings"),
    ("inbox", "/inbox"),
    ("me", "/me"),
    ("circles", "/circles"),
    ("sessions", "/sessions"),
    ("session-choose", "/sessions/new"),
    ("session-new", "/sessions/new?template=co_development"),
]


def prepare(region: Region) -> Tour:
    """Two cooperatives with something going on; the pages to be shown, by who looks at them."""
    lille, namur = region.lille, region.namur
    for town in (lille, namur):
        seed.import_csv(town, town.cooperative.catalogue, (places.DATA / town.cooperative.catalogue).read_bytes())
    seed.share(namur, "paul", LASER)
    seed.share(lille, "karim", ROOM)
    laser, room = (things.path_in(lille, "marie", what["title"]) for what in (LASER, ROOM))
    need = things.need(lille, "marie")
    first, _ = _asked(region, laser, "Première visite : je viendrai un peu avant.", accept=True)
    second, asked = _asked(region, laser, "Pour finir le stand du forum.")
    machines, period, sewing = _machines(region)
    (asked_series, changing_series), session = _series(region), _session(region)
    link = lille.coordinator.get("federation/links")[0]["link_id"]
    return {
        "visitor": _VISITORS_PAGES,
        "marie": [
            *_OWN_PAGES,
            ("offer-elsewhere", laser),
            ("offer-here", room),
            *_pages_of(machines, period, sewing),
            ("need", listing_path(need)),
            ("series-move", f"/bookings/{changing_series['bookings'][0]['id']}/change?scope=following"),
            ("booking-confirmed", f"/bookings/{first['id']}"),
            ("booking-pending", f"/bookings/{second['id']}"),
            ("cancel", f"/bookings/{first['id']}/cancel"),
            ("session", f"/sessions/{session['id']}"),
        ],
        "karim": [
            ("home", "/"),
            ("bookings", "/bookings"),
            ("session", f"/sessions/{session['id']}"),
            ("series-to-decide", f"/bookings/series/{asked_series['id']}"),
            ("series-changing", f"/bookings/series/{changing_series['id']}"),
            ("rules", _rules_of(room)),
            ("rules-many", _rules_of(machines)),
        ],
        "paul": [("home", "/"), ("booking-to-decide", f"/bookings/{asked['id']}")],
        "claire": _coordination(link),
    }


def _pages_of(offer: str, period: Json, changing: Json) -> Pages:
    """Of an offer of which there are several, and of a booking of it that its owner asks to move."""
    return [
        ("offer-many", f"{offer}?quantity=2"),
        ("offer-last-step", f"{offer}/book?{urlencode(period)}"),
        ("booking-changing", f"/bookings/{changing['id']}"),
        ("booking-move", f"/bookings/{changing['id']}/change"),
    ]


def _rules_of(path: str) -> str:
    return f"/offers/{path.rsplit('/', maxsplit=1)[-1][:36]}/booking-rules"


def _coordination(link: str) -> Pages:
    """The coordinator's pages, those of one link among them."""
    return [
        ("coordination", "/coordination"),
        ("limits", "/coordination/limits"),
        ("weights", "/coordination/weights"),
        ("limits-of-one", f"/coordination/limits?{urlencode({'category': LASER['category']})}"),
        ("dead", "/coordination/dead"),
        ("members", "/coordination/members"),
        ("links", "/coordination/links"),
        ("link", f"/coordination/links/{link}"),
        *((f"link-{page}", f"/coordination/links/{link}/{page}") for page in LINK_PAGES),
        ("import", "/coordination/import"),
        ("cooperative", "/coordination/cooperative"),
    ]


_TERMS: Json = {
    "seasons": [{"label": "Été", "begins": "06-01", "ends": "08-31", "opening_hours": seed.WORKING_HOURS}],
    "closures": [{"first": "2031-08-01", "last": "2031-08-15", "label": "Congés"}],
    "holidays": "FR",
    "peers_within_days": 14,
    "quotas": [{"scope": "member", "per": "week", "unit": "hours", "most": 12}],
    "price": {"kind": "hourly", "amount": "4.50"},
    "deposit": "Un chèque de 50 €",
    "instructions": "La clé est à l'accueil.",
    "cancel_notice_minutes": 60,
}


def _later(moment: str, hours: int = 1) -> str:
    return (datetime.fromisoformat(moment) + timedelta(hours=hours)).isoformat()


def _machines(region: Region) -> tuple[str, Json, Json]:
    """Seven sewing machines of Karim's, a time for them, and a booking of Marie's that he asks to move."""
    lille = region.lille
    machines = things.bookable(lille, "karim", "Sept machines à coudre")
    things.with_rules(lille, "karim", machines, capacity=7, approval="automatic", terms=_TERMS)
    period = things.free_period(lille, "marie", machines)
    sewing = things.book(lille, "marie", machines, period)
    change = period | {"end": _later(period["end"]), "quantity": 2, "note": "Deux de plus."}
    lille.members["karim"].call("PUT", f"booking/bookings/{sewing['id']}/change", json=change)
    return machines, period, sewing


def _series(region: Region) -> tuple[Json, Json]:
    """Two series of Marie's at Karim's: one that waits for his answer, one whose dates she asks to move."""
    lille = region.lille
    marie, karim = lille.members["marie"], lille.members["karim"]
    workshop = things.bookable(lille, "karim", "Atelier de couture du mardi")
    things.with_rules(lille, "karim", workshop, approval="owner")
    period = things.free_period(lille, "marie", workshop)
    wanted = {"offer_id": workshop.rsplit("/", 1)[-1][:36], "rrule": "FREQ=WEEKLY;COUNT=4", "note": "Cours, à huit."}
    waits: Json = marie.post("booking/bookings/series", wanted | period)
    afternoon = {"start": _later(period["start"], 4), "end": _later(period["end"], 4)}
    moving: Json = marie.post("booking/bookings/series", wanted | afternoon)
    karim.post(f"booking/bookings/series/{moving['id']}/approve")
    change = {"start": _later(afternoon["start"]), "end": _later(afternoon["end"]), "quantity": 1, "scope": "all"}
    marie.call("PUT", f"booking/bookings/{moving['bookings'][0]['id']}/change", json=change | {"note": "La salle."})
    return waits, moving


def _session(region: Region) -> Json:
    """A co-development session of Marie's that has its client; Karim waits for that seat."""
    members = region.lille.members
    templates: list[Json] = members["marie"].get("booking/session-templates")["items"]
    [begin] = [one for one in templates if one["template"] == "co_development"]
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=9)
    kept = ("template", "roles", "steps", "extras", "confidentiality", "rotating_role", "organiser_role")
    form = {name: begin[name] for name in kept} | {
        "title": "Codéveloppement de décembre",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=begin["minutes"])).isoformat(),
        "time_zone": "Europe/Paris",
        "video_url": "https://video.example/salle",
    }
    session: Json = members["marie"].post("booking/sessions", form)
    for who in ("julie", "karim"):
        members[who].post(f"booking/sessions/{session['id']}/sign-up", {"role": "client"})
    return session


def _asked(region: Region, offer: str, note: str, *, accept: bool = False) -> tuple[Json, Json]:
    """A booking of Marie's as Lille has it, and as Namur has it."""
    marie, paul = region.lille.members["marie"], region.namur.members["paul"]
    period = things.free_period(region.lille, "marie", offer)
    booking = things.book(region.lille, "marie", offer, period, note=note)
    request = things.request_seen(region.namur, "paul", booking)
    if accept:
        paul.post(f"booking/bookings/{request['id']}/approve")
        wait_for("yes", lambda: marie.get(f"booking/bookings/{booking['id']}")["status"] == "confirmed")
        start = period["start"]
        wait_for("Namur's calendar", lambda: things.free_period(region.lille, "marie", offer)["start"] != start)
    return booking, request
