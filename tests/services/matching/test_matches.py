"""Offers for needs: live, and told once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.booking import BusyChanged, Interval, OpeningHours, ResourceChanged, ResourceState
from contracts.catalog import Audience, ListingPublished, ListingState
from services.chassis.ids import new_id
from tests.services.matching.conftest import NAMUR, Matching


async def need(matching: Matching, title: str, **changes: object) -> ListingState:
    values: dict[str, object] = {"side": "need", "audience": Audience(scope="cooperative")}
    return await matching.listing(title, **(values | changes))


async def answer_for(matching: Matching, state: ListingState) -> dict[str, Any]:
    client = await matching.client(state.owner_member_id)
    answer = await client.get(f"/needs/{state.id}/matches")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def bookable(matching: Matching, offer_id: UUID, busy: list[Interval]) -> None:
    """Open all days from 8 to 18, Brussels time."""
    state = ResourceState(
        offer_id=offer_id,
        title="",
        time_zone="Europe/Brussels",
        opening_hours=[OpeningHours(weekday=day, opens="08:00", closes="18:00") for day in range(7)],
        step_minutes=30,
        minimum_minutes=60,
        maximum_minutes=600,
        lead_minutes=0,
        horizon_days=90,
        buffer_before_minutes=0,
        buffer_after_minutes=0,
        capacity=1,
        approval="owner",
        owner_member_id=new_id(),
        status="open",
        version=1,
    )
    await matching.tell(ResourceChanged(resource=state))
    now = datetime.now(UTC)
    until = now + timedelta(days=90)
    await matching.tell(BusyChanged(offer_id=offer_id, since=now, until=until, busy=busy, version=1))


def codes(item: dict[str, object]) -> set[str]:
    reasons = item["reasons"]
    assert isinstance(reasons, list)
    return {reason["code"] for reason in reasons}


async def test_an_offer_is_proposed_with_every_reason(matching: Matching) -> None:
    offer = await matching.listing("Découpeuse laser 80 W", category="Fablab", quantity=3)
    await matching.listing("Conseil en droit du travail", kind="expertise")
    start = (datetime.now(UTC) + timedelta(days=3)).replace(hour=6, minute=0, second=0, microsecond=0)
    await bookable(matching, offer.id, [])
    wanted = await need(
        matching,
        "Besoin d'une découpeuse laser",
        category="fablab",
        quantity=2,
        place=NAMUR,
        window_start=start,
        window_end=start + timedelta(hours=12),
    )
    await matching.count_words()
    found = await answer_for(matching, wanted)
    assert [item["id"] for item in found["items"]] == [str(offer.id)]
    item = found["items"][0]
    assert codes(item) == {"words", "kind", "category", "distance", "free", "quantity"}
    reasons = {reason["code"]: reason["value"] for reason in item["reasons"]}
    assert set(reasons["words"].split(", ")) >= {"découpeuse", "laser"}
    assert 120 < float(reasons["distance"]) < 140
    assert item["bookable"] is True


async def test_what_nearly_fits_names_the_one_thing(matching: Matching) -> None:
    start = (datetime.now(UTC) + timedelta(days=3)).replace(hour=6, minute=0, second=0, microsecond=0)
    end = start + timedelta(hours=12)
    taken = await matching.listing("Mini-pelle avec godets")
    await bookable(matching, taken.id, [Interval(start=start - timedelta(hours=1), end=end)])
    far = await matching.listing("Mini-pelle", place={"label": "Marseille", "latitude": 43.3, "longitude": 5.4})
    few = await matching.listing("Mini-pelle et remorque", quantity=1)
    both = await matching.listing(
        "Mini-pelle", quantity=1, place={"label": "Marseille", "latitude": 43.3, "longitude": 5.4}
    )
    one = await need(matching, "Mini-pelle", window_start=start, window_end=end)
    two = await need(matching, "Mini-pelle", quantity=2)
    await matching.count_words()
    by_one = {item["id"]: item["missing"]["code"] for item in (await answer_for(matching, one))["near_misses"]}
    assert by_one == {str(taken.id): "free", str(far.id): "distance", str(both.id): "distance"}
    by_two = {item["id"]: item["missing"]["code"] for item in (await answer_for(matching, two))["near_misses"]}
    assert by_two == {str(taken.id): "quantity", str(few.id): "quantity"}


async def test_only_the_owner_and_coordinators_see_matches(matching: Matching) -> None:
    wanted = await need(matching, "Scie à ruban")
    path = f"/needs/{wanted.id}/matches"
    assert (await (await matching.client(new_id())).get(path)).status_code == 403
    assert (await (await matching.client()).get(path)).status_code == 401
    assert (await (await matching.client(new_id(), role="coordinator")).get(path)).status_code == 200
    assert (await (await matching.client(new_id())).get(f"/needs/{new_id()}/matches")).status_code == 404


async def test_a_need_never_meets_its_own_author_or_what_its_author_may_not_see(matching: Matching) -> None:
    ana = new_id()
    await matching.listing("Scie à ruban", owner_member_id=ana)
    circle = await matching.circle(new_id())
    await matching.listing("Scie à ruban", audience=Audience(scope="circle", circle_ids=[circle]))
    wanted = await need(matching, "Scie à ruban", owner_member_id=ana)
    await matching.count_words()
    assert (await answer_for(matching, wanted))["items"] == []
    assert await matching.propose() == []


async def test_a_new_need_and_a_new_offer_are_told_once_each(matching: Matching) -> None:
    first = await matching.listing("Scie à ruban 300 mm")
    await matching.listing("Cours de couture", kind="training")
    await matching.count_words()
    wanted = await need(matching, "Je cherche une scie à ruban")
    said = await matching.propose()
    assert [(event.need_id, [p.offer_id for p in event.proposals]) for event in said] == [(wanted.id, [first.id])]
    assert said[0].need_owner_id == wanted.owner_member_id
    second = await matching.listing("Scie à ruban d'établi")
    said = await matching.propose()
    assert [[p.offer_id for p in event.proposals] for event in said] == [[first.id], [second.id]]
    await matching.tell(ListingPublished(listing=second.model_copy(update={"version": 2, "text": "révisée"})))
    await matching.tell(ListingPublished(listing=wanted.model_copy(update={"version": 2, "text": "vite"})))
    assert len(await matching.propose()) == 2


async def test_the_first_offer_of_a_new_cooperative_is_told_to_the_first_need(matching: Matching) -> None:
    offer = await matching.listing(
        "Découpeuse laser CO2 100 W, plateau 120 x 90 cm",
        text="Découpe et gravure de contreplaqué, carton, cuir et plexiglas.",
        category="Fabrication numérique",
        kind="machine",
    )
    await matching.count_words()
    wanted = await matching.listing(
        "Découper au laser des panneaux de contreplaqué pour un stand",
        text="Trente panneaux de 5 mm pour le forum de l'emploi. Je sais préparer les fichiers.",
        category="Fabrication numérique",
        kind="machine",
        side="need",
    )
    said = await matching.propose()
    assert [(event.need_id, [p.offer_id for p in event.proposals]) for event in said] == [(wanted.id, [offer.id])]


async def test_an_author_is_told_of_what_fits_less_only_once_the_best_was_declined(matching: Matching) -> None:
    wanted = await need(matching, "Raboteuse, perceuse et tournevis")
    await matching.count_words()
    best = await matching.listing("Perceuse, raboteuse, tournevis")
    assert [[p.offer_id for p in event.proposals] for event in await matching.propose()] == [[best.id]]
    less = await matching.listing("Raboteuse")
    await matching.count_words()
    assert len(await matching.propose()) == 1
    client = await matching.client(wanted.owner_member_id)
    answer = {"status": "declined", "reason": "not_it"}
    assert (await client.put(f"/needs/{wanted.id}/matches/{best.id}", json=answer)).status_code == 204
    await matching.tell(ListingPublished(listing=less.model_copy(update={"version": 2})))
    said = await matching.propose()
    assert [[p.offer_id for p in event.proposals] for event in said] == [[best.id], [less.id]]
