"""The page on which the mails of the sink are read: a list, each message with its links and attachments.

`/` the list, `/<n>` one message, `/<n>/<k>` its attachment number k, `/<n>.eml` as it came, `/messages.json` all.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
_MESSAGE = re.compile(r"/(\d+)(?:\.(eml)|/(\d+))?")
_STYLE = """
:root{color-scheme:light dark;--page:#FBF9F5;--text:#1D2326;--muted:#556067;--line:#D9D5CC;--link:#0B5C66}
@media(prefers-color-scheme:dark){:root{--page:#15191B;--text:#E8ECEE;--muted:#A3AEB4;--line:#3A4246;--link:#74C9D3}}
body{margin:0 auto;max-width:48em;padding:24px 16px;background:var(--page);color:var(--text);
font:17px/1.55 system-ui,sans-serif}
a{color:var(--link)}ol{list-style:none;padding:0}li{border-top:1px solid var(--line);padding:12px 0}
li a{font-weight:600;display:block}.muted{color:var(--muted);margin:0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit}
iframe{width:100%;height:36em;border:1px solid var(--line);border-radius:8px;background:#fff}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; img-src data:"


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that came with a mail."""

    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One received mail; `to` are the addresses that the sender's server named, `received` seconds since the epoch."""

    raw: bytes
    received: float
    to: tuple[str, ...]
    sender: str
    subject: str
    message_id: str
    text: str
    html: str
    attachments: tuple[Attachment, ...]

    @property
    def links(self) -> list[str]:
        """The addresses of pages in the text."""
        return _LINK.findall(self.text)


class Page:
    """Serves the page from a thread of its own."""

    def __init__(self, host: str, port: int, mails: Callable[[], list[Mail]]) -> None:
        """`mails` gives them oldest first.  Raises OSError when the port is in use."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body, more = answer(self.path, mails())
                self.send_response(status)
                for name, value in {"Content-Type": kind, "Content-Security-Policy": _POLICY, **more}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
                pass

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="mail page", daemon=True)
        self.port: int = self._server.server_address[1]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


Answer = tuple[int, str, bytes, dict[str, str]]


def answer(path: str, mails: list[Mail]) -> Answer:
    """Status, content type, body and further headers for a GET of `path`."""
    path = path.partition("?")[0]
    if path == "/":
        return 200, "text/html; charset=utf-8", _list(mails).encode(), {}
    if path == "/messages.json":
        return 200, "application/json", json.dumps([_json(mail) for mail in reversed(mails)]).encode(), {}
    found = _MESSAGE.fullmatch(path)
    number = int(found[1]) if found else 0
    if found is None or not 1 <= number <= len(mails):
        return 404, "text/html; charset=utf-8", _page("Introuvable", "<p><a href='/'>Courriels</a></p>").encode(), {}
    mail = mails[number - 1]
    if found[2]:
        return 200, "message/rfc822", mail.raw, {"Content-Disposition": "attachment; filename=mail.eml"}
    if found[3]:
        return _attachment(mail, int(found[3]))
    return 200, "text/html; charset=utf-8", _message(number, mail).encode(), {}


def _attachment(mail: Mail, number: int) -> Answer:
    if not 1 <= number <= len(mail.attachments):
        return 404, "text/plain; charset=utf-8", b"?", {}
    one = mail.attachments[number - 1]
    name = re.sub(r"[^\w.-]", "_", one.name, flags=re.ASCII)
    return 200, one.kind, one.content, {"Content-Disposition": f'attachment; filename="{name}"'}


def _list(mails: list[Mail]) -> str:
    rows = [
        f"<li><a href='/{number}'>{escape(mail.subject) or '(sans objet)'}</a>"
        f"<p class='muted'>À {escape(', '.join(mail.to))} · de {escape(mail.sender)} · {_time(mail)}"
        f"{' · ' + str(len(mail.attachments)) + ' pièce(s) jointe(s)' if mail.attachments else ''}</p></li>"
        for number, mail in enumerate(mails, 1)
    ]
    empty = "<p>Aucun courriel pour l'instant.</p>"
    return _page("Courriels", f"<ol>{''.join(reversed(rows))}</ol>" if rows else empty)


def _message(number: int, mail: Mail) -> str:
    text = _LINK.sub(lambda link: f"<a href='{link[0]}' rel='noreferrer'>{link[0]}</a>", escape(mail.text, quote=False))
    files = "".join(
        f"<li><a href='/{number}/{index}'>{escape(one.name)}</a><p class='muted'>{escape(one.kind)}</p></li>"
        for index, one in enumerate(mail.attachments, 1)
    )
    html = f"<h2>En HTML</h2><iframe sandbox title='HTML' srcdoc='{escape(mail.html)}'></iframe>" if mail.html else ""
    return _page(
        mail.subject,
        f"<p class='muted'>À {escape(', '.join(mail.to))} · de {escape(mail.sender)} · {_time(mail)}</p>"
        f"<pre>{text}</pre>{'<h2>Pièces jointes</h2><ol>' + files + '</ol>' if files else ''}{html}"
        f"<p><a href='/'>Tous les courriels</a> · <a href='/{number}.eml'>Source</a></p>",
    )


def _page(title: str, body: str) -> str:
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{escape(title)}</title>"
    top = f"<!doctype html><html lang='fr'><head>{head}<style>{_STYLE}</style></head>"
    return f"{top}<body><h1>{escape(title)}</h1>{body}</body></html>"


def _time(mail: Mail) -> str:
    return datetime.fromtimestamp(mail.received).astimezone().strftime("%d/%m/%Y %H:%M:%S")


def _json(mail: Mail) -> dict[str, object]:
    return {
        "to": list(mail.to),
        "from": mail.sender,
        "subject": mail.subject,
        "message_id": mail.message_id,
        "received": mail.received,
        "text": mail.text,
        "links": mail.links,
        "attachments": [{"name": one.name, "kind": one.kind, "content": _text(one)} for one in mail.attachments],
    }


def _text(one: Attachment) -> str | None:
    return one.content.decode("utf-8", errors="replace") if one.kind.startswith("text/") else None
