"""Somebody leaves, and nothing in any database of two linked cooperatives tells who they were or what they wrote."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.demo.api import Json, Member, Refused, Visitor, wait_for
from deploy.demo.seed import LASER, Town, share
from deploy.local.instance import LocalInstance
from services.chassis import names
from tests.faults.sql import Sql
from tests.journeys.conftest import Region
from tests.journeys.test_main_job import copy_of, first_free, offer, state

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.timeout(600)]

_LINK = re.compile(r"https?://\S+/account/join/([\w.~-]+)")
MARK = f"qx{uuid4().hex[:8]}"
NAME = f"Zoé Marquée-{MARK}"
PHONE = "+33 6 98 76 54 32"
PLACE = f"Rue du Rabot, cour {uuid4().hex[:8]}"
"""Where somebody's booking that stands is to be: kept until that is over."""
TEXT = f"tx{uuid4().hex[:8]}"
"""In the text of a session to come: kept until that is over or called off."""
TITLE = f"Rabot {uuid4().hex[:8]}"
"""What was lent keeps its title where others have borrowed it: in their bookings, their inbox, the accounts."""


KEEP_TITLES = (
    "booking.bookings", "booking.offers", "booking.sessions", "booking.idempotency", "notify.bookings",
    "matching.introductions",
    "notify.notifications", "notify.sessions", "notify.deliveries",
)  # fmt: skip


def words(where: str) -> str:
    """Something personal, which tells in a failure where it was written."""
    return f"{where} {MARK} {PHONE}"


def join(region: Region) -> Member:
    lille, email = region.lille, f"zoe.{MARK}@lille.example"
    lille.coordinator.post("identity/invitations", {"email": email, "name": NAME, "role": "member"})
    token = wait_for("the invitation", lambda: region.mailbox.newest(email, _LINK))
    accepted = {"name": NAME, "password": lille.password, "locale": "fr", "token": token}
    Visitor(lille.url, lille.coordinator.http).post("identity/invitations/accept", accepted)
    return Member(lille.url, email=email, password=lille.password).sign_in()


def book(town: Town, who: str, found: Json, note: str, *, days: int = 0) -> Json:
    period = first_free(town, who, found)
    body = {"offer_id": found["id"], "origin": found["origin"], "quantity": 1, "note": note} | period
    booking: Json = town.members[who].post("booking/bookings", body)
    return booking


def confirmed(town: Town, who: str, booking: Json) -> None:
    wait_for("the yes", lambda: state(town, who, booking["id"], "confirmed"))


def approve(town: Town, who: str, booking: Json) -> None:
    def approved() -> bool:
        try:
            town.members[who].post(f"booking/bookings/{booking['id']}/approve")
        except Refused:
            return False
        return True

    wait_for("the approval", approved)


def introduce(asker: Member, owner: Member, found: Json, message: str) -> None:
    """Put two people of different cooperatives in touch, and wait until the asker has the other's address."""
    body = {"thing_id": found["id"], "origin": found["origin"], "message": message}
    asked = asker.post("matching/introductions", body)

    def there() -> Json | None:
        items = owner.get("matching/introductions")
        return next((one for one in items if one["id"] == asked["id"]), None)

    peer = wait_for("the question", there)["peer"]
    path = f"matching/introductions/{asked['id']}/answer"
    owner.call("POST", path, params={"peer": peer}, json={"accepted": True})

    def address() -> Any:
        try:
            return asker.get(f"notify/introductions/{asked['id']}/contact", peer=found["origin"])
        except Refused:
            return None

    wait_for("the address", address)


