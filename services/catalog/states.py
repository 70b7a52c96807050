"""Rows of `listings` as the events about them, and forms as rows."""

from typing import Any, Literal

import sqlalchemy as sa

from contracts.catalog import Audience, ListingPublished, ListingState, ListingWithdrawn
from contracts.identity import Place
from services.catalog.forms import ListingForm

Row = sa.RowMapping | dict[str, Any]


def columns_of(form: ListingForm) -> dict[str, Any]:
    """The columns that the author decides on. Circles and peers are kept only where the scope asks for them."""
    plain = form.model_dump(exclude={"place", "audience", "circle_id", "version"})
    place, audience = form.place, form.audience
    return plain | {
        "place_label": place.label if place else None,
        "latitude": place.latitude if place else None,
        "longitude": place.longitude if place else None,
        "owner_circle_id": form.circle_id,
        "scope": audience.scope,
        "circle_ids": sorted(set(audience.circle_ids)) if audience.scope == "circle" else [],
        "peer_ids": sorted(set(audience.peer_ids)) if audience.scope == "peers" else [],
    }


def place_of(row: Row) -> Place | None:
    """The full place of a row."""
    if row["place_label"] is None:
        return None
    return Place(label=row["place_label"], latitude=row["latitude"], longitude=row["longitude"])


def audience_of(row: Row) -> Audience:
    """Who may see the row's listing."""
    return Audience(scope=row["scope"], circle_ids=row["circle_ids"], peer_ids=row["peer_ids"])


_SAME = [
    *["id", "side", "kind", "title", "text", "category", "language", "quantity", "unit", "owner_member_id"],
    *["owner_circle_id", "owner_name", "valid_from", "valid_until", "window_start", "window_end", "urgency"],
    *["version", "changed_at", "tags"],
]


def state_of(row: Row) -> ListingState:
    """The whole public state."""
    same = {name: row[name] for name in _SAME}
    return ListingState.model_validate(same | {"place": place_of(row), "audience": audience_of(row)})


def published(row: Row) -> ListingPublished:
    """The event that says what the listing is now."""
    return ListingPublished(listing=state_of(row))


def withdrawn(row: Row, reason: Literal["withdrawn", "expired", "owner_left"]) -> ListingWithdrawn:
    """The event that takes the listing from every copy."""
    return ListingWithdrawn(id=row["id"], side=row["side"], version=row["version"], reason=reason)
