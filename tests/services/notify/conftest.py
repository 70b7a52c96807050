"""notify alone, on the session's servers, with a mail sink beside it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from contracts.booking import BookingState, Party
from contracts.envelope import Event
from contracts.identity import (
    CooperativeChanged,
    CooperativeState,
    Locale,
    MemberChanged,
    MemberContactChanged,
    MemberState,
    Place,
    Role,
)
from contracts.registry import EVENTS
from deploy.local.mail_page import Mail
from deploy.local.mail_sink import MailSink
from services.chassis import ids
from services.chassis.database import Database
from services.chassis.process import Service
from services.notify.app import build
from services.notify.consumers import consumers
from services.notify.settings import NotifySettings
from services.notify.tables import deliveries, notifications, outbox
from tests.instances import Instance

NAMUR = "peer-namur"
START = datetime(2031, 3, 20, 13, tzinfo=UTC)


@pytest.fixture
def sink() -> Iterator[MailSink]:
    sink = MailSink(http_port=None)
    sink.start()
    yield sink
    sink.stop()


class Notify:
    """The service as its neighbours see it: it is told events, people read, mails arrive."""

    def __init__(self, instance: Instance, service: Service, sink: MailSink, settings: NotifySettings) -> None:
        assert service.database is not None
        self.instance = instance
        self.service = service
        self.sink = sink
        self.settings = settings
        self.db: Database = service.database
        self._version = 0

    async def tell(self, event: Event) -> None:
        """Handle an event in a transaction, as the consumer does after its inbox."""
        handler = consumers.get(event.type).handler
        await self.db.run(lambda session: handler(type(event).model_validate_json(event.model_dump_json()), session))

    async def member(
        self, name: str, *, role: Role = "member", locale: Locale = "fr", email: str | None = "", contact: bool = True
    ) -> UUID:
        """Somebody who has joined; `contact` False: their address is not known yet."""
        member_id = ids.new_id()
        await self.tell_member(member_id, name, role=role, locale=locale)
        if contact:
            await self.tell_contact(member_id, name, email or f"{name.lower()}@lille.example", locale=locale)
        return member_id

    async def tell_member(
        self, member_id: UUID, name: str, *, role: Role = "member", locale: Locale = "fr", left: bool = False
    ) -> None:
        self._version += 1
        status = "left" if left else "active"
        state = MemberState(id=member_id, name=name, role=role, status=status, locale=locale, version=self._version)
        await self.tell(MemberChanged(member=state))

    async def tell_contact(self, member_id: UUID, name: str, email: str | None, *, locale: Locale = "fr") -> None:
        self._version += 1
        await self.tell(
            MemberContactChanged(member_id=member_id, name=name, email=email, locale=locale, version=self._version)
        )

    async def tell_cooperative(self, name: str = "Optéos") -> None:
        profile = CooperativeState(
            name=name,
            summary="",
            locale="fr",
            time_zone="Europe/Paris",
            place=Place(label="Lille"),
            web="http://lille.example",
            contact_email="bonjour@lille.example",
            version=1,
        )
        await self.tell(CooperativeChanged(cooperative=profile))

    async def inbox(self, member_id: UUID) -> list[sa.RowMapping]:
        """Newest first."""
        query = sa.select(notifications).where(notifications.c.member_id == member_id)
        async with self.db.reading() as session:
            return list((await session.execute(query.order_by(notifications.c.seq.desc()))).mappings())

    async def mails(self) -> list[sa.RowMapping]:
        """What is in the queue, oldest first."""
        async with self.db.reading() as session:
            return list((await session.execute(sa.select(deliveries).order_by(deliveries.c.id))).mappings())

    async def said(self) -> list[Event]:
        """What waits in the outbox."""
        async with self.db.reading() as session:
            rows = (await session.execute(sa.select(outbox).order_by(outbox.c.id))).mappings().all()
        return [EVENTS[row["type"]].model_validate_json(row["data"]) for row in rows]

    async def wait_for_mails(self, address: str, count: int = 1) -> list[Mail]:
        """Mails that have arrived at an address."""
        return await asyncio.to_thread(self.sink.wait_for, address, count)

    def client(self, member_id: UUID, *, role: Role = "member") -> httpx.AsyncClient:
        return self.instance.client(self.service, self.instance.token(member_id=member_id, role=role))


@pytest.fixture
async def notify(instance: Instance, sink: MailSink) -> AsyncIterator[Notify]:
    settings = instance.settings(
        NotifySettings,
        smtp_port=sink.smtp_port,
        smtp_from="maillage@lille.example",
        public_url="http://lille.example",
    )
    service = build(settings)
    notify = Notify(instance, service, sink, settings)
    await notify.tell_cooperative()
    yield notify
    assert service.database is not None
    await service.database.close()


def booking(borrower: UUID | None, owner: UUID | None, **changes: Any) -> BookingState:
    """A booking of one of our resources by one of our members; None stands for a person of Namur."""
    values: dict[str, Any] = {
        "id": ids.new_id(),
        "offer_id": ids.new_id(),
        "offer_title": "Découpeuse laser",
        "resource_origin": None if owner else NAMUR,
        "origin_name": None if owner else "OpenFlow",
        "borrower": Party(member_id=borrower, name="Bea" if borrower else None)
        if borrower
        else Party(peer_id=NAMUR, peer_name="OpenFlow", pseudonym="p1"),
        "owner": Party(member_id=owner, name="Omar") if owner else Party(peer_id=NAMUR, peer_name="OpenFlow"),
        "start": START,
        "end": START + timedelta(hours=3),
        "time_zone": "Europe/Paris",
        "place_label": "12 rue Neuve, Lille",
        "quantity": 1,
        "note": "",
        "status": "pending",
        "reason": None,
        "decide_by": START - timedelta(days=1),
        "version": 1,
        "changed_at": datetime(2031, 3, 1, tzinfo=UTC),
    }
    return BookingState(**(values | changes))


def later(state: BookingState, **changes: Any) -> BookingState:
    """The same booking after another change."""
    return state.model_copy(update={"version": state.version + 1, **changes})
