"""Who sees, finds and edits what."""

import pytest

from contracts.catalog import ListingPublished, ListingWithdrawn
from services.catalog.loops import Expiry
from services.chassis.clock import Clock
from tests.services.catalog.conftest import Catalog, Make, Person

pytestmark = pytest.mark.timeout(120)


async def titles(catalog: Catalog, person: Person | None) -> set[str]:
    client = await catalog.client(person)
    return {item["title"] for item in (await client.get("/listings")).json()["items"]}


async def test_lists_and_pages_agree_on_every_audience(catalog: Catalog, form: Make) -> None:
    ana, ben, coco = (
        await catalog.member("Ana"),
        await catalog.member("Ben"),
        await catalog.member("Coco", role="coordinator"),
    )
    circle = str(await catalog.circle(ana))
    client = await catalog.client(ana)
    ids: dict[str, str] = {}
    for scope in ("circle", "cooperative", "peers", "public"):
        audience = {"scope": scope, "circle_ids": [circle] if scope == "circle" else []}
        ids[scope] = (await client.post("/listings", json=form(title=scope, audience=audience))).json()["id"]
    expected = {
        None: {"public"},
        ben.id: {"cooperative", "peers", "public"},
        ana.id: set(ids),
        coco.id: set(ids),
    }
    for person in (None, ana, ben, coco):
        seen = expected[person.id if person else None]
        assert await titles(catalog, person) == seen
        reader = await catalog.client(person)
        for scope, listing_id in ids.items():
            status = (await reader.get(f"/listings/{listing_id}")).status_code
            assert status == (200 if scope in seen else 404), (person, scope)


async def test_everyone_in_the_owning_circle_may_edit_and_nobody_else(catalog: Catalog, form: Make) -> None:
    ana, ben, eve = await catalog.member("Ana"), await catalog.member("Ben"), await catalog.member("Eve")
    circle = await catalog.circle(ana, ben, name="Cyclistes")
    made = (await (await catalog.client(ana)).post("/listings", json=form(circle_id=str(circle)))).json()
    assert made["owner_name"] == "Cyclistes"
    path = f"/listings/{made['id']}"
    change = form(circle_id=str(circle), title="Vélo cargo", version=1)
    assert (await (await catalog.client(eve)).put(path, json=change)).status_code == 403
    changed = await (await catalog.client(ben)).put(path, json=change)
    assert changed.status_code == 200, changed.text
    assert changed.json()["owner_member_id"] == str(ana.id)


async def test_what_belongs_to_a_member_who_left_goes_and_what_belongs_to_a_circle_passes_on(
    catalog: Catalog, form: Make
) -> None:
    ana, ben = await catalog.member("Ana"), await catalog.member("Ben")
    circle = await catalog.circle(ana, ben)
    client = await catalog.client(ana)
    own = (await client.post("/listings", json=form(title="À moi"))).json()
    ours = (await client.post("/listings", json=form(title="À nous", circle_id=str(circle)))).json()
    await catalog.tell_member(ana, left=True)
    said = {str(event.subject): event for event in (await catalog.said())[2:]}
    gone, passed = said[own["id"]], said[ours["id"]]
    assert isinstance(gone, ListingWithdrawn)
    assert gone.reason == "owner_left"
    assert isinstance(passed, ListingPublished)
    assert passed.listing.owner_member_id == ben.id
    assert (await client.post("/listings", json=form())).status_code == 409
    await catalog.tell_member(ana, version=1)  # late news from before
    assert (await client.post("/listings", json=form())).status_code == 409


async def test_a_new_name_is_said_with_every_listing(catalog: Catalog, form: Make) -> None:
    ana = await catalog.member("Ana")
    await (await catalog.client(ana)).post("/listings", json=form())
    await catalog.tell_member(Person(id=ana.id, name="Anna", role="member"))
    last = (await catalog.said())[-1]
    assert isinstance(last, ListingPublished)
    assert (last.listing.owner_name, last.listing.version) == ("Anna", 2)


async def test_a_listing_ends_at_its_date_for_readers_before_the_sweeper_says_so(catalog: Catalog, form: Make) -> None:
    ana = await catalog.member("Ana")
    client = await catalog.client(ana)
    now = Clock().now()
    made = (
        await client.post("/listings", json=form(valid_until=(now.replace(year=now.year + 1, day=1)).isoformat()))
    ).json()
    later = Clock(lambda: now.replace(year=now.year + 2, day=1))
    catalog.service.app.state.clock = later
    other = await catalog.client(await catalog.member("Ben"))
    assert (await other.get("/listings")).json()["items"] == []
    assert (await other.get(f"/listings/{made['id']}")).status_code == 410
    assert await Expiry(catalog.db, seconds=1, clock=later).sweep() == 1
    assert await Expiry(catalog.db, seconds=1, clock=later).sweep() == 0
    last = (await catalog.said())[-1]
    assert isinstance(last, ListingWithdrawn)
    assert (last.reason, last.version) == ("expired", 2)
