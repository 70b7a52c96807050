"""Bookings of our own resources by our own members."""

from tests.services.booking.workshop import Workshop, at, iso, types_of


async def test_free_period_is_confirmed_at_once(workshop: Workshop) -> None:
    answer = await workshop.book(workshop.as_ana, at(9), at(11), note="plexi 3 mm")
    assert answer.status_code == 201, answer.text
    booking = answer.json()
    assert booking["status"] == "confirmed"
    assert booking["borrower"]["name"] == "Ana"
    assert booking["owner"]["name"] == "Omar"
    assert booking["mine"]
    assert booking["may_cancel"]
    assert not booking["may_decide"]
    assert [line["what"] for line in booking["history"]] == ["booked"]
    events = await workshop.said()
    assert types_of(events) == ["confirmed", "busy_changed"]
    assert [(busy.start, busy.end) for busy in events[1].busy] == [(at(9), at(11))]
    assert events[0].booking.place_label == "12 rue des Arts, Lille"


async def test_taken_period_is_refused_with_nearest_free_ones_of_same_length(workshop: Workshop) -> None:
    assert (await workshop.book(workshop.as_ana, at(9), at(11))).status_code == 201
    answer = await workshop.book(workshop.as_chloe, at(10), at(12))
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["type"] == "urn:maillage:problem:booking/resource-is-taken"
    starts = [one["start"] for one in problem["alternatives"]]
    assert starts == [iso(at(hour, minute)) for hour, minute in ((11, 0), (11, 30), (12, 0))]
    for one in problem["alternatives"]:
        body = {"offer_id": str(workshop.laser), **one}
        assert (await workshop.as_chloe.post("/bookings", json=body)).status_code in {201, 409}
    first = {"offer_id": str(workshop.laser), **problem["alternatives"][0]}
    mine = await workshop.as_chloe.get("/bookings", params={"role": "borrower"})
    assert [one["start"] for one in mine.json()["items"]] == [first["start"]]


async def test_owner_approves_and_nobody_decides_on_their_own_request(workshop: Workshop) -> None:
    await workshop.rules(approval="owner")
    asked = (await workshop.book(workshop.as_ana, at(9), at(11))).json()
    assert asked["status"] == "pending"
    assert (await workshop.as_ana.post(f"/bookings/{asked['id']}/approve")).status_code == 403
    todo = (await workshop.as_omar.get("/bookings", params={"role": "to_decide"})).json()["items"]
    assert [one["id"] for one in todo] == [asked["id"]]
    await workshop.said()
    approved = await workshop.as_omar.post(f"/bookings/{asked['id']}/approve")
    assert approved.json()["status"] == "confirmed"
    assert types_of(await workshop.said()) == ["confirmed", "busy_changed"]
    again = await workshop.as_omar.post(f"/bookings/{asked['id']}/decline", json={})
    assert again.status_code == 409
    assert again.json()["booking_status"] == "confirmed"


async def test_availability_shows_what_can_be_booked(workshop: Workshop) -> None:
    await workshop.rules(buffer_before_minutes=15, buffer_after_minutes=30)
    await workshop.book(workshop.as_ana, at(10), at(12))
    params = {"from": at(12).date().isoformat(), "days": 1}
    found = (await workshop.as_ana.get(f"/resources/{workshop.laser}/availability", params=params)).json()
    assert found["from"] == at(12).date().isoformat()
    (day,) = found["days"]
    assert day["open"] == [{"start": iso(at(8)), "end": iso(at(20))}]
    assert day["busy"] == [{"start": iso(at(9, 45)), "end": iso(at(12, 30))}]
    assert day["free"] == [
        {"start": iso(at(8)), "end": iso(at(9, 15))},
        {"start": iso(at(12, 45)), "end": iso(at(20))},
    ]
    assert len(found["next_free"]) == 3
