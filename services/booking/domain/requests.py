"""What is asked of a request before it may become a booking, and asked again when it is approved (rule 3)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.booking.domain.availability import Rules, alternatives, availability
from services.booking.domain.holiday_calendar import holiday_name
from services.booking.domain.spans import Occupied, Span
from services.chassis.durations import days, duration
from services.chassis.problems import FieldError, InvalidFields, Text

LONGEST_DECISION = timedelta(hours=72)

_ENDS_FIRST = Text(
    fr="La fin doit venir après le début.",
    en="The end must come after the start.",
    nl="Het einde moet na het begin komen.",
)
_PAST = Text(fr="Ce moment est déjà passé.", en="This time is already over.", nl="Dit moment is al voorbij.")
_LEAD = Text(
    fr="Réservez au moins {time} à l'avance.",
    en="Book at least {time} ahead.",
    nl="Reserveer minstens {time} vooraf.",
)
_HORIZON = Text(
    fr="On ne peut pas réserver plus de {time} à l'avance.",
    en="Bookings are possible up to {time} ahead.",
    nl="Reserveren kan hoogstens {time} vooraf.",
)
_SHORT = Text(
    fr="Trop court : {time} au moins.",
    en="Too short: at least {time}.",
    nl="Te kort: minstens {time}.",
)
_LONG = Text(
    fr="Trop long : {time} au plus.",
    en="Too long: at most {time}.",
    nl="Te lang: hoogstens {time}.",
)
_GRID = Text(
    fr="Choisissez une heure de la grille, par pas de {time} depuis l'ouverture.",
    en="Choose a time in steps of {time} from the opening.",
    nl="Kies een tijdstip in stappen van {time} vanaf de opening.",
)
_HOURS = Text(
    fr="Cette période sort des heures d'ouverture.",
    en="This period lies outside the opening hours.",
    nl="Deze periode valt buiten de openingsuren.",
)
_HOLIDAY = Text(
    fr="Fermé ce jour-là : c'est férié ({name}).",
    en="Closed: a public holiday ({name}).",
    nl="Gesloten: een feestdag ({name}).",
)
_CLOSED = Text(fr="Fermé ce jour-là ({why}).", en="Closed on that day ({why}).", nl="Die dag gesloten ({why}).")
_CLOSED_SIMPLY = Text(fr="Fermé ce jour-là.", en="Closed on that day.", nl="Die dag gesloten.")
_QUANTITY = Text(fr="Au plus {capacity}.", en="At most {capacity}.", nl="Hoogstens {capacity}.")


def check_request(rules: Rules, period: Span, *, quantity: int, now: datetime) -> None:
    """Raises InvalidFields when the rules do not allow `period`, whether it is free or not."""
    errors = _errors(rules, period, now)
    if not 1 <= quantity <= rules.capacity:
        errors.append(FieldError("quantity", "beyond_capacity", _QUANTITY, (("capacity", rules.capacity),)))
    if errors:
        raise InvalidFields(*errors)
    here = availability(rules, occupied=(), now=now, window=period)
    if not any(span.contains(period) for span in here.open):
        raise InvalidFields(_closed(rules, period) or FieldError("start", "outside_hours", _HOURS))


def allows(rules: Rules, period: Span, now: datetime) -> bool:
    """Whether `check_request` has nothing to say."""
    try:
        check_request(rules, period, quantity=1, now=now)
    except InvalidFields:
        return False
    return True


def is_free(rules: Rules, period: Span, *, quantity: int, occupied: Sequence[Occupied], now: datetime) -> bool:
    """Whether `quantity` of the resource can be had for all of `period`.

    `occupied`: what other bookings occupy around the period, with their buffers.
    """
    here = availability(rules, occupied=occupied, now=now, window=period, quantity=quantity)
    return any(span.contains(period) for span in here.free)


def nearest_free(
    rules: Rules, period: Span, *, quantity: int, occupied: Sequence[Occupied], now: datetime
) -> list[Span]:
    """What would work. `occupied` must cover `availability.search_window(period)`."""
    return alternatives(rules, occupied=occupied, now=now, wanted=period, quantity=quantity)


def as_json(span: Span) -> dict[str, str]:
    """A span as RFC 3339 texts in UTC."""
    return {"start": _rfc3339(span.start), "end": _rfc3339(span.end)}


def decide_by(rules: Rules, period: Span, now: datetime) -> datetime:
    """Until when a request made `now` may be confirmed (rule 8)."""
    return min(now + LONGEST_DECISION, period.start - timedelta(minutes=rules.lead_minutes))


def _errors(rules: Rules, period: Span, now: datetime) -> list[FieldError]:
    """What is wrong with the period in itself: order, past, lead time, horizon, length, grid. The first kind only."""
    if period.length <= timedelta(0):
        return [FieldError("end", "ends_before_start", _ENDS_FIRST)]
    if period.start < now:
        return [FieldError("start", "in_the_past", _PAST)]
    if period.start < rules.earliest(now):
        return [FieldError("start", "too_soon", _LEAD, (("time", duration(rules.lead_minutes)),))]
    if period.end > rules.latest(now):
        return [FieldError("end", "too_far_ahead", _HORIZON, (("time", days(rules.horizon_days)),))]
    return _length_errors(rules, period) or _grid_errors(rules, period, now)


def _length_errors(rules: Rules, period: Span) -> list[FieldError]:
    if period.length < rules.minimum:
        return [FieldError("end", "too_short", _SHORT, (("time", duration(rules.minimum_minutes)),))]
    if period.length > timedelta(minutes=rules.maximum_minutes):
        return [FieldError("end", "too_long", _LONG, (("time", duration(rules.maximum_minutes)),))]
    return []


def _grid_errors(rules: Rules, period: Span, now: datetime) -> list[FieldError]:
    """Only within the opening hours: outside of them, that is what has to be told."""
    if availability(rules, occupied=(), now=now, window=period).open != [period]:
        return []
    ends = (("start", period.start), ("end", period.end))
    step = (("time", duration(rules.step_minutes)),)
    return [FieldError(name, "not_on_grid", _GRID, step) for name, at in ends if not rules.is_on_grid(at)]


def _closed(rules: Rules, period: Span) -> FieldError | None:
    """That the whole local day is closed, and why, where that is so."""
    day = period.start.astimezone(rules.zone).date()
    if not rules.calendar.is_closed_on(day):
        return None
    closures = [closure for closure in rules.closures if closure.first <= day <= closure.last]
    if not closures and rules.holidays is not None:
        return FieldError("start", "closed_day", _HOLIDAY, (("name", holiday_name(rules.holidays, day)),))
    why = next((closure.label for closure in closures if closure.label), None)
    return FieldError("start", "closed_day", _CLOSED if why else _CLOSED_SIMPLY, (("why", why),))


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
