"""The clean-up of what has expired, and the profile's address after a change of settings."""

import asyncio
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import logs
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.idempotency import KEPT
from services.identity.commands import cooperative
from services.identity.commands.sessions import MEMBERS
from services.identity.domain.second_factor import PENDING_FOR
from services.identity.limits import LONGEST_WINDOW
from services.identity.tables import (
    idempotency,
    invitation,
    mailed_link,
    personal_token,
    second_factor,
    second_step,
    signed_in,
    tried,
)

log = logs.get(__name__)

EVERY_SECONDS = 600.0
_AFTER_FAILURE_SECONDS = 30.0
INVITATIONS_KEPT = timedelta(days=90)
"""How long an invitation, and with it an address, is kept once it cannot be accepted any more."""


class Housekeeping:
    """Cleans at start and then every ten minutes. Any number of replicas may do so at once."""

    def __init__(self, database: Database, *, public_url: str, clock: Clock | None = None) -> None:
        self._database = database
        self._public_url = public_url
        self._clock = clock or Clock()

    async def follow_address(self, session: AsyncSession) -> None:
        """Say the profile again when the pages have another address than before."""
        await cooperative.follow_address(session, self._public_url)

    async def run(self) -> None:
        while True:
            try:
                await self._database.run(self.follow_address)
                await self._database.run(clean, self._clock.now())
                pause = EVERY_SECONDS
            except (DBAPIError, SQLAlchemyError, OSError) as error:
                log.warning("housekeeping-failed", error=logs.line_of(error))
                pause = _AFTER_FAILURE_SECONDS
            await asyncio.sleep(pause)


async def clean(session: AsyncSession, now: datetime) -> None:
    """Delete what is over at `now`: sessions, tokens, links, tries, kept answers, old invitations, old acts."""
    over = [
        sa.delete(signed_in).where(
            sa.or_(signed_in.c.last_used_at <= now - MEMBERS.idle, signed_in.c.since <= now - MEMBERS.whole)
        ),
        sa.delete(personal_token).where(personal_token.c.expires_at <= now),
        sa.delete(mailed_link).where(mailed_link.c.expires_at <= now),
        sa.delete(second_step).where(second_step.c.expires_at <= now),
        sa.delete(second_factor).where(
            second_factor.c.confirmed_at.is_(None), second_factor.c.started_at <= now - PENDING_FOR
        ),
        sa.delete(tried).where(tried.c.at <= now - LONGEST_WINDOW),
        sa.delete(idempotency).where(idempotency.c.at <= now - KEPT),
        sa.delete(invitation).where(invitation.c.expires_at <= now - INVITATIONS_KEPT),
    ]
    for statement in over:
        await session.execute(statement)
    await session.execute(sa.select(sa.func.forget_old_acts()))
