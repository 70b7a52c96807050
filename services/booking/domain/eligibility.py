"""Whom a resource is for: which of our members, and how far ahead peers may ask (own members first)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.booking import Terms
from services.booking.domain.availability import Rules
from services.booking.domain.deciding import Person
from services.booking.domain.limits import NotForPeers, NotForYou, TooEarlyForPeers
from services.booking.domain.opening import local_midnight
from services.booking.domain.spans import Span


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks: a member of ours, or somebody of the peer `peer_id`. `owner_id`: the member who owns the offer."""

    person: Person | None = None
    peer_id: str | None = None
    owner_id: UUID | None = None


def check_may_ask(rules: Rules, terms: Terms, asking: Asking, period: Span, *, now: datetime) -> None:
    """Raises NotForYou, NotForPeers, TooEarlyForPeers (with the first local day on which a peer may ask for it)."""
    if asking.peer_id is None:
        if not _is_for(terms, asking):
            raise NotForYou
        return
    if not terms.peers:
        raise NotForPeers
    if terms.peers_within_days is not None:
        zone = rules.zone
        last_day = now.astimezone(zone).date() + timedelta(days=terms.peers_within_days)
        if period.end > local_midnight(last_day + timedelta(days=1), zone):
            opens = period.start.astimezone(zone).date() - timedelta(days=terms.peers_within_days)
            raise TooEarlyForPeers(days=terms.peers_within_days, opens=opens.isoformat())


def may_ask(rules: Rules, terms: Terms, asking: Asking, period: Span, *, now: datetime) -> bool:
    """Whether `check_may_ask` has nothing to say."""
    try:
        check_may_ask(rules, terms, asking, period, now=now)
    except (NotForYou, NotForPeers, TooEarlyForPeers):
        return False
    return True


def _is_for(terms: Terms, asking: Asking) -> bool:
    person = asking.person
    if person is None:
        return False
    if (not terms.circle_ids and not terms.roles) or person.is_coordinator or person.id == asking.owner_id:
        return True
    return bool(frozenset(terms.circle_ids) & person.circle_ids) or person.role in terms.roles
