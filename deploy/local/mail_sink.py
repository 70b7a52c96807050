"""A mail server of this machine that delivers nothing: it keeps what it receives and shows it on a page.

`python -m deploy.local.mail_sink --smtp-port 2525 --http-port 8025 --folder mail`, or in a program or test:
`MailSink(folder)` with `start()` and `stop()`.
"""

import argparse
import asyncio
import threading
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.mail_page import Attachment, Mail, Page

MOST_MAILS = 1000
LARGEST_MAIL = 20 * 1024 * 1024


class MailSink:
    """The newest mails in memory, all of them as .eml files in `folder` (none without a folder).

    Ports are free ones of the system's choice unless given; read them after `start()`.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        smtp_port: int = 0,
        http_port: int | None = 0,
        host: str = "127.0.0.1",
    ) -> None:
        """`http_port` None: no page."""
        self.host = host
        self.smtp_port: int = smtp_port
        self.http_port = http_port
        self.refuse: Callable[[str], str | None] = lambda _address: None
        """For tests: an SMTP reply ("550 no such user") to a recipient's address, or None to accept it."""
        self._folder = folder
        self._mails: list[Mail] = []
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._page: Page | None = None
        self._server: asyncio.Server | None = None

    @property
    def mails(self) -> list[Mail]:
        """What was received, oldest first."""
        return list(self._mails)

    def to(self, address: str) -> list[Mail]:
        """Mails to one address, oldest first."""
        return [mail for mail in self.mails if address in mail.to]

    def wait_for(self, address: str, count: int = 1, *, seconds: float = 10.0) -> list[Mail]:
        """The mails to an address once there are `count` of them.  Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while len(found := self.to(address)) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found)} of {count} mails to {address} after {seconds} s")
            time.sleep(0.01)
        return found

    def start(self) -> None:
        """Listen on both ports.  Raises OSError when one is in use."""
        self._load()
        self._server = server = self._loop.run_until_complete(
            self._loop.create_server(self._session, self.host, self.smtp_port)
        )
        self.smtp_port = server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail sink", daemon=True)
        self._thread.start()
        if self.http_port is not None:
            self._page = Page(self.host, self.http_port, lambda: self.mails)
            self.http_port = self._page.port
            self._page.start()

    def stop(self) -> None:
        """Listen no longer; the files stay."""
        if self._page is not None:
            self._page.stop()
        if self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refusal = self.refuse(address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - same
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        mail = read(raw, to=tuple(envelope.rcpt_tos), received=time.time())
        self._keep(mail)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / f"{time.time_ns():020}.eml").write_bytes(
                b"X-To: %s\r\n" % ", ".join(mail.to).encode() + raw
            )
        return "250 OK"

    async def _end(self) -> None:
        """Close the port and end open sessions."""
        if self._server is not None:
            self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _session(self) -> SMTP:
        return SMTP(
            self, data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True, ident="Maillage mail sink", loop=self._loop
        )

    def _keep(self, mail: Mail) -> None:
        self._mails.append(mail)
        del self._mails[:-MOST_MAILS]

    def _load(self) -> None:
        """Remember the mails of earlier runs."""
        files = sorted(self._folder.glob("*.eml"))[-MOST_MAILS:] if self._folder is not None else []
        for file in files:
            raw = file.read_bytes()
            to = tuple(str(message_from_bytes(raw, policy=policy.default)["X-To"] or "").split(", "))
            self._keep(read(raw, to=to, received=file.stat().st_mtime))


def read(raw: bytes, *, to: tuple[str, ...], received: float) -> Mail:
    """What a person sees of the mail in `raw` (RFC 5322); `received` in seconds since the epoch."""
    message = message_from_bytes(raw, policy=policy.default)
    text, html = (_body(message, kind) for kind in ("plain", "html"))
    attachments = tuple(
        Attachment(name=part.get_filename() or "attachment", kind=part.get_content_type(), content=_bytes(part))
        for part in message.iter_attachments()
    )
    return Mail(
        raw=raw,
        received=received,
        to=to,
        sender=str(message["From"] or ""),
        subject=str(message["Subject"] or ""),
        message_id=str(message["Message-ID"] or ""),
        text=text,
        html=html,
        attachments=attachments,
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content())


def _bytes(part: Any) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def main() -> None:
    """Run until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    sink = MailSink(arguments.folder, smtp_port=arguments.smtp_port, http_port=arguments.http_port, host=arguments.host)
    sink.start()
    print(f"mail to {sink.host}:{sink.smtp_port} is shown at http://{sink.host}:{sink.http_port}/", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
