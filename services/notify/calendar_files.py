"""Calendar attachments: iCalendar (RFC 5545) with iTIP methods (RFC 5546), for Outlook, Google, Apple and the rest."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from icalendar import Calendar, Event, Timezone, vCalAddress, vText

from services.notify.dates import zone

PRODUCT = "-//Maillage//notify//FR"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One booking in one person's calendar. `start` and `end` aware, shown in the IANA zone `time_zone`.

    `uid` never changes, `sequence` rises: so that a later message replaces or removes the entry. `stamp`: the change.
    """

    method: Literal["REQUEST", "CANCEL"]
    uid: str
    sequence: int
    stamp: datetime
    start: datetime
    end: datetime
    time_zone: str
    title: str
    description: str
    place: str | None
    url: str
    organizer: tuple[str, str]
    """Name and address: the cooperative's, which answers no replies."""
    attendee: tuple[str, str]


def calendar_file(entry: Entry) -> bytes:
    """The content of the .ics file."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", entry.method)
    calendar.add_component(_time_zone(entry))
    calendar.add_component(_event(entry))
    return calendar.to_ical()


def _time_zone(entry: Entry) -> Timezone:
    """The clock changes from the winter before to the winter after."""
    first = date(entry.start.year - 1, 1, 1)
    last = date(entry.end.year + 2, 1, 1)
    return Timezone.from_tzinfo(zone(entry.time_zone), str(zone(entry.time_zone)), first_date=first, last_date=last)


def _event(entry: Entry) -> Event:
    local = zone(entry.time_zone)
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.stamp)
    event.add("last-modified", entry.stamp)
    event.add("dtstart", entry.start.astimezone(local))
    event.add("dtend", max(entry.end, entry.start + timedelta(minutes=1)).astimezone(local))
    event.add("summary", entry.title)
    event.add("description", entry.description)
    if entry.place:
        event.add("location", entry.place)
    event.add("url", entry.url)
    event.add("status", "CANCELLED" if entry.method == "CANCEL" else "CONFIRMED")
    event.add("transp", "OPAQUE")
    event.add("organizer", _person(*entry.organizer), encode=False)
    attendee = _person(*entry.attendee)
    attendee.params["role"] = vText("REQ-PARTICIPANT")
    attendee.params["partstat"] = vText("ACCEPTED")
    attendee.params["rsvp"] = vText("FALSE")
    event.add("attendee", attendee, encode=False)
    return event


def _person(name: str, address: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    person.params["cn"] = vText(name.replace('"', "'"))
    return person
