"""Publishing, changing and withdrawing, over HTTP against PostgreSQL."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.catalog import ListingPublished, ListingWithdrawn
from services.catalog.commands import listings as commands
from services.catalog.forms import ListingForm
from services.chassis.auth import Actor
from tests.services.catalog.conftest import Catalog, Make


async def test_a_published_offer_is_answered_browsed_and_said_once(catalog: Catalog, form: Make) -> None:
    ana = await catalog.member("Ana")
    client = await catalog.client(ana)
    headers = {"Idempotency-Key": "one"}
    first = await client.post("/listings", json=form(), headers=headers)
    again = await client.post("/listings", json=form(), headers=headers)
    assert first.status_code == again.status_code == 201, first.text
    assert first.json() == again.json()
    assert first.json()["owner_name"] == "Ana"
    assert first.json()["mine"] is True
    assert first.json()["may_edit"] is True
    found = (await client.get("/listings", params={"side": "offer"})).json()
    assert [item["id"] for item in found["items"]] == [first.json()["id"]]
    said = await catalog.said()
    assert [type(event) for event in said] == [ListingPublished]


async def test_a_change_needs_the_version_that_was_read(catalog: Catalog, form: Make) -> None:
    client = await catalog.client(await catalog.member())
    made = (await client.post("/listings", json=form())).json()
    changed = await client.put(f"/listings/{made['id']}", json=form(title="Fraiseuse", version=1))
    assert changed.status_code == 200, changed.text
    assert changed.json()["version"] == 2
    late = await client.put(f"/listings/{made['id']}", json=form(title="Tour", version=1))
    assert late.status_code == 409
    assert late.json()["type"] == "urn:maillage:problem:catalog/changed-meanwhile"
    assert late.json()["version"] == 2


async def test_a_withdrawn_listing_is_gone_for_others_and_told_once(catalog: Catalog, form: Make) -> None:
    ana, ben = await catalog.member("Ana"), await catalog.member("Ben")
    client, other = await catalog.client(ana), await catalog.client(ben)
    made = (await client.post("/listings", json=form())).json()
    path = f"/listings/{made['id']}"
    assert (await other.post(f"{path}/withdraw")).status_code == 403
    assert (await client.post(f"{path}/withdraw")).json()["status"] == "withdrawn"
    assert (await client.post(f"{path}/withdraw")).status_code == 200
    assert (await other.get(path)).status_code == 410
    assert (await client.get(path)).json()["status"] == "withdrawn"
    assert (await other.get("/listings")).json()["items"] == []
    assert [item["id"] for item in (await client.get("/listings", params={"mine": True})).json()["items"]] == [
        made["id"]
    ]
    said = [event for event in await catalog.said() if isinstance(event, ListingWithdrawn)]
    assert [(event.version, event.reason) for event in said] == [(2, "withdrawn")]


async def test_pages_follow_each_other_without_gap_or_repetition(catalog: Catalog, form: Make) -> None:
    client = await catalog.client(await catalog.member())
    made = [(await client.post("/listings", json=form(title=f"Offre {n}"))).json()["id"] for n in range(7)]
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await client.get("/listings", params={"limit": 3, **cursor})).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == made[::-1]


async def test_every_wrong_field_is_named_and_nothing_is_kept(catalog: Catalog, form: Make) -> None:
    client = await catalog.client(await catalog.member())
    bad = [
        (form(title="ab"), "title"),
        (form(title="  \n "), "title"),
        (form(text="a\u0000b"), "text"),
        (form(text="\ud800"), "text"),
        (form(quantity=0), "quantity"),
        (form(place={"label": "Lille", "latitude": 50.6}), "place"),
        (form(place={"label": "Lille", "latitude": 91, "longitude": 3}), "place.latitude"),
        (form(window_start="2030-01-02T00:00:00Z", window_end="2030-01-01T00:00:00Z"), "window_end"),
        (form(valid_until="2020-01-01T00:00:00Z"), "valid_until"),
        (form(valid_until="2030-01-01T00:00:00"), "valid_until"),
        (form(audience={"scope": "circle"}), "audience.circle_ids"),
        (form(audience={"scope": "circle", "circle_ids": [str(await catalog.circle())]}), "audience.circle_ids"),
        (form(circle_id=str(await catalog.circle())), "circle_id"),
        (form(surprise=1), "surprise"),
    ]
    for body, field in bad:
        answer = await client.post("/listings", content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, (field, answer.text)
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert await catalog.said() == []


async def test_the_word_of_each_kind_needs_no_account(catalog: Catalog) -> None:
    kinds = (await (await catalog.client()).get("/kinds")).json()
    assert {"kind": "space", "fr": "lieu", "nl": "ruimte", "en": "space"} in kinds


async def test_what_is_published_at_the_moment_of_leaving_goes_with_its_author(catalog: Catalog, form: Make) -> None:
    ana = await catalog.member()
    actor = Actor(id=ana.id, name=ana.name, role=ana.role, locale="fr")
    async with catalog.db.transaction() as session:
        wanted = ListingForm.model_validate(form())
        row = await commands.publish(session, wanted, by=actor, now=datetime.now(UTC))
        leaving = asyncio.create_task(catalog.tell_member(ana, left=True))
        await asyncio.sleep(0.5)
        assert not leaving.done(), "who leaves waits for what is being published"
    await leaving
    (withdrawn,) = [event for event in await catalog.said() if isinstance(event, ListingWithdrawn)]
    assert (withdrawn.id, withdrawn.reason) == (row["id"], "owner_left")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "Une année entre 2000 et 2199, s'il vous plaît."),
        ("en", "A year between 2000 and 2199, please."),
        ("nl", "Een jaar tussen 2000 en 2199 graag."),
    ],
)
async def test_years_that_peers_would_refuse_are_refused_here(
    catalog: Catalog, form: Make, language: str, text: str
) -> None:
    client = await catalog.client(await catalog.member(), language=language)
    for field, date in (
        ("valid_until", "2200-01-01T00:00:00+00:00"),
        ("window_start", "2199-12-31T23:30:00-05:00"),
        ("valid_from", "0001-01-01T00:00:00+02:00"),
        ("window_end", "9999-12-31T23:59:59-12:00"),
    ):
        answer = await client.post("/listings", json=form(**{field: date}))
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
        assert answer.json()["errors"][0]["detail"] == text
    assert (await client.post("/listings", json=form(valid_until="2199-12-31T23:59:59+00:00"))).status_code == 201
