"""Copies of identity's facts: members, their addresses, the cooperative. The newest version wins."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import ResourceState
from contracts.identity import CooperativeState, Locale, MemberContactChanged, MemberState
from services.notify.domain import DEFAULT_PREFERENCE, EmailPreference
from services.notify.tables import contacts, cooperative, members, preferences, resources


@dataclass(frozen=True, kw_only=True)
class Person:
    """A member of ours as far as known: a fact about somebody may come before the news that they joined."""

    id: UUID
    name: str
    locale: Locale
    preference: EmailPreference
    has_left: bool


@dataclass(frozen=True, kw_only=True)
class Home:
    """Our cooperative as readers know it; `time_zone` is an IANA name."""

    name: str
    locale: Locale
    time_zone: str
    contact_email: str | None


_UNTOLD = Home(name="Maillage", locale="fr", time_zone="Europe/Paris", contact_email=None)
"""Until identity has told the profile."""


async def keep_member(session: AsyncSession, member: MemberState) -> None:
    """Keep name, role, language and whether the member has left."""
    values = member.model_dump(include={"id", "name", "role", "status", "locale", "version"})
    await _keep(session, members, values, key="id")


async def keep_contact(session: AsyncSession, contact: MemberContactChanged) -> None:
    """Keep the address; once the member has left, neither address nor name."""
    values = contact.model_dump(include={"member_id", "name", "email", "locale", "version"})
    if contact.email is None:
        values["name"] = ""
    await _keep(session, contacts, values, key="member_id")


async def keep_cooperative(session: AsyncSession, profile: CooperativeState) -> None:
    """Keep what readers know the cooperative by."""
    values = profile.model_dump(include={"name", "locale", "time_zone", "contact_email", "version"})
    await _keep(session, cooperative, {"only": True, **values}, key="only")


async def keep_resource(session: AsyncSession, resource: ResourceState) -> None:
    """Keep who decides on requests."""
    values = resource.model_dump(include={"offer_id", "approval", "version"})
    await _keep(session, resources, values, key="offer_id")


async def _keep(session: AsyncSession, table: sa.Table, values: dict[str, object], *, key: str) -> None:
    new = insert(table).values(values)
    changed = {name: new.excluded[name] for name in values if name != key}
    await session.execute(
        new.on_conflict_do_update(index_elements=[key], set_=changed, where=table.c.version < new.excluded.version)
    )


async def lock(session: AsyncSession, member_ids: Collection[UUID]) -> None:
    """Hold these members until the transaction ends: what is written for one is seen in the order of commits."""
    texts = sorted(str(member_id) for member_id in member_ids)
    ids = sa.func.unnest(sa.cast(texts, ARRAY(sa.Text))).column_valued("id")
    keys = sa.select(sa.func.hashtextextended(ids, 0).label("key")).order_by("key").offset(0).subquery()
    await session.execute(sa.select(sa.func.count(sa.cast(sa.func.pg_advisory_xact_lock(keys.c.key), sa.Text))))


async def home(session: AsyncSession) -> Home:
    """Our cooperative."""
    row = (await session.execute(sa.select(cooperative))).one_or_none()
    if row is None:
        return _UNTOLD
    return Home(name=row.name, locale=row.locale, time_zone=row.time_zone, contact_email=row.contact_email)


async def people(session: AsyncSession, member_ids: Collection[UUID], *, default: Locale) -> Sequence[Person]:
    """What is known of these members; `default` is the language of those who are not known yet."""
    ids = sa.func.unnest(sa.cast(sorted(member_ids), ARRAY(sa.Uuid)))
    wanted = ids.table_valued(sa.column("id", sa.Uuid)).render_derived(name="wanted")
    query = (
        sa.select(
            wanted.c.id,
            sa.func.coalesce(members.c.name, contacts.c.name, "").label("name"),
            sa.func.coalesce(members.c.locale, contacts.c.locale, default).label("locale"),
            sa.func.coalesce(preferences.c.email, DEFAULT_PREFERENCE).label("preference"),
            sa.func.coalesce(members.c.status == "left", sa.false()).label("has_left"),
        )
        .select_from(wanted)
        .outerjoin(members, members.c.id == wanted.c.id)
        .outerjoin(contacts, contacts.c.member_id == wanted.c.id)
        .outerjoin(preferences, preferences.c.member_id == wanted.c.id)
    )
    return [Person(**row) for row in (await session.execute(query)).mappings()]


async def coordinators(session: AsyncSession) -> frozenset[UUID]:
    """The active members who coordinate."""
    query = sa.select(members.c.id).where(
        members.c.role.in_(["coordinator", "administrator"]), members.c.status == "active"
    )
    return frozenset((await session.execute(query)).scalars())


async def not_left(session: AsyncSession, member_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of `member_ids` who are not known to have left."""
    query = sa.select(members.c.id).where(members.c.id.in_(member_ids), members.c.status == "left")
    return frozenset(member_ids) - frozenset((await session.execute(query)).scalars())
