"""Calendar attachments: iCalendar (RFC 5545) with iTIP methods (RFC 5546), for Outlook, Google, Apple and the rest."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from icalendar import Calendar, Event, vCalAddress, vText

from services.chassis.time_zones import time_zones, wall

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
    start, end = _walls(entry)
    for time_zone in time_zones([start, end]):
        calendar.add_component(time_zone)
    calendar.add_component(_event(entry, start, end))
    return calendar.to_ical()


def _walls(entry: Entry) -> tuple[datetime, datetime]:
    last = max(entry.end, entry.start + timedelta(minutes=1))
    return wall(entry.start, entry.time_zone), wall(last, entry.time_zone)


def _event(entry: Entry, start: datetime, end: datetime) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.stamp)
    event.add("last-modified", entry.stamp)
    event.add("dtstart", start)
    event.add("dtend", end)
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
