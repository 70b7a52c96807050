"""What the log says of passwords and codes that were given: whose, from where, with what outcome. Never an address.

Source: OWASP ASVS 5.0, V16.3.1. An IPv4 address or IPv6 /64 is kept with it, for whoever looks into an attack.
"""

from uuid import UUID

from services.chassis import logs
from services.chassis.problems import InvalidFields, Problem

log = logs.get(__name__)


def note(what: str, outcome: str, member_id: UUID | None, network: str, *, factors: str = "password") -> None:
    """`what`: "sign-in", or "asked-again" inside a session. `member_id`: None when there is no such account."""
    member = str(member_id) if member_id else None
    log.info(what, outcome=outcome, member=member, network=network, factors=factors)


def outcome_of(refused: Problem) -> str:
    """What a refusal of a code is called in the log."""
    return "wrong-code" if isinstance(refused, InvalidFields) else refused.slug
