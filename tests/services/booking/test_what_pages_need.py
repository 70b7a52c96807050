"""What the pages rely on: holds that make way, terms as members see them, who has said yes, limits of categories."""

from typing import Any

import pytest

from contracts.booking import BookingConfirmed, BookingRequested
from tests.services.booking.workshop import Workshop, at

TERMS: dict[str, Any] = {
    "quotas": [{"scope": "member", "per": "week", "unit": "bookings", "most": 3}],
    "roles": ["coordinator", "member"],
    "instructions": "La clé est à l'accueil.",
}
QUOTA = {"scope": "member", "per": "week", "unit": "bookings", "most": 1}


async def hold(workshop: Workshop) -> dict[str, Any]:
    body = {"offer_id": str(workshop.laser), "start": at(9).isoformat(), "end": at(11).isoformat()}
    answer = await workshop.as_ana.post("/holds", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_members_own_hold_makes_way_although_the_form_does_not_name_it(workshop: Workshop) -> None:
    held = await hold(workshop)
    assert (await workshop.book(workshop.as_chloe, at(9), at(11))).status_code == 409
    assert (await workshop.book(workshop.as_ana, at(9), at(11))).status_code == 201
    assert (await workshop.as_ana.get(f"/bookings/{held['id']}")).status_code == 404


async def test_a_hold_is_seen_by_whoever_made_it_and_not_by_the_owner(workshop: Workshop) -> None:
    held = await hold(workshop)
    mine = (await workshop.as_ana.get("/bookings", params={"role": "borrower", "status": "held"})).json()["items"]
    assert [one["id"] for one in mine] == [held["id"]]
    assert (await workshop.as_omar.get("/bookings", params={"role": "owner"})).json()["items"] == []
    everybodys = {"role": "owner", "offer_id": str(workshop.laser)}
    assert (await workshop.as_chloe.get("/bookings", params=everybodys)).json()["items"] == []


async def test_members_see_whom_it_is_for_and_how_much_but_instructions_wait_for_the_booking(
    workshop: Workshop,
) -> None:
    await workshop.publish(audience={"scope": "public"})
    await workshop.rules(terms=TERMS)
    seen = (await workshop.as_ana.get(f"/resources/{workshop.laser}")).json()["terms"]
    assert seen["quotas"] == TERMS["quotas"]
    assert seen["roles"] == TERMS["roles"]
    assert seen["instructions"] == ""
    edited = (await workshop.as_omar.get(f"/resources/{workshop.laser}")).json()["terms"]
    assert edited["instructions"] == TERMS["instructions"]
    async with workshop.instance.client(workshop.service, None) as visitor:
        public = (await visitor.get(f"/resources/{workshop.laser}")).json()["terms"]
    assert (public["quotas"], public["roles"], public["instructions"]) == ([], [], "")
    booked = (await workshop.book(workshop.as_ana, at(9), at(11))).json()
    assert booked["instructions"] == TERMS["instructions"]


async def test_the_first_of_two_yeses_says_whose_it_was(workshop: Workshop) -> None:
    await workshop.rules(approval="owner", terms={"approvals_needed": 2})
    asked = (await workshop.book(workshop.as_ana, at(9), at(11))).json()
    await workshop.said()
    first = (await workshop.as_omar.post(f"/bookings/{asked['id']}/approve")).json()
    assert (first["status"], first["approvals"], first["approved_by"]) == ("pending", 1, [str(workshop.omar)])
    [event] = await workshop.said(BookingRequested)
    assert event.booking.approved_by == (workshop.omar,)
    await workshop.as_chloe.post(f"/bookings/{asked['id']}/approve")
    assert len(await workshop.said(BookingConfirmed)) == 1


async def test_limits_of_a_category_are_set_by_coordinators_and_hold(workshop: Workshop) -> None:
    body = {"category": "atelier", "quotas": [QUOTA]}
    assert (await workshop.as_ana.put("/quotas", json=body)).status_code == 403
    assert (await workshop.as_ana.get("/quotas")).status_code == 403
    assert (await workshop.as_chloe.get("/quotas")).json() == {"items": [{"category": "atelier", "quotas": []}]}
    answer = await workshop.as_chloe.put("/quotas", json=body)
    assert answer.json() == {"items": [body]}
    assert (await workshop.book(workshop.as_ana, at(9), at(10))).status_code == 201
    refused = await workshop.book(workshop.as_ana, at(11), at(12))
    assert refused.json()["type"].endswith("quota-reached")
    assert (await workshop.as_chloe.put("/quotas", json={"category": "atelier", "quotas": []})).status_code == 200
    assert (await workshop.book(workshop.as_ana, at(11), at(12))).status_code == 201


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"category": ""}, "category"),
        ({"category": " \x00 "}, "category"),
        ({"quotas": [QUOTA, {**QUOTA, "most": 5}]}, "quotas.1.most"),
        ({"quotas": [{**QUOTA, "most": -1}]}, "quotas.0.most"),
        ({"quotas": [{**QUOTA, "scope": "everybody"}]}, "quotas.0.scope"),
    ],
)
async def test_limits_that_make_no_sense_are_refused(workshop: Workshop, changes: dict[str, Any], field: str) -> None:
    answer = await workshop.as_chloe.put("/quotas", json={"category": "atelier", "quotas": [QUOTA]} | changes)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]
