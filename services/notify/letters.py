"""One delivery as a message (RFC 5322): headers that cannot be injected, text, HTML, a calendar file."""

from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from uuid import UUID

from contracts.identity import Locale
from services.notify import wording
from services.notify.calendar_files import Entry, calendar_file
from services.notify.commands.people import Home
from services.notify.dates import instant
from services.notify.settings import NotifySettings
from services.notify.wording import one_line

_LONGEST_NAME = 100


class BadAddress(ValueError):
    """No mail can ever be sent to this address."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """All that a mail needs. `email` and `name` are the reader's, `url` a path on the portal or ""."""

    delivery_id: UUID
    template: str
    facts: dict[str, Any]
    url: str
    about_id: str | None
    email: str
    name: str
    locale: Locale
    to_member: bool
    traceparent: str | None


def compose(letter: Letter, home: Home, settings: NotifySettings, *, now: datetime) -> EmailMessage:
    """The mail. Its Message-ID depends on the delivery alone: sent twice, it is recognisable. Raises BadAddress."""
    reader = wording.Reader(
        name=letter.name,
        locale=letter.locale,
        cooperative=home.name,
        home=home.time_zone,
        public_url=settings.public_url.rstrip("/"),
        now=now,
    )
    action_url = str(letter.facts.get("link") or (settings.public_url.rstrip("/") + letter.url if letter.url else ""))
    said = wording.mail(letter.template, letter.facts, reader, url=action_url, to_member=letter.to_member)
    message = EmailMessage(policy=SMTP)
    _address(message, letter, home, settings)
    message["Subject"] = said.subject
    message["Date"] = now
    _identify(message, letter, settings)
    message.set_content(said.text, cte="quoted-printable")
    message.add_alternative(said.html, subtype="html", cte="quoted-printable")
    if letter.facts.get("calendar"):
        _attach_calendar(message, letter, home, settings, title=said.subject, url=action_url)
    return message


def _address(message: EmailMessage, letter: Letter, home: Home, settings: NotifySettings) -> None:
    message["From"] = mailbox(home.name, settings.mail_from)
    message["To"] = mailbox(letter.name, letter.email)
    if home.contact_email:
        message["Reply-To"] = mailbox(home.name, home.contact_email)


def _identify(message: EmailMessage, letter: Letter, settings: NotifySettings) -> None:
    message["Message-ID"] = f"<{letter.delivery_id}@{settings.mail_host}>"
    if letter.about_id:
        message["References"] = f"<{one_line(letter.about_id, 100)}.{settings.instance}@{settings.mail_host}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    message["Content-Language"] = letter.locale
    if letter.traceparent:
        message["X-Correlation-ID"] = letter.traceparent.split("-")[1]


def mailbox(name: str, address: str) -> Address:
    """The mailbox "Name <address>", with an ASCII domain (IDNA). Raises BadAddress."""
    local, at, domain = address.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode() if not domain.isascii() else domain
        if not (at and local and ascii_domain and local.isascii()):
            raise BadAddress("not an address that mail reaches")
        return Address(display_name=one_line(name, _LONGEST_NAME), addr_spec=f"{local}@{ascii_domain}")
    except (ValueError, IndexError, MessageError) as error:  # email.headerregistry's parser raises all of them
        raise BadAddress("not an address that mail reaches") from error


def _attach_calendar(
    message: EmailMessage, letter: Letter, home: Home, settings: NotifySettings, *, title: str, url: str
) -> None:
    facts, wanted = letter.facts, letter.facts["calendar"]
    entries = [
        Entry(
            method=wanted["method"],
            is_off=wanted.get("status", wanted["method"]) in {"CANCEL", "CANCELLED"},
            uid=f"{one['booking_id']}@{settings.instance}",
            sequence=one["sequence"],
            stamp=instant(facts["changed_at"]),
            start=instant(one.get("start", facts["start"])),
            end=instant(one.get("end", facts["end"])),
            time_zone=facts["time_zone"],
            title=facts["offer"],
            description=f"{title}\n{url}",
            place=facts["place"],
            url=url,
            organizer=(one_line(home.name, _LONGEST_NAME), settings.mail_from),
            attendee=(one_line(letter.name, _LONGEST_NAME) or letter.email, letter.email),
        )
        for one in wanted.get("dates", [wanted])
    ]
    message.add_attachment(
        calendar_file(*entries),
        maintype="text",
        subtype="calendar",
        filename="maillage.ics",
        params={"method": wanted["method"], "charset": "utf-8"},
    )
