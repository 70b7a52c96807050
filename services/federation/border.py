"""Who we are at the border: settings, keys, the way to call peers; and the documents that say so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import names
from services.federation import own_tables
from services.federation.documents import LinkConfirmation, LinkEnding, LinkRequest, Presentation, Profile, ReadAccess
from services.federation.domain import DOCUMENT_LIFETIME, HubsStayApart, Kind
from services.federation.keys import KEY_SET_VALIDITY, Keys
from services.federation.mending_tables import own_keys, revocations
from services.federation.peer_http import Peers
from services.federation.settings import PLAIN_PORT, TLS_PORT, FederationSettings


@dataclass
class Border:
    """What linking needs to know of our own instance. `keys`: which of them signs changes with a rotation."""

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

    def kind_of(self, peer: Profile) -> Kind:
        """What kind of link one with `peer` is. Raises HubsStayApart."""
        if peer.hub and self.settings.federation_hub:
            raise HubsStayApart
        return "hub" if peer.hub else "member" if self.settings.federation_hub else "direct"

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
        row = (await session.execute(sa.select(own_tables.profile))).first()
        hub = self.settings.federation_hub
        if row is None:
            return Profile(instance_id=self.us, name=self.settings.instance, address=self.address, hub=hub)
        return Profile(
            instance_id=self.us,
            name=row.name[:120] or self.settings.instance,
            summary=row.summary[:2000],
            web=row.web if row.web.startswith(("http://", "https://")) else "",
            locale=row.locale,
            address=self.address,
            hub=hub,
        )

    async def presentation(self, session: AsyncSession, now: datetime) -> str:
        """The answer to whoever asks who we are."""
        document = Presentation(
            profile=await self.profile(session),
            key_set=await key_set_for(session, self.keys, None, now=now),
            expires_at=now + KEY_SET_VALIDITY,
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
            key_set=await key_set_for(session, self.keys, None, now=now),
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
            key_set=await key_set_for(session, self.keys, None, now=now),
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


async def key_set_for(session: AsyncSession, keys: Keys, link_id: UUID | None, *, now: datetime) -> str:
    """Our signed key set for the reader of a link of ours; without a link, revoked keys are not in force at all."""
    return keys.key_set(now, await _revoked(session, link_id))


async def _revoked(session: AsyncSession, link_id: UUID | None) -> Mapping[str, tuple[int, int]]:
    over = (await session.execute(sa.select(own_keys.c.kid).where(own_keys.c.revoked_at.is_not(None)))).scalars()
    found = dict.fromkeys(over.all(), (0, 0))
    query = sa.select(revocations).where(revocations.c.link_id == link_id)
    return found | {row.kid: (row.epoch, row.seq) for row in (await session.execute(query)).all()}
