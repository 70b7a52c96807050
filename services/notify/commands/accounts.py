"""Mails about accounts: always sent, to the address that the event names, in its language."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import AccessChanged, AccountMail, EmailChanged, MemberContactChanged, MemberInvited
from services.notify.commands import disclosing, forgetting, people
from services.notify.commands.telling import AccountLetter, send_letter


async def send_link(session: AsyncSession, template: str, event: AccountMail, *, now: datetime) -> None:
    """Mail a link with its secret. Not sent any more once the link has expired."""
    facts = {"expires_at": event.expires_at.isoformat(), "link": event.link}
    if isinstance(event, MemberInvited):
        facts |= {"inviter": event.inviter_name, "joins": event.cooperative_name}
    letter = AccountLetter(
        template=template,
        email=event.email,
        name=event.name,
        locale=event.locale,
        url="",
        facts=facts,
        secret=True,
        useless_after=event.expires_at,
    )
    await send_letter(session, letter, now=now)


async def warn_old_address(session: AsyncSession, event: EmailChanged, *, now: datetime) -> None:
    """Tell the former address that it was replaced, so that a stolen account is noticed."""
    letter = AccountLetter(
        template="email-changed",
        email=event.old_email,
        name=event.name,
        locale=event.locale,
        url="",
        facts={},
        secret=False,
    )
    await send_letter(session, letter, now=now)


async def tell_of_access(session: AsyncSession, event: AccessChanged, *, now: datetime) -> None:
    """Tell the owner that how they sign in has changed, or that somebody with their password tries to."""
    letter = AccountLetter(
        template="access-changed",
        email=event.email,
        name=event.name,
        locale=event.locale,
        url="/me/access",
        facts={"what": event.what},
        secret=False,
    )
    await send_letter(session, letter, now=now)


async def keep_contact(session: AsyncSession, event: MemberContactChanged, *, now: datetime) -> None:
    """Keep the address, and say what waited for it."""
    await people.lock(session, {event.member_id})
    if event.email is None:
        await forgetting.forget_address(session, event.member_id)
    await people.keep_contact(session, event)
    await disclosing.disclose_known(session, event.member_id, now=now)
