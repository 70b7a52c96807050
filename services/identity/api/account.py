"""One's own account: name, language, password, address."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from fastapi import APIRouter, Response

from services.chassis.auth import CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.identity.api.checks import NewPasswordDep, PasswordCheckDep
from services.identity.api.given import ClientNetwork, HashesDep, SettingsDep
from services.identity.api.models import (
    EmailForm,
    IntroductionForm,
    MemberView,
    NewPasswordForm,
    PasswordForm,
    ResetForm,
    SignedIn,
    TokenForm,
)
from services.identity.commands import credentials, members, sessions
from services.identity.commands.cooperative import cooperative_name
from services.identity.domain.addresses import email_address

router = APIRouter()

_ANSWER_SECONDS = 0.25
"""Requests for a mailed link are answered after so long, whether there is such an account or not."""


@contextlib.asynccontextmanager
async def answering_after(seconds: float) -> AsyncGenerator[None]:
    """Take as long for a block that ends well as for any other, as long as it needs less than `seconds`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    yield
    await asyncio.sleep(max(0.0, end - loop.time()))


@router.get("/me")
async def read_me(actor: CurrentMember, db: DatabaseDep) -> MemberView:
    """Who one is."""
    async with db.reading() as session:
        return MemberView.of(await members.acting(session, actor), with_email=True)


@router.patch("/me")
async def change_me(form: IntroductionForm, actor: CurrentMember, db: DatabaseDep) -> MemberView:
    """Change one's own name or language; what is absent stays."""
    async with db.transaction() as session:
        changed = await members.introduce(session, actor, name=form.name, locale=form.locale)
    return MemberView.of(changed, with_email=True)


@router.post("/me/password")
async def change_password(
    *,
    form: PasswordForm,
    actor: CurrentMember,
    db: DatabaseDep,
    clock: ClockDep,
    hashes: HashesDep,
    check: PasswordCheckDep,
    accepted: NewPasswordDep,
) -> SignedIn:
    """Choose another password. Ends every session and answers with a new one for whoever asked."""
    async with db.reading() as session:
        member = await members.acting(session, actor)
        context = [member.email or "", member.name, await cooperative_name(session)]
    password = await accepted(form.new, context=context, field="new")
    checked = await check(member, form.current, code=form.code, field="current")
    kept = await hashes.of(password)
    async with db.transaction() as session:
        changed = await checked.owner(session)
        await credentials.set_password(session, changed, kept)
        secret = await sessions.open_session(session, changed.id, device=form.device, now=clock.now())
    return SignedIn(session=secret, member=MemberView.of(changed, with_email=True))


@router.post("/me/email", status_code=202, response_class=Response)
async def change_email(
    *,
    form: EmailForm,
    actor: CurrentMember,
    db: DatabaseDep,
    clock: ClockDep,
    settings: SettingsDep,
    check: PasswordCheckDep,
) -> None:
    """Ask for another address: a link is mailed there, valid for 24 hours. Until it is opened nothing changes."""
    address = email_address(form.email)
    async with db.reading() as session:
        member = await members.acting(session, actor)
    checked = await check(member, form.password, code=form.code, field="password")
    async with answering_after(_ANSWER_SECONDS), db.transaction() as session:
        owner = await checked.owner(session)
        await credentials.request_new_email(session, owner, address, public_url=settings.public_url, now=clock.now())


@router.post("/email-confirmations", status_code=204)
async def confirm_email(form: TokenForm, db: DatabaseDep, clock: ClockDep) -> None:
    """Take the new address; the token is the one in the mailed link."""
    async with db.transaction() as session:
        await credentials.confirm_new_email(session, form.token, now=clock.now())


@router.post("/password-resets", status_code=202, response_class=Response)
async def request_password_reset(
    form: ResetForm, network: ClientNetwork, db: DatabaseDep, clock: ClockDep, settings: SettingsDep
) -> None:
    """Mail a link for a new password, valid for one hour. The answer never tells whether there is such an account."""
    address = email_address(form.email)
    async with answering_after(_ANSWER_SECONDS), db.transaction() as session:
        await credentials.request_reset(
            session, address, network=network, public_url=settings.public_url, now=clock.now()
        )


@router.post("/password-resets/complete", status_code=204)
async def complete_password_reset(
    form: NewPasswordForm, db: DatabaseDep, clock: ClockDep, hashes: HashesDep, accepted: NewPasswordDep
) -> None:
    """Choose a new password with the token of the mailed link. Ends every session."""
    now = clock.now()
    async with db.reading() as session:
        owner, _ = await credentials.owner_of_link(session, form.token, "password", now=now)
        context = [owner.email or "", owner.name, await cooperative_name(session)]
    kept = await hashes.of(await accepted(form.password, context=context))
    async with db.transaction() as session:
        await credentials.complete_reset(session, form.token, kept, now=now)
