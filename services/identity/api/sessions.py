"""Signing in and out, one's own sessions, and short tokens for the services."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.problems import Problem
from services.identity.api.checks import CodeCheckDep
from services.identity.api.given import (
    ClientNetwork,
    HashesDep,
    OwnSecret,
    SealerDep,
    SessionSecret,
    SettingsDep,
    SignerDep,
)
from services.identity.api.models import CodeWanted, Credentials, MemberView, SecondStep, SignedIn, TokenView
from services.identity.api.noting import note, outcome_of
from services.identity.api.script_models import SessionView
from services.identity.commands import second_factor, sessions, tokens
from services.identity.domain.second_factor import is_recovery_code, plain
from services.identity.limits import TooManyTries
from services.identity.opaque import digest

router = APIRouter()


@router.post("/sessions", status_code=201, responses={202: {"model": CodeWanted}})
async def sign_in(
    *,
    form: Credentials,
    network: ClientNetwork,
    db: DatabaseDep,
    clock: ClockDep,
    hashes: HashesDep,
    response: Response,
) -> SignedIn | CodeWanted:
    """Open a session. An unknown address and a wrong password get the same answer after the same time.

    202: this account has a second factor, and the code has to follow.
    """
    now = clock.now()
    account = form.email.strip().casefold()
    try:
        attempt = await db.run(sessions.begin, account, address=network, now=now)
    except TooManyTries as refused:
        note("sign-in", outcome_of(refused), None, network)
        raise
    # No transaction is open while a core is busy with the hash.
    if not await hashes.verify(attempt.password_hash, form.password):
        note("sign-in", "wrong-password", attempt.member_id, network)
        raise sessions.WrongCredentials
    outdated = attempt.password_hash is not None and hashes.is_outdated(attempt.password_hash)
    new_hash = await hashes.of(form.password) if outdated else None
    async with db.transaction() as session:
        member = await sessions.succeed(session, attempt, new_hash=new_hash)
        if member.second_factor_since is not None:
            step, expires_at = await second_factor.open_step(session, member.id, device=form.device, now=now)
            response.status_code = 202
            note("sign-in", "code-wanted", member.id, network)
            return CodeWanted(step=step, expires_at=expires_at)
        secret = await sessions.open_session(session, member.id, device=form.device, now=now, network=network)
    note("sign-in", "done", member.id, network)
    return SignedIn(session=secret, member=MemberView.of(member, with_email=True))


@router.post("/sessions/second-step", status_code=201)
async def take_second_step(
    *,
    form: SecondStep,
    network: ClientNetwork,
    db: DatabaseDep,
    clock: ClockDep,
    check: CodeCheckDep,
    sealer: SealerDep,
) -> SignedIn:
    """Open the session for which the password was given within the last five minutes, with a code."""
    now = clock.now()
    async with db.reading() as session:
        member_id = await second_factor.owner_of_step(session, form.step, now=now)
    factors = "password, recovery code" if is_recovery_code(plain(form.code)) else "password, code"
    try:
        proof = await check(member_id, form.code, in_session=False)
        async with db.transaction() as session:
            member, device = await second_factor.end_step(session, form.step, proof, sealer=sealer)
            secret = await sessions.open_session(session, member.id, device=device, now=now, network=network)
    except Problem as refused:
        note("sign-in", outcome_of(refused), member_id, network, factors=factors)
        raise
    note("sign-in", "done", member.id, network, factors=factors)
    return SignedIn(session=secret, member=MemberView.of(member, with_email=True))


@router.post("/tokens")
async def issue_token(
    own: OwnSecret, db: DatabaseDep, clock: ClockDep, signer: SignerDep, settings: SettingsDep
) -> TokenView:
    """A token of five minutes for the session in `Authorization: Session …`, or the script's in `Token …`."""
    now = clock.now()
    scopes = None
    async with db.transaction() as session:
        if own.of_script:
            member, scopes = await tokens.resume(session, own.secret, now=now)
        else:
            member = await sessions.resume(session, own.secret, now=now)
    due = member.second_factor_due(settings.second_factor_grace)
    member.acts_simply = due is not None and due <= now
    token, expires_at = signer.token_for(member, now, scopes=scopes)
    view = MemberView.of(member, with_email=scopes is None).model_copy(update={"role": member.acting_role})
    return TokenView(token=token, expires_at=expires_at, member=view, second_factor_due=due)


@router.get("/sessions")
async def list_sessions(secret: SessionSecret, db: DatabaseDep, clock: ClockDep) -> list[SessionView]:
    """Where the owner of the session in `Authorization: Session …` is signed in, the last used first."""
    now = clock.now()
    async with db.transaction() as session:
        owner = await sessions.resume(session, secret, now=now)
        rows = await sessions.theirs(session, owner, now=now)
    return [SessionView(**row, current=row["secret_hash"] == digest(secret)) for row in rows]


@router.post("/sessions/end-others", status_code=204)
async def end_other_sessions(secret: SessionSecret, db: DatabaseDep, clock: ClockDep) -> None:
    """Sign out everywhere else."""
    async with db.transaction() as session:
        owner = await sessions.resume(session, secret, now=clock.now())
        await sessions.end_others(session, owner, but=secret)


@router.delete("/sessions/current", status_code=204)
async def sign_out(secret: SessionSecret, db: DatabaseDep) -> None:
    """End the session in `Authorization: Session …`."""
    async with db.transaction() as session:
        await sessions.end(session, secret)


@router.delete("/sessions/{session_id}", status_code=204)
async def end_session(session_id: UUID, secret: SessionSecret, db: DatabaseDep, clock: ClockDep) -> None:
    """End one of one's own sessions."""
    async with db.transaction() as session:
        owner = await sessions.resume(session, secret, now=clock.now())
        await sessions.end_one(session, owner, session_id)
