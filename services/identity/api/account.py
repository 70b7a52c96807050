"""One's own account: name, language, password, address."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from services.chassis.auth import CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.problems import FieldError, InvalidFields, Text
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
from services.identity.domain.members import Member
from services.identity.domain.passwords import check_password

router = APIRouter()

_ANSWER_SECONDS = 0.25
"""Requests for a mailed link are answered after so long, whether there is such an account or not."""

_WRONG_PASSWORD = Text(
    fr="Ce n'est pas votre mot de passe actuel.",
    en="This is not your current password.",
    nl="Dit is niet uw huidige wachtwoord.",
)


@contextlib.asynccontextmanager
async def answering_after(seconds: float) -> AsyncGenerator[None]:
    """Take as long for a block that ends well as for any other, as long as it needs less than `seconds`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    yield
    await asyncio.sleep(max(0.0, end - loop.time()))


class PasswordCheck:
    """Asks for the current password again before something that an unattended screen should not be able to do."""

    def __init__(self, network: ClientNetwork, db: DatabaseDep, clock: ClockDep, hashes: HashesDep) -> None:
        self._network = network
        self._db = db
        self._clock = clock
        self._hashes = hashes

    async def __call__(self, member: Member, password: str, *, field: str) -> sessions.Attempt:
        """Raises TooManyTries, or InvalidFields about `field`."""
        account = member.email_key or ""
        attempt = await self._db.run(sessions.begin, account, address=self._network, now=self._clock.now())
        if not await self._hashes.verify(attempt.password_hash, password):
            raise InvalidFields(FieldError(field, "wrong-password", _WRONG_PASSWORD))
        return attempt


PasswordCheckDep = Annotated[PasswordCheck, Depends()]


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
) -> SignedIn:
    """Choose another password. Ends every session and answers with a new one for whoever asked."""
    async with db.reading() as session:
        member = await members.acting(session, actor)
        context = [member.email or "", member.name, await cooperative_name(session)]
    password = check_password(form.new, context=context, field="new")
    attempt = await check(member, form.current, field="current")
    kept = await hashes.of(password)
    async with db.transaction() as session:
        changed = await sessions.succeed(session, attempt)
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
    attempt = await check(member, form.password, field="password")
    async with answering_after(_ANSWER_SECONDS), db.transaction() as session:
        owner = await sessions.succeed(session, attempt)
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
async def complete_password_reset(form: NewPasswordForm, db: DatabaseDep, clock: ClockDep, hashes: HashesDep) -> None:
    """Choose a new password with the token of the mailed link. Ends every session."""
    now = clock.now()
    async with db.reading() as session:
        owner, _ = await credentials.owner_of_link(session, form.token, "password", now=now)
        context = [owner.email or "", owner.name, await cooperative_name(session)]
    kept = await hashes.of(check_password(form.password, context=context))
    async with db.transaction() as session:
        await credentials.complete_reset(session, form.token, kept, now=now)
