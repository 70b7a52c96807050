"""The free times of several resources side by side, and that an answer kept from before is never out of date."""

from typing import Any

from services.chassis.ids import new_id
from tests.services.booking.workshop import Workshop, at, iso

DAY = {"from": at(12).date().isoformat(), "days": 1}


async def times(workshop: Workshop, *offers: object, client: Any = None, **query: Any) -> dict[str, Any]:
    params = {**DAY, "offer": [str(one) for one in offers], **query}
    answer = await (client or workshop.as_ana).get("/availability", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def days(workshop: Workshop, **query: Any) -> dict[str, Any]:
    answer = await workshop.as_ana.get(f"/resources/{workshop.laser}/availability", params={**DAY, **query})
    [day] = answer.json()["days"]
    return day


async def test_several_are_told_in_the_order_asked_for_and_what_is_not_there_by_name(workshop: Workshop) -> None:
    other, unknown = await workshop.publish(new_id(), title="Perceuse"), new_id()
    await workshop.rules(other, capacity=3)
    await workshop.book(workshop.as_ana, at(10), at(12))
    found = await times(workshop, other, unknown, workshop.laser)
    assert [one["offer_id"] for one in found["resources"]] == [str(other), str(workshop.laser)]
    assert (found["unknown"], found["from"], found["days"]) == ([str(unknown)], DAY["from"], 1)
    free, taken = found["resources"]
    assert (free["busy"], free["capacity"]) == ([], 3)
    assert taken["busy"] == [{"start": iso(at(10)), "end": iso(at(12))}]
    assert taken["free"] == [{"start": iso(at(8)), "end": iso(at(10))}, {"start": iso(at(12)), "end": iso(at(20))}]


async def test_what_is_booked_and_given_back_shows_at_once(workshop: Workshop) -> None:
    assert (await times(workshop, workshop.laser))["resources"][0]["busy"] == []
    assert (await days(workshop))["busy"] == []
    booked = (await workshop.book(workshop.as_ana, at(10), at(12))).json()
    stretch = {"start": iso(at(10)), "end": iso(at(12))}
    assert (await times(workshop, workshop.laser))["resources"][0]["busy"] == [stretch]
    assert (await days(workshop))["busy"] == [stretch]
    await workshop.as_ana.post(f"/bookings/{booked['id']}/cancel", json={})
    assert (await times(workshop, workshop.laser))["resources"][0]["busy"] == []
    assert (await days(workshop))["busy"] == []


async def test_other_rules_show_at_once(workshop: Workshop) -> None:
    assert (await days(workshop))["open"] == [{"start": iso(at(8)), "end": iso(at(20))}]
    hours = [{"weekday": day, "opens": "09:00", "closes": "10:00"} for day in range(7)]
    await workshop.rules(opening_hours=hours)
    assert (await days(workshop))["free"] == [{"start": iso(at(9)), "end": iso(at(10))}]
    assert (await times(workshop, workshop.laser))["resources"][0]["free"] == [
        {"start": iso(at(9)), "end": iso(at(10))}
    ]


async def test_how_many_are_wanted_makes_an_answer_of_its_own(workshop: Workshop) -> None:
    await workshop.rules(capacity=3)
    await workshop.book(workshop.as_ana, at(10), at(12), quantity=2)
    assert (await days(workshop))["busy"] == []
    assert (await days(workshop, quantity=2))["busy"] == [{"start": iso(at(10)), "end": iso(at(12))}]
    assert (await times(workshop, workshop.laser, quantity=1))["resources"][0]["busy"] == []
    assert len((await times(workshop, workshop.laser, quantity=3))["resources"][0]["busy"]) == 1


async def test_what_one_may_see_is_not_shown_to_another(workshop: Workshop) -> None:
    assert len((await times(workshop, workshop.laser))["resources"]) == 1
    async with workshop.instance.client(workshop.service, None) as visitor:
        assert (await times(workshop, workshop.laser, client=visitor))["unknown"] == [str(workshop.laser)]
        shown = await visitor.get(f"/resources/{workshop.laser}/availability", params=DAY)
        assert shown.status_code == 404


async def test_days_years_away_and_names_that_are_none_are_refused(workshop: Workshop) -> None:
    for asked in ({"from": "9999-12-31"}, {"from": "0001-01-01"}):
        answer = await workshop.as_ana.get("/availability", params={"offer": str(workshop.laser), **asked})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "from")
    answer = await workshop.as_ana.get("/availability", params={"offer": "la découpeuse"})
    assert answer.status_code == 422
