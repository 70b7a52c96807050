"""Headers, parts and calendar files."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import settings as trial
from hypothesis import strategies as st
from icalendar import Calendar

from services.notify.calendar_files import Entry, calendar_file
from services.notify.commands.people import Home
from services.notify.letters import BadAddress, Letter, compose, mailbox
from services.notify.settings import NotifySettings

HOME = Home(name="Optéos", locale="fr", time_zone="Europe/Paris", contact_email="bonjour@lille.example")
DELIVERY = UUID("01890000-0000-7000-8000-000000000001")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> NotifySettings:
    return NotifySettings(
        instance="lille", secrets_dir=tmp_path, smtp_from="maillage@lille.example", public_url="https://lille.example"
    )


def letter(**changes: Any) -> Letter:
    values: dict[str, Any] = {
        "delivery_id": DELIVERY,
        "template": "contact-received",
        "facts": {"name": "Omar", "email": "o@x.example", "origin_name": "OpenFlow", "offer": "Laser"},
        "url": "/bookings/1",
        "about_id": "1",
        "email": "zoe@example.org",
        "name": "Zoé",
        "locale": "fr",
        "to_member": True,
        "traceparent": "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
    }
    return Letter(**{**values, **changes})


def test_headers(settings: NotifySettings) -> None:
    message = compose(letter(), HOME, settings, now=NOW)
    read = message_from_bytes(message.as_bytes(), policy=policy.default)
    assert read["From"] == "Optéos <maillage@lille.example>"
    assert read["To"] == "Zoé <zoe@example.org>"
    assert read["Reply-To"] == "Optéos <bonjour@lille.example>"
    assert read["Message-ID"] == f"<{DELIVERY}@lille.example>"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["X-Correlation-ID"] == "0123456789abcdef0123456789abcdef"
    assert [part.get_content_type() for part in read.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_the_same_delivery_has_the_same_message_id(settings: NotifySettings) -> None:
    first, again = (compose(letter(), HOME, settings, now=NOW + timedelta(hours=hours)) for hours in (0, 5))
    assert first["Message-ID"] == again["Message-ID"]


@trial(max_examples=20, deadline=None)
@given(text=st.text(max_size=300))
def test_nothing_that_people_write_becomes_a_header(text: str) -> None:
    attack = f"{text}\r\nBcc: victim@example.org\n\n<b>"
    options = NotifySettings(
        instance="lille", secrets_dir=Path(), smtp_from="maillage@lille.example", public_url="https://lille.example"
    )
    facts = {"name": attack, "email": attack, "origin_name": attack, "offer": attack}
    home = Home(name=attack, locale="fr", time_zone="Europe/Paris", contact_email=None)
    raw = compose(letter(facts=facts, name=attack), home, options, now=NOW).as_bytes()
    read = message_from_bytes(raw, policy=policy.default)
    assert read["Bcc"] is None
    assert [address.addr_spec for address in read["To"].addresses] == ["zoe@example.org"]
    assert [address.addr_spec for address in read["From"].addresses] == ["maillage@lille.example"]


@pytest.mark.parametrize(
    "address",
    ["", "zoe", "zoe@", "@x.example", "zoé@x.example", "a b@x.example", "a@x.example\r\nBcc: b@x.example", "a@b@c"],
)
def test_an_address_that_no_mail_reaches_is_refused(address: str) -> None:
    with pytest.raises(BadAddress):
        mailbox("Zoé", address)


def test_an_international_domain_is_encoded() -> None:
    assert mailbox("Zoé", "zoe@coopérative.example").addr_spec == "zoe@xn--cooprative-e7a.example"


def entry(**changes: Any) -> Entry:
    values: dict[str, Any] = {
        "method": "REQUEST",
        "is_off": False,
        "uid": "b1@lille",
        "sequence": 3,
        "stamp": NOW,
        "start": datetime(2026, 3, 28, 23, tzinfo=UTC),
        "end": datetime(2026, 3, 29, 6, tzinfo=UTC),
        "time_zone": "Europe/Paris",
        "title": "Découpeuse; laser, à bois\net métal",
        "description": "Deux\nlignes",
        "place": None,
        "url": "https://lille.example/bookings/b1",
        "organizer": ('Opt"éos', "maillage@lille.example"),
        "attendee": ("Zoé; x", "zoe@example.org"),
    }
    return Entry(**(values | changes))


def test_a_calendar_file_over_a_clock_change_parses_back() -> None:
    content = calendar_file(entry())
    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    read = Calendar.from_ical(content)
    [event] = read.walk("VEVENT")
    values: dict[str, Any] = dict(event.items())
    assert read["METHOD"] == "REQUEST"
    assert values["DTSTART"].dt == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert values["DTEND"].dt == datetime(2026, 3, 29, 6, tzinfo=UTC)
    assert values["DTSTART"].params["TZID"] == "Europe/Paris"
    assert str(values["SUMMARY"]) == "Découpeuse; laser, à bois\net métal"
    assert values["SEQUENCE"] == 3
    assert str(values["ORGANIZER"]) == "mailto:maillage@lille.example"
    assert values["ATTENDEE"].params["CN"] == "Zoé; x"
    [zone] = read.walk("VTIMEZONE")
    assert zone["TZID"] == "Europe/Paris"
    onsets: dict[str, Any] = {str(part.name): part["DTSTART"] for part in zone.subcomponents}
    assert set(onsets) == {"DAYLIGHT", "STANDARD"}
    assert onsets["DAYLIGHT"].dt.hour == 2  # by the clock before the change: RFC 5545, 3.6.5


@pytest.mark.parametrize("hour", [0, 1], ids=["first", "second"])
def test_both_hours_of_the_night_when_clocks_go_back_keep_their_instant(hour: int) -> None:
    start = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    read = Calendar.from_ical(calendar_file(entry(start=start, end=start + timedelta(hours=1))))
    [event] = read.walk("VEVENT")
    values: dict[str, Any] = dict(event.items())
    assert values["DTSTART"].dt == start
    assert values["DTEND"].dt == start + timedelta(hours=1)


@trial(max_examples=20, deadline=None)
@given(
    start=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - its own way
    minutes=st.integers(5, 5000),
    zone=st.sampled_from(["Europe/Paris", "Europe/Brussels", "America/Guadeloupe", "UTC"]),
    title=st.text(max_size=200),
)
def test_any_booking_becomes_a_calendar_file_with_its_instants(
    start: datetime, minutes: int, zone: str, title: str
) -> None:
    start = start.replace(second=0, microsecond=0)
    end = start + timedelta(minutes=minutes)
    read = Calendar.from_ical(
        calendar_file(entry(start=start, end=end, time_zone=zone, title=title, description=title))
    )
    [event] = read.walk("VEVENT")
    values: dict[str, Any] = dict(event.items())
    assert values["DTSTART"].dt == start
    assert values["DTEND"].dt == end


def test_dates_of_a_series_are_published_each_with_its_own_uid() -> None:
    """RFC 5546, 3.2.1: REQUEST and CANCEL may hold one UID only; PUBLISH names no attendee."""
    dates = [entry(method="PUBLISH", uid=f"{number}@lille", sequence=number, is_off=number == 2) for number in (1, 2)]
    read = Calendar.from_ical(calendar_file(*dates))
    assert str(read["method"]) == "PUBLISH"
    events = read.walk("VEVENT")
    assert [(str(one["uid"]), one["sequence"], str(one["status"])) for one in events] == [
        ("1@lille", 1, "CONFIRMED"),
        ("2@lille", 2, "CANCELLED"),
    ]
    assert all("attendee" not in one and "organizer" in one for one in events)
    assert len(read.walk("VTIMEZONE")) == 1
