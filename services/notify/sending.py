"""The loop that takes mails from the queue to the SMTP server: at least once, with growing pauses after failures.

A process that is killed between sending and noting it sends the mail again when the lease ends; the second has the
same Message-ID.
"""

import asyncio
import ipaddress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY

import aiosmtplib
from prometheus_client import Counter

from services.chassis import logs
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.notify import deliveries
from services.notify.deliveries import Claimed
from services.notify.letters import BadAddress, Letter, compose
from services.notify.listening import Pulse
from services.notify.settings import NotifySettings

POLL_SECONDS = 2.0
PAUSE_SECONDS = 2.0
CONNECT_SECONDS = 10
SEND_SECONDS = 20
LAST_WORD_SECONDS = 4.5

_MAILS = Counter("maillage_mails", "Mails by how an attempt ended.", ["outcome"])
_log = logs.get(__name__)

_PERMANENT = 500


class NeverAccepted(Exception):
    """The server has refused this mail or its reader for good (a reply from 500 up)."""


class Postman:
    """One connection to the SMTP server, opened when there is something to send."""

    def __init__(self, settings: NotifySettings) -> None:
        self._settings = settings
        self._server: aiosmtplib.SMTP | None = None

    async def send(self, message: EmailMessage, *, to: str) -> None:
        """Raises NeverAccepted; whatever else it raises may pass."""
        server = self._server or await self._connect()
        try:
            await server.sendmail(self._settings.mail_from, [to], message.as_bytes(policy=SMTP_POLICY))
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refused.code for refused in error.recipients]
            if codes and min(codes) >= _PERMANENT:
                raise NeverAccepted("; ".join(str(refused) for refused in error.recipients)) from error
            raise
        except aiosmtplib.SMTPDataError as error:
            if error.code >= _PERMANENT:
                raise NeverAccepted(str(error)) from error
            raise

    async def close(self) -> None:
        """Say good-bye to the server, if it still listens."""
        server, self._server = self._server, None
        if server is None or not server.is_connected:
            return
        try:
            await server.quit()
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            server.close()

    async def _connect(self) -> aiosmtplib.SMTP:
        settings = self._settings
        server = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user,
            password=settings.smtp_password,
            start_tls=settings.smtp_starttls,
            local_hostname=_greeting(settings.mail_host),
            timeout=CONNECT_SECONDS,
        )
        await server.connect()
        server.timeout = SEND_SECONDS
        self._server = server
        return server


class Sending:
    """Sends what waits until cancelled; any number of replicas may run it."""

    def __init__(self, db: Database, settings: NotifySettings, mails: Pulse, clock: Clock | None = None) -> None:
        self._db = db
        self._settings = settings
        self._mails = mails
        self._outage = logs.Outage()
        self._clock = clock or Clock()

    async def run(self) -> None:
        """Send until cancelled; a mail in hand is finished first."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._settings.smtp_connections):
                group.create_task(self._work())

    async def _work(self) -> None:
        postman = Postman(self._settings)
        try:
            while True:
                if not await self._next_or_pause(postman):
                    await postman.close()
                    await self._mails.wait(POLL_SECONDS)
        finally:
            await postman.close()

    async def _next_or_pause(self, postman: Postman) -> bool:
        """Whether there was something to send."""
        one = asyncio.ensure_future(self.send_next(postman))
        try:
            found = await asyncio.shield(one)
        except asyncio.CancelledError:
            await asyncio.wait({one}, timeout=LAST_WORD_SECONDS)
            raise
        except Exception as error:  # noqa: BLE001 - the database is away: mails are safe there, the loop must outlive it
            if self._outage.goes_on():
                _log.warning("sending-interrupted", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(PAUSE_SECONDS)
            return True
        self._outage.is_over()
        return found

    async def send_next(self, postman: Postman) -> bool:
        """Claim one mail, send it, note how it ended. Returns whether one was due."""
        claimed = await self._db.run(deliveries.claim, now=self._clock.now())
        if claimed is None:
            return False
        outcome = await self._deliver(claimed, postman)
        _MAILS.labels(outcome).inc()
        _log.info("mail-handled", delivery=str(claimed.id), outcome=outcome, attempt=claimed.attempts)
        return True

    async def _deliver(self, claimed: Claimed, postman: Postman) -> str:
        if claimed.has_left:
            await self._db.run(deliveries.mark_dropped, claimed, "the member has left", now=self._clock.now())
            return "dropped"
        if claimed.letter is None:
            return await self._later(claimed, "the member's address is not known yet")
        if self._clock.now() >= claimed.give_up_at:
            return await self._never(claimed, "not sent in time")
        try:
            await self._hand_over(claimed.letter, claimed, postman)
        except (NeverAccepted, BadAddress) as error:
            return await self._never(claimed, str(error))
        except Exception as error:  # noqa: BLE001 - network, server, a template: tried again, given up in the end, always shown
            await postman.close()
            return await self._later(claimed, f"{type(error).__name__}: {error}")
        await self._db.run(deliveries.mark_sent, claimed, now=self._clock.now())
        return "sent"

    async def _hand_over(self, letter: Letter, claimed: Claimed, postman: Postman) -> None:
        message = compose(letter, claimed.home, self._settings, now=self._clock.now())
        async with asyncio.timeout(CONNECT_SECONDS + SEND_SECONDS):
            await postman.send(message, to=message["To"].addresses[0].addr_spec)

    async def _later(self, claimed: Claimed, error: str) -> str:
        now = self._clock.now()
        if deliveries.retry_at(now, claimed.attempts) >= claimed.give_up_at:
            return await self._never(claimed, error)
        _log.warning("mail-postponed", delivery=str(claimed.id), error=error)
        await self._db.run(deliveries.mark_for_retry, claimed, error, now=now)
        return "postponed"

    async def _never(self, claimed: Claimed, error: str) -> str:
        _log.error("mail-failed", delivery=str(claimed.id), error=error)
        await self._db.run(deliveries.mark_failed, claimed, error, now=self._clock.now())
        return "failed"


def _greeting(host: str) -> str:
    """How we name ourselves in EHLO: a host, or an address literal (RFC 5321, 4.1.3)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"  # noqa: PLR2004 - the version of IP
