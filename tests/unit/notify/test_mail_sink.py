"""The local mail sink keeps what it gets and shows it without running it."""

import smtplib
import urllib.request
from email.message import EmailMessage
from pathlib import Path

from deploy.local.mail_sink import MailSink


def send(sink: MailSink, subject: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@x.example", "Zoé <zoe@x.example>", subject
    message.set_content("Ouvrez http://x.example/account/join/abc?x=1&y=2.\n<script>alert(1)</script>")
    message.add_alternative("<p onclick='x'>Bonjour</p>", subtype="html")
    message.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename="x.ics")
    with smtplib.SMTP(sink.host, sink.smtp_port, local_hostname="localhost", timeout=5) as server:
        server.send_message(message)


def get(sink: MailSink, path: str) -> str:
    with urllib.request.urlopen(f"http://{sink.host}:{sink.http_port}{path}", timeout=5) as answer:
        return answer.read().decode()


def test_messages_are_listed_shown_and_kept_over_a_restart(tmp_path: Path) -> None:
    sink = MailSink(tmp_path / "mail")
    sink.start()
    try:
        send(sink, "Premier <b>")
        send(sink, "Second")
        [first, _] = sink.wait_for("zoe@x.example", 2)
        listing, shown, raw = get(sink, "/"), get(sink, "/1"), get(sink, "/messages.json")
        calendar = get(sink, "/1/1")
    finally:
        sink.stop()
    assert first.links == ["http://x.example/account/join/abc?x=1&y=2"]
    assert listing.index("Second") < listing.index("Premier &lt;b&gt;")
    assert "<a href='http://x.example/account/join/abc?x=1&amp;y=2'" in shown
    assert "<script>" not in shown
    assert "<p onclick" not in shown
    assert raw.index("Second") < raw.index("Premier")
    assert calendar == "BEGIN:VCALENDAR"
    again = MailSink(tmp_path / "mail", http_port=None)
    again.start()
    again.stop()
    assert [(mail.to, mail.subject) for mail in again.mails] == [
        (("zoe@x.example",), "Premier <b>"),
        (("zoe@x.example",), "Second"),
    ]