def meet(region: Region, zoe: Member) -> str:
    """A session of hers, whose id is returned, and a seat in somebody else's."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=10)
    form = {
        "title": f"Atelier {TITLE}", "text": f"Apportez un tablier. {TEXT}", "start": start.isoformat(),
        "end": (start + timedelta(hours=2)).isoformat(), "time_zone": "Europe/Paris",
        "roles": [{"code": "guest", "label": "Participant·e", "minimum": 1, "maximum": 5}],
        "extras": [{"code": "meals", "label": "Repas", "kind": "number"}],
    }  # fmt: skip
    hers = zoe.post("booking/sessions", form)
    karim = region.lille.members["karim"]
    wait_for("the session", lambda: karim.get(f"booking/sessions/{hers['id']}"))
    karim.post(f"booking/sessions/{hers['id']}/sign-up", {"role": "guest"})
    theirs = karim.post("booking/sessions", form | {"text": "Apportez un tablier."})
    path = f"booking/sessions/{theirs['id']}/sign-up"
    zoe.post(path, {"role": "guest", "answers": {"meals": 2}})
    return str(hers["id"])


def live(region: Region, zoe: Member) -> tuple[str, str, str]:
    """Everything by which somebody leaves traces, on both sides of the border.

    Returns the two bookings of her offer, and her session.
    """
    lille, namur = region.lille, region.namur
    lille.members["zoe"] = zoe
    listing = LASER | {"title": TITLE, "text": words("offer"), "tags": [f"tag-{MARK}"], "audience": {"scope": "public"}}
    listing["place"] = {"label": PLACE, "latitude": 50.63, "longitude": 3.05}
    hers = share(lille, "zoe", listing)
    need = {"side": "need", "kind": "machine", "title": words("need"), "text": words("text"), "quantity": 1}
    zoe.post("catalog/listings", need | {"audience": {"scope": "peers"}})
    in_namur = wait_for("her offer in Namur", lambda: copy_of(namur, "paul", TITLE))
    lent = book(namur, "paul", in_namur, "Merci !")
    approve(lille, "zoe", lent)
    confirmed(namur, "paul", lent)

    theirs = offer(namur, "paul")
    there = wait_for("Paul's in Lille", lambda: copy_of(lille, "marie", theirs["title"]))
    borrowed = book(lille, "zoe", there, words("note"))
    approve(namur, "paul", borrowed)
    confirmed(lille, "zoe", borrowed)
    local = offer(lille, "karim")
    near = wait_for("Karim's", lambda: copy_of(lille, "marie", local["title"]))
    asked = book(lille, "zoe", near, words("note"))
    approve(lille, "karim", asked)
    own = wait_for("hers", lambda: copy_of(lille, "marie", TITLE))
    lent_here = book(lille, "karim", own, "Bonjour")
    approve(lille, "zoe", lent_here)
    assert hers["id"] == own["id"]

    session = meet(region, zoe)
    introduce(zoe, namur.members["paul"], there, words("message"))
    introduce(namur.members["paul"], zoe, in_namur, "Bonjour, une question.")
    zoe.post("matching/saved-searches", {"name": words("search"), "words": "rabot", "how": "daily"})
    return lent["id"], lent_here["id"], session


def databases(region: Region) -> list[tuple[str, Sql]]:
    made: list[tuple[str, Sql]] = []
    for name, instance in region.instances.items():
        server = instance.addresses.admin_database_url.rpartition("/")[0]
        made += [(f"{name}.{one}", Sql(f"{server}/{names.database(instance.name, one)}")) for one in names.SERVICES]
    return made


_SIGNED = re.compile(r"eyJ[\w-]+\.([\w-]+)\.[\w-]+")
"""A compact JWS: what it says is written in base64."""


def signed(opened: list[tuple[str, Sql]], marks: tuple[str, ...]) -> list[str]:
    """What stands in signed words that a border post keeps, which no search of plain text would find."""
    found: list[str] = []
    for name, sql in opened:
        if not name.endswith(".federation"):
            continue
        for table in ("bookings_abroad", "guest_bookings", "positions", "parked", "quarantine", "border_outbox"):
            for row in sql.rows(f'SELECT t::text AS row FROM "{table}" t'):  # noqa: S608 - our own names
                said = [base64.urlsafe_b64decode(one + "==").decode() for one in _SIGNED.findall(row["row"])]
                found += [f"{name}.{table}: {one}" for one in said if any(mark in one for mark in marks)]
    return found


def traces(opened: list[tuple[str, Sql]], marks: tuple[str, ...]) -> list[str]:
    """Every row of every table of every service in which one of `marks` stands."""
    found = signed(opened, marks)
    for name, sql in opened:
        tables = sql.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        for table in (row["tablename"] for row in tables):
            query = f'SELECT t::text AS row FROM "{table}" t WHERE t::text ILIKE ANY($1)'  # noqa: S608 - our own names
            found += [f"{name}.{table}: {row['row']}" for row in sql.rows(query, [f"%{one}%" for one in marks])]
    return found


def written(opened: list[tuple[str, Sql]]) -> set[str]:
    """Tables in which something of her stands."""
    return {trace.split(":")[0] for trace in traces(opened, (MARK, PHONE, PLACE))}


def acknowledged(federation: Sql) -> bool:
    rows = federation.rows("SELECT acked_at FROM erasures")
    return bool(rows) and None not in [row["acked_at"] for row in rows]


def vanish(opened: list[tuple[str, Sql]], marks: tuple[str, ...], *, but: tuple[str, ...] = ()) -> None:
    """Wait until none of `marks` is anywhere, `but` in those tables ("notify.notifications")."""

    def found() -> list[str]:
        return [one for one in traces(opened, marks) if one.split(":")[0].partition(".")[2] not in but]

    try:
        wait_for("their disappearance", lambda: not found())
    except TimeoutError:
        pytest.fail("still there:\n" + "\n".join(found()))


PATIENCE = 30
"""Seconds for the broker's answer: on a busy machine the five that are usual may be too few."""
LISTENING = ("catalog", "booking", "matching", "notify", "federation")


