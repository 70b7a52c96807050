"""Who we are at the border: settings, keys, the way to call peers; and the documents that say so."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import names
from services.federation import tables
from services.federation.documents import LinkConfirmation, LinkEnding, LinkRequest, Presentation, Profile, ReadAccess
from services.federation.domain import DOCUMENT_LIFETIME
from services.federation.keys import KEY_SET_VALIDITY, Keys
from services.federation.peer_http import Peers
from services.federation.settings import PLAIN_PORT, TLS_PORT, FederationSettings


@dataclass(frozen=True)
class Border:
    """What linking needs to know of our own instance."""

    settings: FederationSettings
    keys: Keys
    peers: Peers

    @property
    def us(self) -> str:
        """Our instance id."""
        return self.keys.instance_id

    @property
    def address(self) -> str:
        """Where peers call us: `https://host[:port]`."""
        return self.settings.public_url.rstrip("/")

    def access(self, link_id: UUID, password: str) -> ReadAccess:
        """The fields with which the peer of our link `link_id` may read what we have to say to it."""
        settings = self.settings
        return ReadAccess(
            host=settings.border_host or settings.broker_host,
            port=settings.border_port or (TLS_PORT if settings.border_tls else settings.broker_port or PLAIN_PORT),
            tls=settings.border_tls,
            vhost=names.border_vhost(settings.instance),
            user=names.peer_user(settings.instance, str(link_id)),
            password=password,
            queue=names.out(str(link_id)),
        )

    async def profile(self, session: AsyncSession) -> Profile:
        """How we present ourselves: what identity last told, or our short name before it has."""
        row = (await session.execute(sa.select(tables.profile))).first()
        if row is None:
            return Profile(instance_id=self.us, name=self.settings.instance, address=self.address)
        return Profile(
            instance_id=self.us,
            name=row.name[:120] or self.settings.instance,
            summary=row.summary[:2000],
            web=row.web if row.web.startswith(("http://", "https://")) else "",
            locale=row.locale,
            address=self.address,
        )

    async def presentation(self, session: AsyncSession, now: datetime) -> str:
        """The answer to whoever asks who we are."""
        document = Presentation(
            profile=await self.profile(session), key_set=self.keys.key_set(now), expires_at=now + KEY_SET_VALIDITY
        )
        return self.keys.sign(document)

    async def request(self, session: AsyncSession, link: sa.RowMapping, secret: str, now: datetime) -> str:
        """What we ask of the inviting instance."""
        document = LinkRequest(
            audience=link["peer_id"],
            link_id=link["id"],
            expires_at=now + DOCUMENT_LIFETIME,
            secret=secret,
            profile=await self.profile(session),
            key_set=self.keys.key_set(now),
            access=self.access(link["id"], link["peer_password"]),
        )
        return self.keys.sign(document)

    async def confirmation(self, session: AsyncSession, link: sa.RowMapping, now: datetime) -> str:
        """What we say to the invited instance once our coordinator has confirmed."""
        document = LinkConfirmation(
            audience=link["peer_id"],
            link_id=link["id"],
            your_link_id=link["peer_link_id"],
            expires_at=now + DOCUMENT_LIFETIME,
            profile=await self.profile(session),
            key_set=self.keys.key_set(now),
            access=self.access(link["id"], link["peer_password"]),
        )
        return self.keys.sign(document)

    def ending(self, link: sa.RowMapping, now: datetime) -> str:
        """What we say when we end a link."""
        document = LinkEnding(
            audience=link["peer_id"],
            link_id=link["id"],
            your_link_id=link["peer_link_id"],
            expires_at=now + DOCUMENT_LIFETIME,
        )
        return self.keys.sign(document)
