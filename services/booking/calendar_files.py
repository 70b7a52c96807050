"""Feeds as iCalendar (RFC 5545, RFC 7986), for any program that subscribes to them."""

import hashlib
from datetime import datetime, timedelta

from icalendar import Calendar, Event, FreeBusy

from services.booking.domain.feeds import BUSY, Entry, Feed, uid_of
from services.booking.domain.spans import Span
from services.chassis.time_zones import time_zones, wall

PRODUCT = "-//Maillage//booking//FR"
EVERY = timedelta(hours=1)
"""How often programs should ask again."""
_FORM = "1"
"""Counts what this module writes of the same content: programs must not keep an older form."""


def digest_of(feed: Feed) -> bytes:
    """The same for the same content in the same form."""
    return hashlib.sha256(f"{_FORM} {feed!r}".encode()).digest()


def calendar_file(feed: Feed, *, instance: str, public_url: str, stamp: datetime) -> bytes:
    """The feed as an .ics file. `stamp`: when its content became what it is (UTC); `public_url`: of the portal."""
    calendar = _calendar(feed)
    walls: list[datetime] = []
    events: list[Event] = []
    for entry in feed.entries:
        event, times = _event(entry, uid_of(entry.booking_id, instance), public_url)
        walls += times
        events.append(event)
    for span in feed.busy:
        event, times = _busy_event(span, feed, instance, stamp)
        walls += times
        events.append(event)
    for component in (*time_zones(walls), *events):
        calendar.add_component(component)
    return calendar.to_ical()


def free_busy_file(feed: Feed, *, instance: str, stamp: datetime) -> bytes:
    """A free/busy feed as an .ifb file: one VFREEBUSY with its busy periods."""
    calendar = _calendar(feed)
    told = FreeBusy()
    told.add("uid", f"{feed.feed_id}@{instance}")
    told.add("dtstamp", stamp)
    if feed.window is not None:
        told.add("dtstart", feed.window.start)
        told.add("dtend", feed.window.end)
    for span in feed.busy:
        told.add("freebusy", (span.start, span.end), parameters={"FBTYPE": "BUSY"})
    calendar.add_component(told)
    return calendar.to_ical()


def _calendar(feed: Feed) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", feed.name)
    calendar.add("x-wr-calname", feed.name)
    calendar.add("refresh-interval", EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")  # the same, as Outlook wants it
    return calendar


def _event(entry: Entry, uid: str, public_url: str) -> tuple[Event, list[datetime]]:
    start, end = wall(entry.start, entry.time_zone), wall(entry.end, entry.time_zone)
    event = Event()
    event.add("uid", uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.changed)
    event.add("created", entry.created)
    event.add("last-modified", entry.changed)
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("summary", entry.title)
    if entry.description:
        event.add("description", entry.description)
    if entry.place:
        event.add("location", entry.place)
    event.add("url", public_url.rstrip("/") + entry.path)
    event.add("status", entry.status)
    event.add("transp", "OPAQUE" if entry.is_busy else "TRANSPARENT")
    return event, [start, end]


def _busy_event(span: Span, feed: Feed, instance: str, stamp: datetime) -> tuple[Event, list[datetime]]:
    """A busy time with nobody in it: its UID tells the feed and the time, and no booking."""
    start, end = wall(span.start, feed.time_zone), wall(span.end, feed.time_zone)
    event = Event()
    event.add("uid", f"{span.start:%Y%m%dT%H%M%SZ}-{span.end:%Y%m%dT%H%M%SZ}-{feed.feed_id}@{instance}")
    event.add("dtstamp", stamp)
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("summary", BUSY.say(feed.language))
    event.add("status", "CONFIRMED")
    event.add("transp", "OPAQUE")
    return event, [start, end]
