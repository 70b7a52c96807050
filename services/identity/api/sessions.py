"""Signing in and out, and short tokens for the services."""

from fastapi import APIRouter

from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.identity.api.given import ClientNetwork, HashesDep, SessionSecret, SignerDep
from services.identity.api.models import Credentials, MemberView, SignedIn, TokenView
from services.identity.commands import sessions

router = APIRouter()


@router.post("/sessions", status_code=201)
async def sign_in(
    form: Credentials, network: ClientNetwork, db: DatabaseDep, clock: ClockDep, hashes: HashesDep
) -> SignedIn:
    """Open a session. An unknown address and a wrong password get the same answer after the same time."""
    now = clock.now()
    account = form.email.strip().casefold()
    attempt = await db.run(sessions.begin, account, address=network, now=now)
    # No transaction is open while a core is busy with the hash.
    if not await hashes.verify(attempt.password_hash, form.password):
        raise sessions.WrongCredentials
    outdated = attempt.password_hash is not None and hashes.is_outdated(attempt.password_hash)
    new_hash = await hashes.of(form.password) if outdated else None
    async with db.transaction() as session:
        member = await sessions.succeed(session, attempt, new_hash=new_hash)
        secret = await sessions.open_session(session, member.id, now=now)
    return SignedIn(session=secret, member=MemberView.of(member, with_email=True))


@router.post("/tokens")
async def issue_token(secret: SessionSecret, db: DatabaseDep, clock: ClockDep, signer: SignerDep) -> TokenView:
    """A token of five minutes for the session in `Authorization: Session …`."""
    now = clock.now()
    async with db.transaction() as session:
        member = await sessions.resume(session, secret, now=now)
    token, expires_at = signer.token_for(member, now)
    return TokenView(token=token, expires_at=expires_at, member=MemberView.of(member, with_email=True))


@router.delete("/sessions/current", status_code=204)
async def sign_out(secret: SessionSecret, db: DatabaseDep) -> None:
    """End the session in `Authorization: Session …`."""
    async with db.transaction() as session:
        await sessions.end(session, secret)
