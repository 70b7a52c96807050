"""What changes underneath bookings: told before and after, then kept, moved or cancelled by whoever is concerned."""

from datetime import timedelta
from typing import Any

from contracts.booking import BookingCancelled, BookingChangeAsked, BookingDeclined, ResourceChanged
from contracts.catalog import ListingWithdrawn
from contracts.identity import MemberChanged, MemberState
from services.chassis.ids import new_id
from tests.services.booking.workshop import EVERY_DAY, RULES, TODAY, Workshop, at, iso

MORNINGS = RULES | {"opening_hours": [hours | {"closes": "12:00"} for hours in EVERY_DAY]}


async def preview(workshop: Workshop, rules: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = await workshop.as_omar.post(f"/resources/{workshop.laser}/preview", json=rules, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(affected: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    return [(one["booking"]["start"], [reason["code"] for reason in one["reasons"]]) for one in affected]


async def settle(workshop: Workshop, **choices: Any) -> dict[str, Any]:
    answer = await workshop.as_omar.post(f"/resources/{workshop.laser}/settle", json=choices)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_preview_tells_what_would_no_longer_fit_and_changes_nothing(workshop: Workshop) -> None:
    for start, end in ((9, 11), (13, 15), (16, 20)):
        await workshop.book(workshop.as_ana, at(start), at(end))
    await workshop.said()
    seen = await preview(workshop, MORNINGS, **{"Accept-Language": "fr"})
    assert told(seen["affected"]) == [(iso(at(13)), ["outside_hours"]), (iso(at(16)), ["outside_hours"])]
    assert seen["affected"][0]["reasons"][0]["detail"] == "hors des nouvelles heures d'ouverture"
    assert seen["affected"][0]["booking"]["borrower"]["name"] == "Ana"
    short = await preview(workshop, RULES | {"maximum_minutes": 120, "minimum_minutes": 60})
    assert told(short["affected"]) == [(iso(at(16)), ["too_long"])]
    closed = (TODAY + timedelta(days=3)).isoformat()
    day_off = await preview(workshop, RULES | {"terms": {"closures": [{"first": closed, "last": closed}]}})
    assert {reason for _, why in told(day_off["affected"]) for reason in why} == {"closed_day"}
    circle = await preview(workshop, RULES | {"terms": {"circle_ids": [str(new_id())]}})
    assert {reason for _, why in told(circle["affected"]) for reason in why} == {"not_for"}
    assert await workshop.said() == []
    assert (await workshop.as_omar.get(f"/resources/{workshop.laser}")).json()["opening_hours"] == EVERY_DAY
    assert (await workshop.as_ana.post(f"/resources/{workshop.laser}/preview", json=MORNINGS)).status_code == 403


async def test_saving_answers_the_same_list_and_less_than_is_booked_is_blocked(workshop: Workshop) -> None:
    await workshop.rules(capacity=3)
    await workshop.book(workshop.as_ana, at(9), at(11), quantity=3)
    await workshop.book(workshop.as_chloe, at(13), at(15))
    saved = await workshop.rules(opening_hours=MORNINGS["opening_hours"], capacity=3)
    assert told(saved["affected"]) == [(iso(at(13)), ["outside_hours"])]
    fewer = RULES | {"capacity": 2}
    seen = await preview(workshop, fewer)
    assert (told(seen["affected"]), seen["blocked"]) == ([(iso(at(9)), ["beyond_capacity"])], True)
    refused = await workshop.as_omar.put(f"/resources/{workshop.laser}", json=fewer)
    assert (refused.status_code, refused.json()["in_the_way"]) == (409, [seen["affected"][0]["booking"]["id"]])


async def test_keep_cancel_and_move_in_one_step_with_the_rules(workshop: Workshop) -> None:
    ids = [(await workshop.book(workshop.as_ana, at(start), at(start + 1))).json()["id"] for start in (13, 14, 15, 16)]
    await workshop.said()
    answer = await settle(
        workshop,
        rules=MORNINGS,
        keep=[ids[0]],
        cancel=[{"id": ids[1], "reason": "Fermé l'après-midi"}],
        move=[
            {"id": ids[2], "start": iso(at(10)), "end": iso(at(11))},
            {"id": ids[3], "start": iso(at(17)), "end": iso(at(18))},
        ],
    )
    (failed,) = answer["failed"]
    assert (failed["id"], failed["problem"]["status"]) == (ids[3], 422)
    assert [(one["booking"]["id"], one["kept"]) for one in answer["items"]] == [
        (ids[0], True), (ids[2], False), (ids[3], False),
    ]  # fmt: skip
    assert answer["to_settle"] == 2
    cancelled, changed, asked = await workshop.said(BookingCancelled, ResourceChanged, BookingChangeAsked)
    assert (str(cancelled.booking.id), cancelled.booking.reason, cancelled.by) == (
        ids[1],
        "Fermé l'après-midi",
        "owner",
    )
    assert (str(asked.booking.id), asked.change.by_owner, changed.resource.version) == (ids[2], True, 2)
    kept = (await workshop.as_ana.get(f"/bookings/{ids[0]}")).json()
    assert [(line["what"], line["by_name"]) for line in kept["history"]] == [("booked", "Ana"), ("kept", "Omar")]
    moved = await workshop.as_ana.post(f"/bookings/{ids[2]}/change/accept")
    assert (moved.status_code, moved.json()["start"]) == (200, iso(at(10)))


async def test_room_is_made_before_the_capacity_is_lowered_or_nothing_is_done(workshop: Workshop) -> None:
    await workshop.rules(capacity=3)
    ids = [(await workshop.book(workshop.as_ana, at(9), at(11))).json()["id"] for _ in range(3)]
    fewer = RULES | {"capacity": 1}
    body = {"rules": fewer, "cancel": [{"id": ids[0]}]}
    refused = await workshop.as_omar.post(f"/resources/{workshop.laser}/settle", json=body)
    assert refused.status_code == 409
    assert (await workshop.as_ana.get(f"/bookings/{ids[0]}")).json()["status"] == "confirmed"
    done = await settle(workshop, rules=fewer, cancel=[{"id": ids[0]}, {"id": ids[1]}])
    assert (done["failed"], done["to_settle"]) == ([], 0)


async def test_a_request_is_declined_and_only_bookings_of_this_offer_are_settled(workshop: Workshop) -> None:
    other = await workshop.publish(new_id(), title="Presse")
    await workshop.rules(other)
    body = {"offer_id": str(other), "start": iso(at(9)), "end": iso(at(10))}
    elsewhere = (await workshop.as_ana.post("/bookings", json=body)).json()["id"]
    await workshop.rules(approval="owner")
    asked = (await workshop.book(workshop.as_ana, at(9), at(10))).json()["id"]
    await workshop.said()
    answer = await settle(workshop, cancel=[{"id": asked}, {"id": elsewhere}, {"id": str(new_id())}])
    assert [one["problem"]["status"] for one in answer["failed"]] == [404, 404]
    (declined,) = await workshop.said(BookingDeclined)
    assert str(declined.booking.id) == asked
    nobody = await workshop.as_ana.post(f"/resources/{workshop.laser}/settle", json={"keep": [asked]})
    assert nobody.status_code == 403


async def test_what_is_to_come_of_a_withdrawn_offer_is_listed_until_somebody_chooses(workshop: Workshop) -> None:
    first = (await workshop.book(workshop.as_ana, at(9), at(10))).json()["id"]
    await workshop.hear(ListingWithdrawn(id=workshop.laser, side="offer", version=99, reason="withdrawn"))
    seen = (await workshop.as_omar.get(f"/resources/{workshop.laser}/upcoming")).json()
    assert (told(seen["items"]), seen["to_settle"]) == ([(iso(at(9)), ["withdrawn"])], 1)
    assert (await settle(workshop, keep=[first]))["to_settle"] == 0
    assert (await workshop.as_ana.get(f"/resources/{workshop.laser}/upcoming")).status_code == 403


async def test_coordinators_see_and_settle_what_an_owner_who_left_has_promised(workshop: Workshop) -> None:
    first = (await workshop.book(workshop.as_ana, at(9), at(10))).json()["id"]
    assert (await workshop.as_chloe.get("/bookings", params={"role": "orphaned"})).json()["items"] == []
    left = MemberState(id=workshop.omar, name="Omar", role="member", status="left", locale="fr", version=2)
    await workshop.hear(MemberChanged(member=left))
    await workshop.hear(ListingWithdrawn(id=workshop.laser, side="offer", version=99, reason="owner_left"))
    seen = (await workshop.as_chloe.get("/bookings", params={"role": "orphaned"})).json()["items"]
    assert [one["id"] for one in seen] == [first]
    assert (await workshop.as_ana.get("/bookings", params={"role": "orphaned"})).status_code == 403
    shown = (await workshop.as_chloe.get(f"/resources/{workshop.laser}/upcoming")).json()
    assert told(shown["items"]) == [(iso(at(9)), ["owner_left"])]
    body = {"cancel": [{"id": first, "reason": "La machine part avec Omar"}]}
    done = await workshop.as_chloe.post(f"/resources/{workshop.laser}/settle", json=body)
    assert (done.json()["failed"], done.json()["items"]) == ([], [])


async def test_the_same_key_settles_once(workshop: Workshop) -> None:
    booked = (await workshop.book(workshop.as_ana, at(13), at(15))).json()
    await workshop.said()
    body, key = {"cancel": [{"id": booked["id"], "reason": "travaux"}]}, {"Idempotency-Key": "k1"}
    path = f"/resources/{workshop.laser}/settle"
    first = await workshop.as_omar.post(path, json=body, headers=key)
    again = await workshop.as_omar.post(path, json=body, headers=key)
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert again.json()["failed"] == []
    assert len(await workshop.said(BookingCancelled)) == 1
    other = await workshop.as_omar.post(path, json={"keep": [booked["id"]]}, headers=key)
    assert other.status_code == 422


async def test_the_same_key_holds_once(workshop: Workshop) -> None:
    body = {"offer_id": str(workshop.laser), "start": iso(at(9)), "end": iso(at(11))}
    first = await workshop.as_ana.post("/holds", json=body, headers={"Idempotency-Key": "h1"})
    again = await workshop.as_ana.post("/holds", json=body, headers={"Idempotency-Key": "h1"})
    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
