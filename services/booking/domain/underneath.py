"""What changes underneath bookings that are made: which of them no longer fit how the resource can be booked.

A booking keeps what it has whatever the rules become; people are told, and choose. Rules for making a booking (lead
time, horizon, grid, quotas) are no reason against one that is made.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Literal
from uuid import UUID

from contracts.booking import Terms
from services.booking.domain.availability import Rules
from services.booking.domain.booking import Booking
from services.booking.domain.eligibility import Asking, check_may_ask
from services.booking.domain.limits import NotForPeers, NotForYou, TooEarlyForPeers
from services.booking.domain.opening import open_spans
from services.booking.domain.spans import clipped
from services.chassis.problems import Text

Misfit = Literal[
    "withdrawn",
    "closed",
    "owner_left",
    "beyond_capacity",
    "closed_day",
    "outside_hours",
    "too_short",
    "too_long",
    "not_for",
]

WHY: dict[Misfit, Text] = {
    "withdrawn": Text(fr="l'offre est retirée", en="the offer is withdrawn", nl="het aanbod is ingetrokken"),
    "closed": Text(
        fr="l'offre ne se réserve plus",
        en="the offer can no longer be booked",
        nl="het aanbod is niet meer te reserveren",
    ),
    "owner_left": Text(
        fr="la personne qui la propose est partie",
        en="the person who offers it has left",
        nl="de aanbieder is vertrokken",
    ),
    "beyond_capacity": Text(
        fr="plus que la nouvelle capacité à ce moment-là",
        en="more than the new capacity at that time",
        nl="meer dan de nieuwe capaciteit op dat moment",
    ),
    "closed_day": Text(fr="jour de fermeture", en="closed on that day", nl="gesloten op die dag"),
    "outside_hours": Text(
        fr="hors des nouvelles heures d'ouverture",
        en="outside the new opening hours",
        nl="buiten de nieuwe openingsuren",
    ),
    "too_short": Text(fr="plus court que le minimum", en="shorter than the minimum", nl="korter dan het minimum"),
    "too_long": Text(fr="plus long que le maximum", en="longer than the maximum", nl="langer dan het maximum"),
    "not_for": Text(
        fr="l'offre n'est plus pour cette personne",
        en="the offer is no longer for this person",
        nl="het aanbod is niet meer voor deze persoon",
    ),
}
"""Each as the end of a sentence."""


def misfits(booking: Booking, rules: Rules, terms: Terms, asking: Asking, *, crowded: Collection[UUID]) -> list[Misfit]:
    """Why `booking` of our resource would no longer fit `rules` and `terms`; empty when it does.

    `asking`: the borrower. `crowded`: bookings at times when more are taken than there will be.
    """
    found: list[Misfit] = []
    if booking.quantity > rules.capacity or booking.id in crowded:
        found.append("beyond_capacity")
    found += _of_hours(booking, rules)
    if booking.period.length < rules.minimum:
        found.append("too_short")
    if booking.period.length > timedelta(minutes=rules.maximum_minutes):
        found.append("too_long")
    if not _still_for(booking, rules, terms, asking):
        found.append("not_for")
    return found


def _of_hours(booking: Booking, rules: Rules) -> list[Misfit]:
    period = booking.period
    if clipped(open_spans(rules.calendar, rules.zone, period), period) == [period]:
        return []
    day = period.start.astimezone(rules.zone).date()
    last = (period.end - timedelta(microseconds=1)).astimezone(rules.zone).date()
    while day <= last:
        if rules.calendar.is_closed_on(day):
            return ["closed_day"]
        day += timedelta(days=1)
    return ["outside_hours"]


def _still_for(booking: Booking, rules: Rules, terms: Terms, asking: Asking) -> bool:
    if asking.person is None and asking.peer_id is None:
        return True
    try:
        check_may_ask(rules, terms, asking, booking.period, now=booking.created_at)
    except (NotForYou, NotForPeers):
        return False
    except TooEarlyForPeers:
        return True
    return True
