"""Listening hours (story 7): who books is known to the two concerned and to nobody else, coordinators included."""

from contracts.booking import BookingRequested
from services.booking.loops import Sweeper
from tests.services.booking.test_waiting import someone
from tests.services.booking.workshop import Workshop, at


async def test_coordinators_see_nothing_of_a_private_booking(workshop: Workshop) -> None:
    await workshop.rules(approval="owner", terms={"private": True})
    booked = (await workshop.book(workshop.as_ana, at(9), at(10), note="Je voudrais parler.")).json()
    (said,) = await workshop.said(BookingRequested)
    assert said.booking.private
    path, chloe = f"/bookings/{booked['id']}", workshop.as_chloe
    assert (await chloe.get(path)).status_code == 404
    for verb, body in (("approve", None), ("decline", {}), ("cancel", {})):
        assert (await chloe.post(f"{path}/{verb}", json=body)).status_code == 404
    for query in ("role=to_decide", f"role=owner&offer_id={workshop.laser}", "role=orphaned"):
        assert (await chloe.get(f"/bookings?{query}")).json()["items"] == []
    assert (await chloe.get(f"/resources/{workshop.laser}/upcoming")).json()["items"] == []
    kept = await chloe.post(f"/resources/{workshop.laser}/settle", json={"cancel": [{"id": booked["id"]}]})
    assert kept.json()["failed"][0]["problem"]["status"] == 404
    omar = workshop.as_omar
    assert [one["id"] for one in (await omar.get("/bookings?role=to_decide")).json()["items"]] == [booked["id"]]
    assert (await omar.post(f"{path}/approve")).json()["status"] == "confirmed"
    assert (await workshop.as_ana.get(path)).json()["owner"]["name"] == "Omar"


async def test_accounts_keep_a_private_use_without_who_booked_it(workshop: Workshop) -> None:
    await workshop.rules(terms={"private": True})
    booked = (await workshop.book(workshop.as_ana, at(9), at(10))).json()
    await workshop.sql(
        "UPDATE bookings SET starts_at = now() - interval '2 h', ends_at = now() - interval '1 h',"
        " occupied = tstzrange(now() - interval '2 h', now() - interval '1 h') WHERE id = :id",
        id=booked["id"],
    )
    await Sweeper(workshop.db, seconds=60).sweep()
    (use,) = (await workshop.as_chloe.get("/uses")).json()["items"]
    assert (use["borrower"]["member_id"], use["borrower"]["name"], use["minutes"]) == (None, None, 60)


async def test_names_of_those_who_wait_are_for_the_owner_alone(workshop: Workshop) -> None:
    await workshop.rules(terms={"private": True})
    await workshop.book(workshop.as_ana, at(9), at(10))
    wish = {"offer_id": str(workshop.laser), "start": at(9).isoformat(), "end": at(10).isoformat()}
    bea = await someone(workshop, "Bea")
    waits = await bea.post("/waiting", json=wish)
    assert waits.status_code == 201, waits.text
    path = f"/resources/{workshop.laser}/waiting"
    assert (await workshop.as_chloe.get(path)).json()["items"][0]["member_name"] is None
    assert (await workshop.as_chloe.get(f"/waiting/{waits.json()['id']}")).status_code == 404
    assert (await workshop.as_omar.get(path)).json()["items"][0]["member_name"] == "Bea"


async def test_private_and_a_second_approval_do_not_go_together(workshop: Workshop) -> None:
    for more in (
        {"approval": "coordinator", "terms": {"private": True}},
        {"approval": "owner", "terms": {"private": True, "approvals_needed": 2}},
    ):
        rules = (await workshop.as_omar.get(f"/resources/{workshop.laser}")).json()
        names = ("time_zone", "opening_hours", "step_minutes", "minimum_minutes", "maximum_minutes")
        answer = await workshop.as_omar.put(
            f"/resources/{workshop.laser}", json={name: rules[name] for name in names} | more
        )
        assert [one["field"] for one in answer.json()["errors"]] == ["terms.private"]
