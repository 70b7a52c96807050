"""Calendars as text, for tests."""


def calendar(*parts: str) -> bytes:
    """An iCalendar file with `parts` (components, or properties of the calendar) in it."""
    body = "".join(part.strip().replace("\r\n", "\n").replace("\n", "\r\n") + "\r\n" for part in parts)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{body}END:VCALENDAR\r\n".encode()


def event(start: str, end: str = "", *lines: str, uid: str = "e1@elsewhere") -> str:
    """A VEVENT; `start` and `end` with their parameters, e.g. `;TZID=Europe/Paris:20260302T090000`."""
    ending = [f"DTEND{end}"] if end else []
    inside = [f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"DTSTART{start}", *ending, *lines]
    return "\n".join(["BEGIN:VEVENT", *inside, "END:VEVENT"])
