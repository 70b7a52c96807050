"""One's own tokens for scripts."""

from uuid import UUID

from fastapi import APIRouter

from services.chassis.auth import CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.identity.api.checks import PasswordCheckDep
from services.identity.api.script_models import PersonalTokenForm, PersonalTokenMade, PersonalTokenView
from services.identity.commands import members, tokens

router = APIRouter(prefix="/me/tokens")


@router.get("")
async def list_tokens(actor: CurrentMember, db: DatabaseDep, clock: ClockDep) -> list[PersonalTokenView]:
    """The tokens that are valid, newest first."""
    async with db.reading() as session:
        rows = await tokens.theirs(session, await members.acting(session, actor), now=clock.now())
    return [PersonalTokenView(**row) for row in rows]


@router.post("", status_code=201)
async def make_token(
    form: PersonalTokenForm, actor: CurrentMember, db: DatabaseDep, clock: ClockDep, check: PasswordCheckDep
) -> PersonalTokenMade:
    """Make a token. Its secret is in this answer and nowhere else: sent twice, it makes two."""
    async with db.reading() as session:
        member = await members.acting(session, actor)
    checked = await check(member, form.password, code=form.code, field="password")
    async with db.transaction() as session:
        owner = await checked.owner(session)
        row, secret = await tokens.make(
            session, owner, name=form.name, scopes=set(form.scopes), days=form.days, now=clock.now()
        )
    return PersonalTokenMade(**row, token=secret)


@router.delete("/{token_id}", status_code=204)
async def revoke_token(token_id: UUID, actor: CurrentMember, db: DatabaseDep) -> None:
    """Delete a token. What it was exchanged for ends within five minutes."""
    async with db.transaction() as session:
        await tokens.revoke(session, await members.acting(session, actor), token_id)
