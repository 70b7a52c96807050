"""What is asked again before what an unattended screen should not be able to do: the password, and the code."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.problems import FieldError, InvalidFields, Text
from services.chassis.sealing import Sealer
from services.identity.api.given import ClientNetwork, HashesDep, SealerDep
from services.identity.api.noting import note
from services.identity.commands import second_factor, sessions
from services.identity.domain.members import Member
from services.identity.domain.passwords import check_password, leaked
from services.identity.domain.second_factor import (
    Proof,
    is_of_app,
    is_recovery_code,
    missing_code,
    plain,
    wrong_code,
)
from services.identity.leaked import LeakedPasswords
from services.identity.limits import TooManyTries

_WRONG_PASSWORD = Text(
    fr="Ce n'est pas votre mot de passe actuel.",
    en="This is not your current password.",
    nl="Dit is niet uw huidige wachtwoord.",
)


class CodeCheck:
    """Counts a code that is given for an account, and looks at it as far as that takes a hash."""

    def __init__(self, db: DatabaseDep, clock: ClockDep, hashes: HashesDep) -> None:
        self._db = db
        self._clock = clock
        self._hashes = hashes

    async def __call__(self, member_id: UUID, code: str, *, in_session: bool) -> Proof:
        """What a transaction then takes. `in_session`: its owner is signed in already.

        Raises TooManyTries, or InvalidFields about `code`.
        """
        text, now = plain(code), self._clock.now()
        if not text:
            raise missing_code()
        try:
            tries = await self._db.run(second_factor.count, member_id, text, in_session=in_session, now=now)
        except TooManyTries:
            await self._db.run(second_factor.warn, member_id, now=now)
            raise
        recovery_id = None
        if is_recovery_code(text):
            recovery_id, kept = await self._db.run(second_factor.recovery_hash, member_id, text)
            if not await self._hashes.verify(kept, text):
                raise wrong_code()
        elif not is_of_app(text):
            raise wrong_code()
        return Proof(
            member_id=member_id, code=text, at=now, try_ids=tries, in_session=in_session, recovery_id=recovery_id
        )


CodeCheckDep = Annotated[CodeCheck, Depends()]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The password was right, and the code has been looked at where the account has a second factor."""

    attempt: sessions.Attempt
    proof: Proof | None
    sealer: Sealer

    async def owner(self, session: AsyncSession) -> Member:
        """The account's owner; tries are forgiven, the code is used. Raises WrongCredentials, InvalidFields."""
        owner = await sessions.succeed(session, self.attempt)
        if self.proof is not None:
            await second_factor.take(session, owner, self.proof, sealer=self.sealer)
        elif owner.second_factor_since is not None:
            raise missing_code()
        return owner


class PasswordCheck:
    """Asks for the current password again, and for a code from those who sign in with one."""

    def __init__(
        self,
        *,
        network: ClientNetwork,
        db: DatabaseDep,
        clock: ClockDep,
        hashes: HashesDep,
        sealer: SealerDep,
        code_check: CodeCheckDep,
    ) -> None:
        self._network = network
        self._db = db
        self._clock = clock
        self._hashes = hashes
        self._sealer = sealer
        self._code_check = code_check

    async def __call__(self, member: Member, password: str, *, field: str, code: str = "") -> Checked:
        """Raises TooManyTries, or InvalidFields about `field` or `code`."""
        account = member.email_key or ""
        attempt = await self._db.run(sessions.begin, account, address=self._network, now=self._clock.now())
        if not await self._hashes.verify(attempt.password_hash, password):
            note("asked-again", "wrong-password", member.id, self._network)
            raise InvalidFields(FieldError(field, "wrong-password", _WRONG_PASSWORD))
        needs_code = member.second_factor_since is not None
        proof = await self._code_check(member.id, code, in_session=True) if needs_code else None
        return Checked(attempt=attempt, proof=proof, sealer=self._sealer)


PasswordCheckDep = Annotated[PasswordCheck, Depends()]


class NewPassword:
    """Says whether a password may be chosen."""

    def __init__(self, request: Request) -> None:
        self._leaked: LeakedPasswords = request.app.state.leaked_passwords

    async def __call__(self, password: str, *, context: Iterable[str], field: str = "password") -> str:
        """`password` as it is hashed. `context`: e-mail, name, cooperative. Raises InvalidFields about `field`."""
        accepted = check_password(password, context=context, field=field)
        if await asyncio.to_thread(self._leaked.has, password):
            raise leaked(field)
        return accepted


NewPasswordDep = Annotated[NewPassword, Depends()]
