"""Further conditions of a resource: when it is closed, whom it is for, how much one may book, who must say yes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.booking import Quota, ResourceChanged
from contracts.identity import CircleState
from services.booking.commands import copies
from services.booking.commands.quotas import put_category_quotas
from services.chassis.ids import new_id
from tests.services.booking.workshop import PARIS, Workshop, at, iso


def slug(answer: Any) -> str:
    return answer.json()["type"].rpartition(":")[2].rpartition("/")[2]


async def test_seasons_closures_and_holidays_close_whole_days(workshop: Workshop) -> None:
    closed, other = at(9, days=4).astimezone(PARIS).date(), at(9, days=5).astimezone(PARIS).date()
    short = [{"weekday": day, "opens": "10:00", "closes": "12:00"} for day in range(7)]
    season = {"begins": f"{other:%m-%d}", "ends": f"{other:%m-%d}", "opening_hours": short}
    closure = {"first": closed.isoformat(), "last": closed.isoformat(), "label": "Inventaire"}
    said = await workshop.rules(terms={"closures": [closure], "seasons": [season], "holidays": "FR"})
    assert said["terms"]["closures"][0]["label"] == "Inventaire"
    on_closed_day = await workshop.book(workshop.as_ana, at(9, days=4), at(10, days=4))
    assert on_closed_day.json()["errors"][0]["code"] == "closed_day"
    out_of_season = await workshop.book(workshop.as_ana, at(9, days=5), at(10, days=5))
    assert out_of_season.json()["errors"][0]["code"] == "outside_hours"
    assert (await workshop.book(workshop.as_ana, at(10, days=5), at(11, days=5))).status_code == 201
    told = (await workshop.said(ResourceChanged))[-1]
    assert told.resource.terms.holidays == "FR"


async def test_public_holiday_is_closed(workshop: Workshop) -> None:
    await workshop.rules(horizon_days=730, terms={"holidays": "FR"})
    year = datetime.now(UTC).year + 1
    fete = datetime(year, 7, 14, 10, tzinfo=PARIS)
    refused = await workshop.book(workshop.as_ana, fete, fete + timedelta(hours=1))
    assert refused.json()["errors"][0]["code"] == "closed_day"
    next_day = fete + timedelta(days=1)
    assert (await workshop.book(workshop.as_ana, next_day, next_day + timedelta(hours=1))).status_code == 201


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"holidays": "XX"}, "terms.holidays"),
        ({"seasons": [{"begins": "02-31", "ends": "03-01", "opening_hours": []}]}, "terms.seasons"),
        ({"closures": [{"first": "2027-05-02", "last": "2027-05-01"}]}, "terms.closures"),
        ({"approvals_needed": 3}, "terms.approvals_needed"),
        ({"price": {"kind": "hourly", "amount": "1e9"}}, "terms.price.amount"),
        ({"price": {"kind": "hourly", "amount": "gratuit"}}, "terms.price.amount"),
    ],
)
async def test_wrong_terms_are_told_by_field(workshop: Workshop, terms: dict[str, Any], field: str) -> None:
    body = {"time_zone": "Europe/Paris", "opening_hours": [{"weekday": 0, "opens": "08:00", "closes": "20:00"}]}
    answer = await workshop.as_omar.put(f"/resources/{workshop.laser}", json={**body, "terms": terms})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_resource_of_certain_circles_and_roles(workshop: Workshop) -> None:
    circle = new_id()
    await workshop.rules(terms={"circle_ids": [str(circle)], "roles": ["administrator"]})
    refused = await workshop.book(workshop.as_ana, at(9), at(10))
    assert (refused.status_code, slug(refused)) == (403, "not-for-you")
    members = CircleState(id=circle, name="Bois", purpose="", member_ids=[workshop.ana], status="active", version=1)
    async with workshop.db.transaction() as session:
        await copies.keep_circle(session, members)
    booked = (await workshop.book(workshop.as_ana, at(9), at(10), circle_id=str(circle))).json()
    assert booked["circle_name"] == "Bois"
    other = await workshop.book(workshop.as_ana, at(10), at(11), circle_id=str(new_id()))
    assert (other.status_code, slug(other)) == (403, "not-in-circle")
    assert (await workshop.book(workshop.as_chloe, at(11), at(12))).status_code == 201


async def test_quota_of_a_member_in_a_week_counts_hours_and_is_freed_by_cancelling(workshop: Workshop) -> None:
    quota = {"scope": "member", "per": "month", "unit": "hours", "most": 3}
    await workshop.rules(terms={"quotas": [quota]})
    first = at(9, days=40)
    same_month = first.astimezone(PARIS).replace(day=10)
    booked = await workshop.book(workshop.as_ana, same_month, same_month + timedelta(hours=2))
    assert booked.status_code == 201, booked.text
    later = same_month + timedelta(days=1)
    refused = await workshop.book(workshop.as_ana, later, later + timedelta(hours=2))
    assert (refused.status_code, slug(refused)) == (409, "quota-reached")
    assert "3 heures par mois" in refused.json()["detail"]
    assert (await workshop.book(workshop.as_ana, later, later + timedelta(hours=1))).status_code == 201
    assert (await workshop.book(workshop.as_chloe, later + timedelta(hours=2), later + timedelta(hours=4))).is_success
    await workshop.as_ana.post(f"/bookings/{booked.json()['id']}/cancel", json={})
    assert (await workshop.book(workshop.as_ana, same_month, same_month + timedelta(hours=2))).status_code == 201


async def test_quota_of_a_category_spans_its_offers(workshop: Workshop) -> None:
    quota = Quota(scope="member", per="week", unit="bookings", most=1)
    async with workshop.db.transaction() as session:
        await put_category_quotas(session, "atelier", [quota])
    other = await workshop.publish(new_id(), title="Fraiseuse")
    await workshop.rules(other)
    assert (await workshop.book(workshop.as_ana, at(9), at(10))).status_code == 201
    refused = await workshop.book(workshop.as_ana, at(10), at(11), offer_id=str(other))
    assert slug(refused) == "quota-reached"


async def test_two_different_people_must_say_yes(workshop: Workshop) -> None:
    await workshop.rules(approval="owner", terms={"approvals_needed": 2})
    asked = (await workshop.book(workshop.as_ana, at(9), at(10))).json()
    assert asked["approvals_needed"] == 2
    first = (await workshop.as_omar.post(f"/bookings/{asked['id']}/approve")).json()
    assert (first["status"], first["approvals"], first["may_decide"]) == ("pending", 1, False)
    assert (await workshop.as_omar.post(f"/bookings/{asked['id']}/approve")).status_code == 409
    second = (await workshop.as_chloe.post(f"/bookings/{asked['id']}/approve")).json()
    assert (second["status"], second["approvals"]) == ("confirmed", 2)
    assert [line["what"] for line in second["history"]] == ["requested", "approved_first", "confirmed"]


async def test_borrower_cancels_alone_until_the_notice_begins(workshop: Workshop) -> None:
    await workshop.rules(terms={"cancel_notice_minutes": 7 * 24 * 60, "instructions": "Clé au bar."})
    booked = (await workshop.book(workshop.as_ana, at(9), at(10))).json()
    assert booked["instructions"] == "Clé au bar."
    assert booked["cancel_until"] == iso(at(9) - timedelta(days=7))
    assert not booked["may_cancel"]
    refused = await workshop.as_ana.post(f"/bookings/{booked['id']}/cancel", json={})
    assert (refused.status_code, slug(refused)) == (409, "notice-is-over")
    assert (await workshop.as_omar.post(f"/bookings/{booked['id']}/cancel", json={})).json()["status"] == "cancelled"


async def test_capacity_is_not_lowered_below_what_is_booked(workshop: Workshop) -> None:
    await workshop.rules(capacity=5)
    one = (await workshop.book(workshop.as_ana, at(9), at(11), quantity=2)).json()
    two = (await workshop.book(workshop.as_chloe, at(10), at(12), quantity=2)).json()
    await workshop.book(workshop.as_chloe, at(15), at(16), quantity=1)
    body = {"time_zone": "Europe/Paris", "opening_hours": [{"weekday": 0, "opens": "08:00", "closes": "20:00"}]}
    refused = await workshop.as_omar.put(f"/resources/{workshop.laser}", json={**body, "capacity": 3})
    assert (refused.status_code, slug(refused)) == (409, "capacity-below-booked")
    assert refused.json()["peak"] == 4
    assert sorted(refused.json()["in_the_way"]) == sorted([one["id"], two["id"]])
    assert (await workshop.as_omar.put(f"/resources/{workshop.laser}", json={**body, "capacity": 4})).status_code == 200


async def test_availability_counts_what_is_left(workshop: Workshop) -> None:
    await workshop.rules(capacity=3)
    await workshop.book(workshop.as_ana, at(9), at(11), quantity=2)
    day = at(9).astimezone(PARIS).date()
    query = {"from": day.isoformat(), "days": 1}
    one = (await workshop.as_ana.get(f"/resources/{workshop.laser}/availability", params=query)).json()["days"][0]
    assert one["busy"] == []
    assert one["left"] == [{"start": iso(at(9)), "end": iso(at(11)), "left": 1}]
    two = await workshop.as_ana.get(f"/resources/{workshop.laser}/availability", params={**query, "quantity": 2})
    assert two.json()["days"][0]["busy"] == [{"start": iso(at(9)), "end": iso(at(11))}]


async def test_refusal_names_free_resources_like_it(workshop: Workshop) -> None:
    other = await workshop.publish(new_id(), title="Découpe laser du fond")
    await workshop.rules(other)
    await workshop.book(workshop.as_ana, at(9), at(11))
    refused = await workshop.book(workshop.as_chloe, at(9), at(11))
    assert [one["title"] for one in refused.json()["similar"]] == ["Découpe laser du fond"]
    await workshop.book(workshop.as_ana, at(9), at(11), offer_id=str(other))
    assert (await workshop.book(workshop.as_chloe, at(9), at(11))).json()["similar"] == []
