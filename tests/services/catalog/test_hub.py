"""At a hub nobody publishes; what its members share with everybody is there for everybody."""

from datetime import UTC, datetime

from contracts.federation import ListingReceived
from contracts.shared import SharedListing
from services.catalog.commands import copies
from services.chassis.ids import new_id
from tests.services.catalog.conftest import Catalog, Make


async def test_staff_publish_and_import_nothing(hub: Catalog, form: Make) -> None:
    client = await hub.client(await hub.member(role="administrator"))
    for answer in (
        await client.post("/listings", json=form()),
        await client.post("/imports/check", files={"file": ("offers.csv", b"titre\nTour", "text/csv")}),
    ):
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:maillage:problem:hub/nothing-of-its-own"
    assert await hub.said() == []


async def test_visitors_read_what_members_share_with_everybody(hub: Catalog) -> None:
    shared = [_shared("Foire", public=True), _shared("Entre nous", public=False)]
    async with hub.db.transaction() as session:
        for one in shared:
            told = ListingReceived(origin="x" * 43, origin_name="Lille", epoch=1, listing=one)
            await copies.keep(session, told, said_at=datetime.now(UTC))
    visitor = await hub.client()
    found = (await visitor.get("/listings")).json()["items"]
    assert [(one["title"], one["origin_name"]) for one in found] == [("Foire", "Lille")]


def _shared(title: str, *, public: bool) -> SharedListing:
    return SharedListing(
        id=new_id(), side="offer", kind="machine", title=title, text="", category="fabrication", language="fr",
        place=None, quantity=1, unit="machine", public=public, valid_until=None, window_start=None, window_end=None,
        urgency="normal", version=1, changed_at=datetime.now(UTC),
    )  # fmt: skip
