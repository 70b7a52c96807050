"""The main job, step by step: a need in Lille, an offer in Namur, a booking across, and a process killed on the way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deploy.demo.api import Json, Member, Refused, wait_for
from deploy.demo.mailbox import Mailbox
from deploy.demo.people import OPENFLOW
from deploy.demo.seed import LASER, Town
from deploy.demo.terminal import step

NEED: Json = {
    "side": "need",
    "kind": "machine",
    "title": "Découper au laser des panneaux de contreplaqué pour un stand",
    "text": "Trente panneaux de 5 mm pour le forum de l'emploi. Je sais préparer les fichiers.",
    "category": "Fabrication numérique",
    "language": "fr",
    "place": {"label": "Rue Solférino, Lille", "latitude": 50.6305, "longitude": 3.0560},
    "quantity": 1,
    "unit": "demi-journée",
    "audience": {"scope": "cooperative"},
    "urgency": "normal",
}
Kill = Callable[[Town], None]


def play(lille: Town, namur: Town, mailbox: Mailbox, kill_and_restart: Kill) -> None:
    """Tell the story once; `kill_and_restart` ends all processes of a cooperative by SIGKILL and starts them again.

    Raises TimeoutError, Refused or StoryBroken where something does not happen as it should.
    """
    marie, paul = lille.members["marie"], namur.members["paul"]
    told = {who.email: len(mailbox.to(who.email)) for who in (marie, paul)}
    need = _post_need(lille)
    match = _see_match(lille, need)
    period = _look_at_week(lille, match)
    booking = _ask(lille, match, period)
    with step(f"{lille.cooperative.name}'s processes are killed (SIGKILL) right after saying yes, and started again"):
        kill_and_restart(lille)
    _namur_hears(namur, mailbox, booking, told[paul.email])
    _namur_decides(namur, booking)
    _both_are_told(lille, namur, mailbox, booking, told)
    _nobody_else_gets_it(lille, match, period)


class StoryBroken(AssertionError):
    """Something happened that must never happen."""


def _post_need(lille: Town) -> Json:
    marie = lille.members["marie"]
    with step(f"{marie.name} (Lille) posts a need: «{NEED['title']}»"):
        soon = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
        window = {"window_start": soon.isoformat(), "window_end": (soon + timedelta(days=14)).isoformat()}
        need: Json = marie.post("catalog/listings", NEED | window)
        return need


def _see_match(lille: Town, need: Json) -> Json:
    marie = lille.members["marie"]
    with step("Maillage proposes an offer of the other cooperative, and says why") as shown:

        def proposed() -> Json | None:
            try:
                items: list[Json] = marie.get(f"matching/needs/{need['id']}/matches")["items"]
            except Refused as refused:
                if refused.status == 404:  # noqa: PLR2004 - the index has not heard of the need yet
                    return None
                raise
            return next((item for item in items if item["title"] == LASER["title"] and item["origin"]), None)

        match = wait_for("the match", proposed)
        reasons = ", ".join(f"{reason['code']}: {reason['value']}" for reason in match["reasons"])
        shown.note(f"«{match['title']}» of {match['origin_name']}")
        shown.note(f"because {reasons}")
    with step(f"{marie.name} reads it in her inbox"):
        wait_for("the notification", lambda: _notified(lille, "marie", need["id"]))
    return match


def _notified(town: Town, who: str, thing: str) -> Json | None:
    items: list[Json] = town.members[who].get("notify/inbox")["items"]
    return next((item for item in items if (item.get("about") or {}).get("id") == thing), None)


def _look_at_week(lille: Town, match: Json) -> Json:
    marie = lille.members["marie"]
    with step("She looks when it is free") as shown:
        today = datetime.now(UTC).date()
        for week in range(12):
            first = (today + timedelta(days=1 + 7 * week)).isoformat()
            days = wait_for("the week", lambda day=first: _week(marie, match, day))
            free = next(
                (period for day in days for period in day["free"] if _lasts(period) >= timedelta(hours=2)), None
            )
            if free is not None:
                start = datetime.fromisoformat(free["start"])
                shown.note(f"free from {_there(start)}; she takes two hours")
                return {"start": free["start"], "end": (start + timedelta(hours=2)).isoformat()}
        raise StoryBroken("the laser cutter is never free")


def _week(member: Member, match: Json, first: str) -> list[Json] | None:
    """Seven days from `first`; None while the rules of the peer's resource are still on their way."""
    path = f"booking/resources/{match['id']}/availability"
    try:
        days: list[Json] = member.get(path, origin=match["origin"], **{"from": first, "days": 7})["days"]
    except Refused as refused:
        if refused.status == 404:  # noqa: PLR2004 - booking has not heard of it yet
            return None
        raise
    return days


