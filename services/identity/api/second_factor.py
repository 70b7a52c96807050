"""One's own second factor: setting it up, new recovery codes, taking it away; and a coordinator's reset."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.chassis.auth import Coordinator, CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.identity.api.checks import CodeCheckDep, PasswordCheckDep
from services.identity.api.given import HashesDep, SealerDep, SettingsDep
from services.identity.api.models import Code, Device, Form, MemberView, Password, SignedIn
from services.identity.commands import members, second_factor, sessions
from services.identity.commands.cooperative import cooperative_name
from services.identity.domain.second_factor import (
    SecondFactorIsOff,
    SecondFactorIsOn,
    beginning,
    new_recovery_codes,
    plain,
)
from services.identity.hashing import PasswordHashes

router = APIRouter()


class SecondFactorView(BaseModel):
    """`since`: None when it is off. `due`: until when the role asks for it. `recovery_codes_left`: not used yet."""

    since: datetime | None
    due: datetime | None
    recovery_codes_left: int


class PasswordAgain(Form):
    """The password again."""

    password: Password


class PasswordAndCode(PasswordAgain):
    """Password and code again."""

    code: Code = ""
    device: Device = ""


class FirstCode(Form):
    """The first code of the app."""

    code: Code
    device: Device = ""


class NewKey(BaseModel):
    """What the app needs: `key` to type, `uri` to scan. Told once."""

    key: str
    uri: str


class RecoveryCodes(BaseModel):
    """Codes for whoever loses the app. Told once."""

    recovery_codes: list[str]


class SecondFactorOn(SignedIn, RecoveryCodes):
    """Signed in anew, with the recovery codes."""


@router.get("/me/second-factor")
async def read_second_factor(actor: CurrentMember, db: DatabaseDep, settings: SettingsDep) -> SecondFactorView:
    """Whether it is on."""
    async with db.reading() as session:
        owner = await members.acting(session, actor)
        left = await second_factor.recovery_codes_left(session, owner)
    due = owner.second_factor_due(settings.second_factor_grace)
    return SecondFactorView(since=owner.second_factor_since, due=due, recovery_codes_left=left)


@router.post("/me/second-factor/start")
async def start(
    *,
    form: PasswordAgain,
    actor: CurrentMember,
    db: DatabaseDep,
    clock: ClockDep,
    check: PasswordCheckDep,
    sealer: SealerDep,
) -> NewKey:
    """A new key for an app; it counts once its first code comes, within half an hour."""
    async with db.reading() as session:
        member = await members.acting(session, actor)
    if member.second_factor_since is not None:
        raise SecondFactorIsOn
    checked = await check(member, form.password, field="password")
    async with db.transaction() as session:
        owner = await checked.owner(session)
        key = await second_factor.start(session, owner, sealer=sealer, now=clock.now())
        issuer = await cooperative_name(session)
    return NewKey(key=key.text, uri=key.uri(account=owner.email or "", issuer=issuer or "Maillage"))


@router.post("/me/second-factor/confirm")
async def confirm(
    *,
    form: FirstCode,
    actor: CurrentMember,
    db: DatabaseDep,
    clock: ClockDep,
    hashes: HashesDep,
    check: CodeCheckDep,
    sealer: SealerDep,
) -> SecondFactorOn:
    """The first code: the second factor is on. Ends every session and answers with a new one and the recovery codes."""
    proof = await check(actor.id, form.code, in_session=True)
    codes = new_recovery_codes()
    kept = await _hashed(codes, hashes)
    async with db.transaction() as session:
        owner = await second_factor.confirm(session, actor.id, proof, hashes=kept, sealer=sealer)
        secret = await sessions.open_session(session, owner.id, device=form.device, now=clock.now())
    return SecondFactorOn(session=secret, member=MemberView.of(owner, with_email=True), recovery_codes=codes)


@router.post("/me/second-factor/recovery-codes")
async def renew_recovery_codes(
    *, form: PasswordAndCode, actor: CurrentMember, db: DatabaseDep, hashes: HashesDep, check: PasswordCheckDep
) -> RecoveryCodes:
    """Ten new ones; those before open nothing any more."""
    async with db.reading() as session:
        member = await members.acting(session, actor)
    if member.second_factor_since is None:
        raise SecondFactorIsOff
    checked = await check(member, form.password, code=form.code, field="password")
    codes = new_recovery_codes()
    kept = await _hashed(codes, hashes)
    async with db.transaction() as session:
        await second_factor.renew_recovery_codes(session, await checked.owner(session), kept)
    return RecoveryCodes(recovery_codes=codes)


@router.post("/me/second-factor/remove")
async def remove(
    form: PasswordAndCode, actor: CurrentMember, db: DatabaseDep, clock: ClockDep, check: PasswordCheckDep
) -> SignedIn:
    """Take it off. Ends every session and answers with a new one."""
    async with db.reading() as session:
        member = await members.acting(session, actor)
    if member.second_factor_since is None:
        raise SecondFactorIsOff
    checked = await check(member, form.password, code=form.code, field="password")
    async with db.transaction() as session:
        owner = await checked.owner(session)
        await second_factor.remove(session, owner)
        secret = await sessions.open_session(session, owner.id, device=form.device, now=clock.now())
    return SignedIn(session=secret, member=MemberView.of(owner, with_email=True))


@router.post("/members/{member_id}/second-factor/reset")
async def reset(member_id: UUID, actor: Coordinator, db: DatabaseDep) -> MemberView:
    """Take it off for somebody who has lost app and codes; from an administrator only an administrator may."""
    changed = await db.run(second_factor.reset, member_id, by=actor)
    return MemberView.of(changed, with_email=True)


async def _hashed(codes: list[str], hashes: PasswordHashes) -> dict[str, str]:
    """What is kept of recovery codes: the hash of each, by how it begins."""
    return {beginning(code): await hashes.of(code) for code in map(plain, codes)}
