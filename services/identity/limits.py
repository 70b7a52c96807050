"""How often something may be tried, kept in a table so that it holds for all replicas and over restarts.

Source: OWASP ASVS 5.0, V6.3.1 (guessing of credentials) and V2.4 (what may be called how often).
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.durations import duration
from services.chassis.ids import new_id
from services.chassis.problems import Problem, Text
from services.identity.tables import tried

_IPV6_NETWORK = 64


class TooManyTries(Problem):
    """The limit is reached; `retry_after_seconds` says when the next try counts again."""

    status = 429
    slug = "identity/too-many-tries"
    text = Text(
        fr="Trop d'essais. Réessayez dans {time}, ou demandez un nouveau mot de passe.",
        en="Too many tries. Try again in {time}, or ask for a new password.",
        nl="Te veel pogingen. Probeer het over {time} opnieuw, of vraag een nieuw wachtwoord aan.",
    )

    def words(self) -> dict[str, Any]:
        return self.values | {"time": duration(self.values["minutes"])}


class TooOften(TooManyTries):
    """The same for what is no guess of a password."""

    slug = "identity/too-often"
    text = Text(
        fr="C'est beaucoup de demandes en peu de temps. Réessayez dans {minutes} minute(s).",
        en="These are many requests in a short time. Try again in {minutes} minute(s).",
        nl="Dit zijn veel aanvragen in korte tijd. Probeer het over {minutes} minuten opnieuw.",
    )


class TooManyCodes(TooManyTries):
    """The same for codes of the second step."""

    slug = "identity/too-many-codes"
    text = Text(
        fr="Trop de codes erronés. Réessayez dans {time}.",
        en="Too many wrong codes. Try again in {time}.",
        nl="Te veel verkeerde codes. Probeer het over {time} opnieuw.",
    )


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `most` tries of `what` per key `within` a sliding window; beyond that `problem` is raised."""

    what: str
    most: int
    within: timedelta
    problem: type[TooManyTries] = TooOften


PASSWORD_PER_ACCOUNT = Limit(what="password-account", most=10, within=timedelta(minutes=15), problem=TooManyTries)
PASSWORD_PER_ADDRESS = Limit(what="password-address", most=50, within=timedelta(minutes=15), problem=TooManyTries)
RESET_PER_ACCOUNT = Limit(what="reset-account", most=3, within=timedelta(hours=1))
RESET_PER_ADDRESS = Limit(what="reset-address", most=30, within=timedelta(hours=1))
NEW_EMAIL_PER_ACCOUNT = Limit(what="new-email-account", most=5, within=timedelta(hours=1))
INVITATIONS_PER_MEMBER = Limit(what="invitations-member", most=100, within=timedelta(hours=1))
CODE_PER_ACCOUNT = Limit(what="code-account", most=5, within=timedelta(minutes=15), problem=TooManyCodes)
CODE_PER_DAY = Limit(what="code-day", most=30, within=timedelta(days=1), problem=TooManyCodes)
"""Three codes in a million are right at any time: whoever has the password and tries all day needs 11,000 days."""
RECOVERY_PER_ACCOUNT = Limit(what="recovery-account", most=50, within=timedelta(minutes=15), problem=TooManyCodes)
"""Of 79 bits nobody guesses one: this spares us hashes, and no wrong code of an app keeps the owner from these."""
CODES_FORGIVEN = Limit(what="code-forgiven", most=1, within=timedelta(days=1))
"""By a new password; more often, whoever reads the owner's mail would guess on and on."""
CODE_WARNINGS = Limit(what="code-warning", most=1, within=timedelta(days=1))
LONGEST_WINDOW = timedelta(days=1)


async def count_try(session: AsyncSession, limit: Limit, key: str, *, now: datetime) -> UUID:
    """Count one try for `key` (an account's address, a network address). Raises TooManyTries; that one is not counted.

    Tries for one key wait for each other, so that a thousand at once do not all see an empty table.
    """
    key_hash = hashed(key)
    lock = int.from_bytes(hashlib.sha256(limit.what.encode() + key_hash).digest()[:8], signed=True)
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    mine = sa.and_(tried.c.what == limit.what, tried.c.key_hash == key_hash, tried.c.at > now - limit.within)
    count, oldest = (await session.execute(sa.select(sa.func.count(), sa.func.min(tried.c.at)).where(mine))).one()
    if count >= limit.most:
        wait = max(1, int((oldest + limit.within - now).total_seconds()) + 1)
        raise limit.problem(retry_after_seconds=wait, minutes=-(-wait // 60))
    try_id = new_id()
    await session.execute(sa.insert(tried).values(id=try_id, what=limit.what, key_hash=key_hash, at=now))
    return try_id


async def forgive(session: AsyncSession, *, try_id: UUID, limit: Limit, key: str) -> None:
    """The right password came: take back the try `try_id`, and all those of `limit` for `key`."""
    account = sa.and_(tried.c.what == limit.what, tried.c.key_hash == hashed(key))
    await session.execute(sa.delete(tried).where(sa.or_(tried.c.id == try_id, account)))


async def forgive_account(session: AsyncSession, account: str) -> None:
    """Whoever has a new password may try it at once."""
    wrong = sa.and_(tried.c.what == PASSWORD_PER_ACCOUNT.what, tried.c.key_hash == hashed(account))
    await session.execute(sa.delete(tried).where(wrong))


async def forgive_codes(session: AsyncSession, member_id: UUID, *, now: datetime) -> None:
    """Whoever has a new password may give a code at once, whatever others with the old one gave; once a day."""
    key = str(member_id)
    try:
        await count_try(session, CODES_FORGIVEN, key, now=now)
    except TooManyTries:
        return
    kinds = [limit.what for limit in (CODE_PER_ACCOUNT, CODE_PER_DAY, RECOVERY_PER_ACCOUNT)]
    await session.execute(sa.delete(tried).where(tried.c.what.in_(kinds), tried.c.key_hash == hashed(key)))


def network_of(address: str) -> str:
    """The key of a client: an IPv4 address, or the /64 that one IPv6 subscriber has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_NETWORK), strict=False))


def hashed(key: str) -> bytes:
    """What is kept of an account or a network."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()
