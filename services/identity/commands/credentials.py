"""What changes passwords and addresses: by mailed links that work once, or with the current password."""

from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import EmailChangeRequested, PasswordResetRequested
from services.chassis import outbox
from services.chassis.ids import new_id
from services.identity import limits
from services.identity.commands.members import forget_secrets
from services.identity.domain.addresses import EmailAddress, email_address
from services.identity.domain.invitations import LinkNotValid
from services.identity.domain.members import Member
from services.identity.opaque import digest, new_secret
from services.identity.tables import mailed_link, member

Purpose = Literal["password", "email"]

RESET_VALID = timedelta(hours=1)
FIRST_PASSWORD_VALID = timedelta(hours=24)
NEW_EMAIL_VALID = timedelta(hours=24)


async def request_reset(
    session: AsyncSession, address: EmailAddress, *, network: str, public_url: str, now: datetime
) -> None:
    """Mail a link for a new password if there is such an account, three an hour at the most. Raises TooManyTries.

    Only the limit per network address is told: one per account would tell who has an account.
    """
    await limits.count_try(session, limits.RESET_PER_ADDRESS, network, now=now)
    found = (await session.execute(sa.select(Member).where(member.c.email_key == address.key))).scalar_one_or_none()
    if found is None or found.email is None:
        return
    try:
        await limits.count_try(session, limits.RESET_PER_ACCOUNT, address.key, now=now)
    except limits.TooManyTries:
        return
    expires_at = now + RESET_VALID
    token = await _make_link(session, "password", found, email=found.email, expires_at=expires_at)
    letter = PasswordResetRequested(
        request_id=new_id(),
        email=found.email,
        name=found.name,
        locale=found.locale,
        link=f"{public_url}/account/reset/{token}",
        expires_at=expires_at,
    )
    await outbox.add(session, letter)


async def link_for_first_password(session: AsyncSession, owner: Member, *, public_url: str, now: datetime) -> str:
    """A link, valid for 24 hours, that lets `owner` choose a password; for whoever runs the instance to hand over."""
    expires_at = now + FIRST_PASSWORD_VALID
    token = await _make_link(session, "password", owner, email=owner.email or "", expires_at=expires_at)
    return f"{public_url}/account/reset/{token}"


async def owner_of_link(
    session: AsyncSession, token: str, purpose: Purpose, *, now: datetime, lock: bool = False
) -> tuple[Member, str]:
    """Whose link it is, and the address that it was mailed to. Raises LinkNotValid."""
    query = (
        sa.select(Member, mailed_link.c.email)
        .join(mailed_link, mailed_link.c.member_id == member.c.id)
        .where(mailed_link.c.token_hash == digest(token), mailed_link.c.purpose == purpose)
        .where(mailed_link.c.expires_at > now)
    )
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise LinkNotValid
    return row[0], row[1]


async def complete_reset(session: AsyncSession, token: str, password_hash: str, *, now: datetime) -> None:
    """Take the new password, end all sessions and links, forgive earlier wrong tries. Raises LinkNotValid."""
    owner, _ = await owner_of_link(session, token, "password", now=now, lock=True)
    await set_password(session, owner, password_hash)
    await limits.forgive_account(session, owner.email_key or "")
    await limits.forgive_codes(session, owner.id, now=now)


async def set_password(session: AsyncSession, owner: Member, password_hash: str) -> None:
    """Keep another password; whoever was signed in with the old one no longer is."""
    is_another = owner.password_hash is not None
    owner.password_hash = password_hash
    await forget_secrets(session, owner.id)
    if is_another:
        await outbox.add(session, *owner.access_changed("password"))


async def request_new_email(
    session: AsyncSession, owner: Member, address: EmailAddress, *, public_url: str, now: datetime
) -> None:
    """Mail a link to the new address. Raises TooManyTries.

    Nothing is mailed, and nothing said, when the address is somebody's already: that would tell who has an account.
    """
    await limits.count_try(session, limits.NEW_EMAIL_PER_ACCOUNT, str(owner.id), now=now)
    theirs = sa.and_(mailed_link.c.member_id == owner.id, mailed_link.c.purpose == "email")
    await session.execute(sa.delete(mailed_link).where(theirs))
    taken = sa.select(member.c.id).where(member.c.email_key == address.key, member.c.id != owner.id)
    if (await session.execute(taken)).first():
        return
    expires_at = now + NEW_EMAIL_VALID
    token = await _make_link(session, "email", owner, email=address.text, expires_at=expires_at)
    letter = EmailChangeRequested(
        request_id=new_id(),
        email=address.text,
        name=owner.name,
        locale=owner.locale,
        link=f"{public_url}/account/email/{token}",
        expires_at=expires_at,
    )
    await outbox.add(session, letter)


async def confirm_new_email(session: AsyncSession, token: str, *, now: datetime) -> Member:
    """Take the address that the link was mailed to; the old one is told. Raises LinkNotValid."""
    owner, new_email = await owner_of_link(session, token, "email", now=now, lock=True)
    await session.execute(sa.delete(mailed_link).where(mailed_link.c.member_id == owner.id))
    events = owner.move_to(email_address(new_email))
    try:
        await session.flush()
    except IntegrityError as error:  # somebody else took the address in the meantime
        raise LinkNotValid from error
    await outbox.add(session, *events)
    return owner


async def _make_link(
    session: AsyncSession, purpose: Purpose, owner: Member, *, email: str, expires_at: datetime
) -> str:
    token = new_secret()
    row = {
        "token_hash": digest(token),
        "purpose": purpose,
        "member_id": owner.id,
        "email": email,
        "expires_at": expires_at,
    }
    await session.execute(sa.insert(mailed_link).values(row))
    return token
