"""Servers that are away or refuse, addresses that are unknown: mails wait, fail visibly, never vanish."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from contracts.booking import BookingExpired
from services.chassis.clock import Clock
from services.notify import deliveries
from services.notify.listening import Pulse
from services.notify.sending import Postman, Sending
from services.notify.settings import NotifySettings
from services.notify.tables import deliveries as queue
from tests.services.notify.conftest import Notify, booking
from tests.services.notify.test_mails import invitation


class Post:
    """The sending loop, one step at a time, at a time of the test's choice."""

    def __init__(self, notify: Notify, settings: NotifySettings | None = None) -> None:
        self.now = datetime.now(UTC)
        self.settings = settings or notify.settings
        self.sending = Sending(notify.db, self.settings, Pulse(), Clock(lambda: self.now))

    async def send_all(self) -> int:
        """How many mails were due."""
        postman = Postman(self.settings)
        count = 0
        while await self.sending.send_next(postman):
            count += 1
        await postman.close()
        return count

    def wait(self, time: timedelta) -> None:
        self.now += time


async def statuses(notify: Notify) -> list[tuple[str, int]]:
    return [(row["status"], row["attempts"]) for row in await notify.mails()]


async def test_a_mail_waits_for_the_server_and_goes_out_when_it_is_back(notify: Notify) -> None:
    await notify.tell(invitation(minutes=600))
    away = Post(notify, notify.settings.model_copy(update={"smtp_port": 1}))
    assert await away.send_all() == 1
    assert await statuses(notify) == [("waiting", 1)]
    assert await away.send_all() == 0
    post = Post(notify)
    post.wait(timedelta(seconds=10))
    assert await post.send_all() == 1
    assert await statuses(notify) == [("sent", 2)]
    assert len(notify.sink.to("zoe@example.org")) == 1


async def test_a_mail_is_given_up_after_its_time_and_coordinators_see_it(notify: Notify) -> None:
    caro = await notify.member("Caro", role="coordinator")
    await notify.tell(invitation(minutes=600))
    post = Post(notify, notify.settings.model_copy(update={"smtp_port": 1}))
    for _ in range(100):
        await post.send_all()
        post.wait(timedelta(hours=1))
    [row] = await notify.mails()
    assert row["status"] == "failed"
    assert row["facts"] is None
    assert 5 < row["attempts"] < 30
    [note] = await notify.inbox(caro)
    assert note["body"].startswith("Destinataire : zoe@example.org.")
    async with notify.client(caro, role="coordinator") as http:
        [shown] = (await http.get("/mails")).json()["items"]
    assert (shown["to"], shown["template"], shown["status"]) == ("zoe@example.org", "member-invited", "failed")
    assert "s3cret" not in str(shown)


async def test_an_expired_link_is_not_mailed(notify: Notify) -> None:
    await notify.tell(invitation(minutes=-1))
    await Post(notify).send_all()
    assert [status for status, _ in await statuses(notify)] == ["failed"]
    assert notify.sink.mails == []


async def test_a_reader_that_the_server_does_not_know_fails_at_once_and_holds_up_nobody(notify: Notify) -> None:
    refuse: Callable[[str], str | None] = lambda address: "550 no such user" if "zoe" in address else None  # noqa: E731
    notify.sink.refuse = refuse
    await notify.tell(invitation())
    await notify.tell(invitation("yan@example.org"))
    await Post(notify).send_all()
    assert await statuses(notify) == [("failed", 1), ("sent", 1)]
    assert "550" in (await notify.mails())[0]["last_error"]


async def test_a_server_that_says_later_is_asked_later(notify: Notify) -> None:
    notify.sink.refuse = lambda _address: "451 try again later"
    await notify.tell(invitation())
    post = Post(notify)
    await post.send_all()
    assert await statuses(notify) == [("waiting", 1)]
    notify.sink.refuse = lambda _address: None
    post.wait(timedelta(minutes=1))
    await post.send_all()
    assert await statuses(notify) == [("sent", 2)]


async def test_a_malformed_address_fails_and_holds_up_nobody(notify: Notify) -> None:
    await notify.tell(invitation("a@b.example\r\nBcc: c@d.example"))
    await notify.tell(invitation())
    await Post(notify).send_all()
    assert await statuses(notify) == [("failed", 1), ("sent", 1)]


async def test_a_mail_waits_until_the_address_is_known_and_takes_the_newest(notify: Notify) -> None:
    bea = await notify.member("Bea", contact=False)
    await notify.tell(BookingExpired(booking=booking(bea, None, status="expired")))
    post = Post(notify)
    await post.send_all()
    assert await statuses(notify) == [("waiting", 1)]
    await notify.tell_contact(bea, "Bea", "old@lille.example")
    await notify.tell_contact(bea, "Bea", "new@lille.example")
    post.wait(timedelta(minutes=1))
    await post.send_all()
    assert [mail.to for mail in notify.sink.mails] == [("new@lille.example",)]


async def test_nobody_who_has_left_gets_a_mail(notify: Notify) -> None:
    bea = await notify.member("Bea")
    await notify.tell(BookingExpired(booking=booking(bea, None, status="expired")))
    await notify.tell_contact(bea, "Bea", None)
    await Post(notify).send_all()
    assert await statuses(notify) == [("dropped", 1)]
    assert notify.sink.mails == []


async def test_a_mail_that_was_sent_but_not_noted_comes_again_with_the_same_id(notify: Notify) -> None:
    await notify.tell(invitation())
    post = Post(notify)
    await post.send_all()
    async with notify.db.transaction() as session:  # as if the process had died before noting it
        values = {
            "status": "waiting",
            "facts": {"expires_at": "2031-01-01T00:00Z", "link": "http://x/", "inviter": "L", "joins": "O"},
        }
        await session.execute(sa.update(queue).values(values))
    assert await post.send_all() == 0  # the lease holds
    post.wait(deliveries.LEASE + timedelta(seconds=1))
    assert await post.send_all() == 1
    first, second = notify.sink.to("zoe@example.org")
    assert first.message_id == second.message_id


async def test_several_senders_send_each_mail_once(notify: Notify) -> None:
    for number in range(40):
        await notify.tell(invitation(f"p{number}@example.org"))
    posts = [Post(notify) for _ in range(4)]
    await asyncio.gather(*(post.send_all() for post in posts))
    assert sorted(mail.to[0] for mail in notify.sink.mails) == sorted(f"p{number}@example.org" for number in range(40))
