"""Calendar attachments: iCalendar (RFC 5545) with iTIP methods (RFC 5546), for Outlook, Google, Apple and the rest."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from icalendar import Calendar, Event, vCalAddress, vText

from services.chassis.time_zones import time_zones, wall

PRODUCT = "-//Maillage//notify//FR"
Method = Literal["REQUEST", "CANCEL", "PUBLISH"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One booking in one person's calendar. `start` and `end` aware, shown in the IANA zone `time_zone`.

    `uid` never changes, `sequence` rises: so that a later message replaces or removes the entry. `stamp`: the change.
    """

    method: Method
    is_off: bool
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
    """Who has it in the calendar; not written with PUBLISH, which must not name attendees."""


def calendar_file(*entries: Entry) -> bytes:
    """The content of the .ics file: one entry, or (with PUBLISH) one at least, all of the same method.

    REQUEST and CANCEL may hold one UID only, PUBLISH any number (RFC 5546, 3.2): a series is published.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", entries[0].method)
    walls = [_walls(entry) for entry in entries]
    for time_zone in time_zones([at for pair in walls for at in pair]):
        calendar.add_component(time_zone)
    for entry, (start, end) in zip(entries, walls, strict=True):
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
    event.add("status", "CANCELLED" if entry.is_off else "CONFIRMED")
    event.add("transp", "OPAQUE")
    event.add("organizer", _person(*entry.organizer), encode=False)
    if entry.method == "PUBLISH":
        return event
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
