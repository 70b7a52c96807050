"""A need is shown to more people only by its author's yes, one step at a time, and never to fewer."""

from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import pytest

from contracts.catalog import ListingPublished
from contracts.matching import NeedWidened
from services.catalog.commands.widening import widen
from services.chassis.ids import new_id
from tests.services.catalog.conftest import Catalog, Make, Person


def yes(need_id: str, by: UUID, scope: Literal["cooperative", "peers"] | None) -> NeedWidened:
    return NeedWidened(need_id=UUID(need_id), by=by, radius_km=300, scope=scope, at=datetime.now(UTC))


async def need(catalog: Catalog, author: Person, form: Make, **changes: Any) -> str:
    answer = await (await catalog.client(author)).post("/listings", json=form(side="need", **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def scope(catalog: Catalog, author: Person, need_id: str) -> tuple[str, int]:
    read = (await (await catalog.client(author)).get(f"/listings/{need_id}")).json()
    return read["audience"]["scope"], read["version"]


async def test_with_the_authors_yes_it_is_published_for_more_people(catalog: Catalog, form: Make) -> None:
    ana = await catalog.member()
    need_id = await need(catalog, ana, form, audience={"scope": "cooperative"})
    for _ in range(2):
        await catalog.db.run(widen, yes(need_id, ana.id, "peers"))
    assert await scope(catalog, ana, need_id) == ("peers", 2)
    last = (await catalog.said())[-1]
    assert isinstance(last, ListingPublished)
    assert (last.listing.audience.scope, last.listing.version) == ("peers", 2)


async def test_that_of_a_circle_loses_its_circles(catalog: Catalog, form: Make) -> None:
    ana, bea = await catalog.member(), await catalog.member("Bea")
    circle = await catalog.circle(ana, bea)
    audience = {"scope": "circle", "circle_ids": [str(circle)]}
    need_id = await need(catalog, ana, form, audience=audience, circle_id=str(circle))
    await catalog.db.run(widen, yes(need_id, bea.id, "cooperative"))
    read = (await (await catalog.client(ana)).get(f"/listings/{need_id}")).json()
    assert read["audience"] == {"scope": "cooperative", "circle_ids": [], "peer_ids": []}


@pytest.mark.parametrize("audience", ["peers", "public"])
async def test_it_is_never_shown_to_fewer(catalog: Catalog, form: Make, audience: str) -> None:
    ana = await catalog.member()
    need_id = await need(catalog, ana, form, audience={"scope": audience})
    for wider in ("cooperative", "peers", None):
        await catalog.db.run(widen, yes(need_id, ana.id, wider))
    assert await scope(catalog, ana, need_id) == (audience, 1)


async def test_nobody_else_can_say_yes_and_what_is_withdrawn_stays_so(catalog: Catalog, form: Make) -> None:
    ana = await catalog.member()
    need_id = await need(catalog, ana, form, audience={"scope": "cooperative"})
    await catalog.db.run(widen, yes(need_id, new_id(), "peers"))
    assert await scope(catalog, ana, need_id) == ("cooperative", 1)
    await (await catalog.client(ana)).post(f"/listings/{need_id}/withdraw")
    await catalog.db.run(widen, yes(need_id, ana.id, "peers"))
    assert await scope(catalog, ana, need_id) == ("cooperative", 2)
