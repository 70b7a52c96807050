"""Words that authors add freely to an offer or a need."""

import pytest
from pydantic import ValidationError

from contracts.catalog import ListingPublished
from services.catalog.forms import MOST_TAGS, ListingForm
from services.catalog.loops import Importing
from tests.services.catalog.conftest import Catalog, Make


def tags_of(*typed: str) -> list[str]:
    return ListingForm.model_validate({"side": "offer", "kind": "help", "title": "Aide", "tags": list(typed)}).tags


def test_tags_are_kept_once_whatever_their_case_and_without_signs_between_them() -> None:
    assert tags_of(" Week-end ", "week-END", "#débutants", "", "a,b;c|d") == ["Week-end", "débutants", "a b c d"]
    for bad in (["x" * 41], [str(number) for number in range(MOST_TAGS + 1)], ["a\0b"]):
        with pytest.raises(ValidationError):
            tags_of(*bad)


async def test_tags_are_answered_said_changed_exported_and_imported(catalog: Catalog, form: Make) -> None:
    ana, coordinator = await catalog.member(), await catalog.member("Coco", role="coordinator")
    client = await catalog.client(ana)
    made = (await client.post("/listings", json=form(tags=["=cmd", "bois"]))).json()
    assert made["tags"] == ["=cmd", "bois"]
    said = (await catalog.said())[-1]
    assert isinstance(said, ListingPublished)
    assert said.listing.tags == ("=cmd", "bois")
    team = await catalog.client(coordinator)
    exported = (await team.get("/export.csv")).text
    assert "'=cmd" in exported
    report = (await team.post("/imports/check", files={"file": ("a.csv", exported.encode())})).json()
    assert report["errors"] == []
    await team.post(f"/imports/{report['import_id']}/run")
    await Importing(catalog.db, seconds=1).import_all()
    done = (await team.get(f"/imports/{report['import_id']}")).json()
    assert (done["unchanged"], done["errors"]) == (1, [])
    changed = f"ref;type;genre;titre;etiquettes\n{made['id']};offre;machine;Scie;acier | week-end\n"
    report = (await team.post("/imports/check", files={"file": ("a.csv", changed.encode())})).json()
    await team.post(f"/imports/{report['import_id']}/run")
    await Importing(catalog.db, seconds=1).import_all()
    assert (await client.get(f"/listings/{made['id']}")).json()["tags"] == ["acier", "week-end"]
