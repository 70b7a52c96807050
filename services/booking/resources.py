"""A resource as booking knows it: ours from the row, a peer's from its copy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import SimpleNamespace
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from contracts.booking import Approval, CheckIn, Closure, OpeningHours, Quota, ResourceState, Season, Terms
from contracts.shared import SharedResource, SharedTerms
from services.booking.domain import opening
from services.booking.domain.availability import Rules
from services.booking.domain.holiday_calendar import is_region
from services.booking.domain.opening import Hours, minutes_of, wall_of

NO_TERMS = Terms()


@dataclass(frozen=True, kw_only=True)
class Resource:
    """How an offer can be booked. `busy_version` counts what was told of its busy times.

    `check_in`: whether people say when they come and go; who has not come after `grace_minutes` loses the place.
    `category_quotas`: those of all offers of its category together. `terms`: further conditions; seasons, closures and
    holidays stand in `rules` too, as they are computed with. `recovering`: nothing new is confirmed now.
    """

    offer_id: UUID
    rules: Rules
    approval: Approval
    status: Literal["open", "closed"]
    version: int
    busy_version: int = 0
    check_in: CheckIn = "none"
    grace_minutes: int = 30
    terms: Terms = NO_TERMS
    category_quotas: tuple[Quota, ...] = ()
    recovering: bool = False

    @property
    def is_open(self) -> bool:
        return self.status == "open"

    def state(self, *, title: str, owner_member_id: UUID) -> ResourceState:
        """What is said of it."""
        rules = self.rules
        return ResourceState(
            offer_id=self.offer_id,
            title=title,
            time_zone=rules.time_zone,
            opening_hours=opening_hours_of(rules),
            step_minutes=rules.step_minutes,
            minimum_minutes=rules.minimum_minutes,
            maximum_minutes=rules.maximum_minutes,
            lead_minutes=rules.lead_minutes,
            horizon_days=rules.horizon_days,
            buffer_before_minutes=rules.buffer_before_minutes,
            buffer_after_minutes=rules.buffer_after_minutes,
            capacity=rules.capacity,
            approval=self.approval,
            owner_member_id=owner_member_id,
            status=self.status,
            version=self.version,
            check_in=self.check_in,
            grace_minutes=self.grace_minutes,
            terms=self.terms,
        )


def opening_hours_of(rules: Rules) -> list[OpeningHours]:
    """The opening hours as they are written in JSON."""
    return [
        OpeningHours(weekday=h.weekday, opens=wall_of(h.opens), closes=wall_of(h.closes)) for h in rules.opening_hours
    ]


def hours_from(opening_hours: list[OpeningHours]) -> tuple[Hours, ...]:
    """Opening hours as the rules compute with them. Raises ValueError for a time that is none."""
    return tuple(sorted(Hours(h.weekday, minutes_of(h.opens), minutes_of(h.closes)) for h in opening_hours))


def resource_of(row: sa.Row[Any] | SimpleNamespace, *, of_category: Sequence[Any] = ()) -> Resource:
    """The resource in a row of `resources`; `of_category`: the quotas of its offer's category, as JSON."""
    hours = hours_from([OpeningHours.model_validate(hours) for hours in row.opening_hours])
    rules = Rules(
        time_zone=row.time_zone,
        opening_hours=hours,
        step_minutes=row.step_minutes,
        minimum_minutes=row.minimum_minutes,
        maximum_minutes=row.maximum_minutes,
        lead_minutes=row.lead_minutes,
        horizon_days=row.horizon_days,
        buffer_before_minutes=row.buffer_before_minutes,
        buffer_after_minutes=row.buffer_after_minutes,
        capacity=row.capacity,
        **_closing(terms := Terms.model_validate(row.terms)),
    )
    return Resource(
        offer_id=row.offer_id,
        rules=rules,
        approval=row.approval,
        status=row.status,
        version=row.version,
        busy_version=row.busy_version,
        check_in=row.check_in,
        grace_minutes=row.grace_minutes,
        terms=terms,
        category_quotas=tuple(Quota.model_validate(quota) for quota in of_category),
        recovering=row.recovering,
    )


def resource_from(shared: SharedResource) -> Resource:
    """A peer's resource, from what the peer told."""
    rules = Rules(
        time_zone=shared.time_zone,
        opening_hours=hours_from(shared.opening_hours),
        step_minutes=shared.step_minutes,
        minimum_minutes=shared.minimum_minutes,
        maximum_minutes=shared.maximum_minutes,
        lead_minutes=shared.lead_minutes,
        horizon_days=shared.horizon_days,
        buffer_before_minutes=shared.buffer_before_minutes,
        buffer_after_minutes=shared.buffer_after_minutes,
        capacity=shared.capacity,
        **_closing(shared.terms),
    )
    return Resource(
        offer_id=shared.offer_id,
        rules=rules,
        approval=shared.approval,
        status=shared.status,
        version=shared.version,
        check_in=shared.check_in,
        grace_minutes=shared.grace_minutes,
        terms=Terms(**dict(shared.terms)),
    )


def rules_under(rules: Rules, terms: Terms) -> Rules:
    """`rules` with the seasons, closures and holidays of `terms`. Raises ValueError for a time or day that is none."""
    return replace(rules, **_closing(terms))


def _closing(terms: Terms | SharedTerms) -> dict[str, Any]:
    return {
        "seasons": tuple(_season(season) for season in terms.seasons),
        "closures": tuple(_closure(closure) for closure in terms.closures),
        "holidays": terms.holidays if terms.holidays and is_region(terms.holidays) else None,
    }


def _season(season: Season) -> opening.Season:
    return opening.Season(
        begins=_day_of_year(season.begins), ends=_day_of_year(season.ends), hours=hours_from(season.opening_hours)
    )


def _closure(closure: Closure) -> opening.Closure:
    return opening.Closure(first=closure.first, last=closure.last, label=closure.label)


def _day_of_year(written: str) -> tuple[int, int]:
    """(month, day) of "MM-DD"; February has 29. Raises ValueError."""
    day = date.fromisoformat(f"2000-{written}")
    return day.month, day.day