def _there(instant: datetime) -> str:
    """As the clock in Namur shows it."""
    return f"{instant.astimezone(ZoneInfo(OPENFLOW.time_zone)):%A %d %B, %H:%M}"


def _lasts(period: Json) -> timedelta:
    return datetime.fromisoformat(period["end"]) - datetime.fromisoformat(period["start"])


def _ask(lille: Town, match: Json, period: Json) -> Json:
    marie = lille.members["marie"]
    with step("She books it from her own cooperative's pages") as shown:
        note = "Première visite : je viendrai un peu avant."
        body = {"offer_id": match["id"], "origin": match["origin"], "quantity": 1, "note": note} | period
        booking: Json = marie.post("booking/bookings", body)
        shown.note(f"state: {booking['status']}; only Namur can confirm")
        return booking


def _namur_hears(namur: Town, mailbox: Mailbox, booking: Json, already: int) -> None:
    paul = namur.members["paul"]
    with step(f"Nothing was lost: {paul.name} (Namur) has the request, and a mail about it") as shown:
        decide = wait_for("the request in Namur", lambda: _to_decide(namur, booking))
        if decide["borrower"].get("name"):
            raise StoryBroken("Namur knows the borrower's name before it has accepted")
        mail = wait_for("the mail to Paul", lambda: mailbox.subject(paul.email, "écoupeuse", after=already))
        shown.note(f"mail: «{mail['subject']}»")


def _to_decide(namur: Town, booking: Json) -> Json | None:
    rows: list[Json] = namur.members["paul"].get("booking/bookings", role="to_decide")["items"]
    wanted = datetime.fromisoformat(booking["start"])
    return next((row for row in rows if datetime.fromisoformat(row["start"]) == wanted), None)


def _namur_decides(namur: Town, booking: Json) -> None:
    paul = namur.members["paul"]
    with step(f"{paul.name} accepts"):
        request = _to_decide(namur, booking)
        if request is None:
            raise StoryBroken("the request has gone")
        paul.post(f"booking/bookings/{request['id']}/approve")


def _both_are_told(lille: Town, namur: Town, mailbox: Mailbox, booking: Json, told: dict[str, int]) -> None:
    marie, paul = lille.members["marie"], namur.members["paul"]
    with step(f"{marie.name} sees it confirmed"):
        confirmed = wait_for("the confirmation", lambda: _in_state(lille, "marie", booking["id"], "confirmed"))
    with step("She has a mail with an entry for her calendar; both know whom they will meet") as shown:

        def mail() -> dict[str, Any] | None:
            fresh = mailbox.to(marie.email)[: len(mailbox.to(marie.email)) - told[marie.email]]
            return next((m for m in fresh if any(one["name"].endswith(".ics") for one in m["attachments"])), None)

        shown.note(f"mail: «{wait_for('the mail with a calendar entry', mail)['subject']}»")
        wait_for("Marie's name in Paul's mail", lambda: mailbox.subject(paul.email, marie.name, after=told[paul.email]))
        shown.note(f"{confirmed['place_label']}, with {confirmed['owner'].get('name') or paul.name}")


def _in_state(town: Town, who: str, booking_id: str, status: str) -> Json | None:
    booking: Json = town.members[who].get(f"booking/bookings/{booking_id}")
    return booking if booking["status"] == status else None


def _nobody_else_gets_it(lille: Town, match: Json, period: Json) -> None:
    karim = lille.members["karim"]
    with step(f"{karim.name} wants the same hours: refused at once, with what would work") as shown:
        body = {"offer_id": match["id"], "origin": match["origin"], "quantity": 1, "note": ""} | period
        wait_for("Namur's busy time in Lille", lambda: not _is_free(lille, match, period))

        def refused() -> Refused | None:
            try:
                karim.post("booking/bookings", body)
            except Refused as refusal:
                return refusal
            raise StoryBroken("the same hours were given twice")

        refusal = wait_for("the refusal", refused)
        alternatives: list[Json] = refusal.problem.get("alternatives", [])
        if not alternatives:
            raise StoryBroken("the refusal names no alternative")
        first = datetime.fromisoformat(alternatives[0]["start"])
        shown.note(f"«{refusal.problem['detail']}» Next: {_there(first)}")


def _is_free(town: Town, match: Json, period: Json) -> bool:
    start = datetime.fromisoformat(period["start"])
    path = f"booking/resources/{match['id']}/availability"
    query = {"from": start.date().isoformat(), "days": 2}
    days: list[Json] = town.members["karim"].get(path, origin=match["origin"], **query)["days"]
    return any(
        datetime.fromisoformat(free["start"]) <= start < datetime.fromisoformat(free["end"])
        for day in days
        for free in day["free"]
    )