def set_aside(instance: LocalInstance, *bodies: str) -> None:
    """Have each service find these among what it could not handle."""
    for service in LISTENING:
        for body in bodies:
            what: Json = {"routing_key": names.queue(service, "x.y.v1"), "payload": body, "payload_encoding": "string"}
            path = f"exchanges/{names.vhost(instance.name)}/{names.dead(service)}/publish"
            sent = httpx.post(
                f"{instance.addresses.admin_broker_url}/api/{path}", json=what | {"properties": {}}, timeout=PATIENCE
            )
            assert sent.raise_for_status().json()["routed"]


def dead_letters(instance: LocalInstance, service: str) -> list[str]:
    """What stands among what `service` could not handle; it stays there."""
    ask: Json = {"count": 100, "ackmode": "ack_requeue_true", "encoding": "auto"}
    path = f"queues/{names.vhost(instance.name)}/{names.dead(service)}/get"
    got = httpx.post(f"{instance.addresses.admin_broker_url}/api/{path}", json=ask, timeout=PATIENCE).raise_for_status()
    return [one["payload"] for one in got.json()]


def queued(instance: LocalInstance) -> int:
    """How many messages wait in the queues of its services and of its links."""
    found = 0
    for vhost in (names.vhost(instance.name), names.border_vhost(instance.name)):
        where = f"{instance.addresses.admin_broker_url}/api/queues/{vhost}"
        queues = httpx.get(where, timeout=PATIENCE).raise_for_status().json()
        found += sum(one.get("messages", 0) for one in queues if "retry" not in one["name"])
    return found


def forgotten_by_the_broker(region: Region, others: str) -> bool:
    """Nothing but `others` is in any dead-letter queue, and nothing waits: all was handled."""
    left = [dead_letters(region.instances["opteos"], service) for service in LISTENING]
    waiting = sum(queued(instance) for instance in region.instances.values())
    return left == [[others]] * len(LISTENING) and waiting == len(LISTENING)


def clear(instance: LocalInstance) -> None:
    for service in LISTENING:
        path = f"queues/{names.vhost(instance.name)}/{names.dead(service)}/contents"
        httpx.delete(f"{instance.addresses.admin_broker_url}/api/{path}", timeout=PATIENCE).raise_for_status()


def test_nothing_of_somebody_who_has_left_is_in_any_database_of_two_cooperatives(region: Region) -> None:
    zoe = join(region)
    in_namur, in_lille, session = live(region, zoe)
    opened, others = databases(region), json.dumps({"member_id": str(uuid4())})
    set_aside(region.instances["opteos"], json.dumps({"member_id": str(zoe.id), "note": words("letter")}), others)
    try:
        expected = {
            "opteos.identity.member", "opteos.catalog.listings", "opteos.booking.bookings", "opteos.notify.contacts",
            "opteos.matching.introductions", "opteos.federation.sent_log", "openflow.booking.bookings",
            "openflow.notify.notifications", "openflow.matching.introductions",
        }  # fmt: skip
        wait_for("what the test looks for", lambda: expected <= written(opened))
        zoe.post(f"identity/members/{zoe.id}/leave")
        vanish(opened, (MARK, PHONE))
        wait_for("an empty broker", lambda: forgotten_by_the_broker(region, others))
        region.namur.members["paul"].post(f"booking/bookings/{in_namur}/cancel")
        region.lille.members["karim"].post(f"booking/bookings/{in_lille}/cancel")
        # what others were told of their own bookings stays in their inbox, as long as everything there
        vanish(opened, (PLACE,), but=("notify.notifications", "booking.idempotency"))
        region.lille.coordinator.post(f"booking/sessions/{session}/cancel", {})
        vanish(opened, (TEXT,), but=("booking.idempotency",))
        vanish(opened, (TITLE,), but=KEEP_TITLES)
        wait_for("the peer's word that it has forgotten, too", lambda: acknowledged(dict(opened)["opteos.federation"]))
    finally:
        clear(region.instances["opteos"])
        for _, sql in opened:
            sql.close()
