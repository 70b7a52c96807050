"""Sessions as people live them: planning, seats, waiting, leaving, moving, calling off."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.booking import SeatChanged, SessionChanged, SessionReminder
from contracts.identity import MemberChanged, MemberState
from tests.services.booking.sessions import Meetings, form, mine, planned, sign_up, states, whole
from tests.services.booking.workshop import Workshop, at, iso

TOMORROW = "UPDATE sessions SET starts_at = now() + interval '23 hours', ends_at = now() + interval '25 hours'"


@pytest.fixture
def meetings(workshop: Workshop) -> Meetings:
    return Meetings(workshop)


async def test_a_session_is_planned_from_its_template(workshop: Workshop) -> None:
    templates = (await workshop.as_ana.get("/session-templates", headers={"accept-language": "nl"})).json()["items"]
    first = next(one for one in templates if one["template"] == "co_development")
    assert [(one["code"], one["minimum"], one["maximum"]) for one in first["roles"]] == [
        ("client", 1, 1), ("consultant", 4, 8), ("facilitator", 1, 1)
    ]  # fmt: skip
    assert sum(step["minutes"] for step in first["steps"]) == first["minutes"] == 120
    answer = await workshop.as_ana.post("/sessions", json=whole())
    assert answer.status_code == 201, answer.text
    view = answer.json()
    assert view["steps"][1]["start"] == iso(at(14, 15))
    assert view["mine"] == {
        "role": "facilitator", "role_label": "Animation", "state": "taken", "position": None, "accept_by": None,
        "answers": {},
    }  # fmt: skip
    assert view["is_short"] is True
    seat, told = await workshop.said(SeatChanged, SessionChanged)
    assert (seat.seat.member_id, seat.seat.role, seat.seat.state) == (workshop.ana, "facilitator", "taken")
    assert (seat.session.version, told.session.version) == (1, 2)
    assert [(role.code, role.taken) for role in told.session.roles] == [
        ("client", 0), ("consultant", 0), ("facilitator", 1)
    ]  # fmt: skip


async def test_the_same_key_plans_one_session(workshop: Workshop) -> None:
    key = {"idempotency-key": "k1"}
    first, again = [await workshop.as_ana.post("/sessions", json=form(), headers=key) for _ in range(2)]
    assert first.json()["id"] == again.json()["id"]
    other = await workshop.as_ana.post("/sessions", json=form(title="Autre chose"), headers=key)
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end": at(13).isoformat()}, "end"),
        ({"start": at(14, days=-1).isoformat()}, "start"),
        ({"time_zone": "Europe/Nowhere"}, "time_zone"),
        ({"roles": []}, "roles"),
        ({"roles": [{"code": "a", "label": "A", "minimum": 3, "maximum": 2}]}, "roles.0.minimum"),
        ({"roles": [{"code": "a", "label": "A", "maximum": 1}] * 2}, "roles"),
        ({"roles": [{"code": "a", "label": "A", "maximum": 1000}, {"code": "b", "label": "B", "maximum": 1}]}, "roles"),
        ({"steps": [{"title": "Trop", "minutes": 121}]}, "steps"),
        ({"video_url": "javascript:alert(1)"}, "video_url"),
        ({"video_url": 'https://x.example/"onclick='}, "video_url"),
        ({"rotating_role": "nobody"}, "rotating_role"),
        ({"audience": "circles"}, "audience_circle_ids"),
        ({"repeat": {"rrule": "FREQ=DAILY"}}, "repeat.rrule"),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field(workshop: Workshop, changes: dict[str, Any], field: str) -> None:
    answer = await workshop.as_ana.post("/sessions", json=form(**changes))
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in {error["field"] for error in answer.json()["errors"]}


async def test_a_freed_seat_is_offered_accepted_or_passed_on(workshop: Workshop, meetings: Meetings) -> None:
    bea, carl, dora = await meetings.people("Bea", "Carl", "Dora")
    session_id = await planned(workshop.as_ana)
    assert (await sign_up(bea, session_id))["state"] == "taken"
    assert [(await sign_up(one, session_id))["position"] for one in (carl, dora)] == [1, 2]
    await workshop.said()
    answer = await bea.post(f"/sessions/{session_id}/leave", json={})
    assert (answer.status_code, answer.json()["mine"]) == (200, None)
    assert [state for _, state in await meetings.seats_said()] == ["left", "offered"]
    offered = await mine(carl, session_id)
    assert offered is not None
    assert offered["state"] == "offered"
    assert (await mine(dora, session_id) or {})["position"] == 1
    # Nobody who comes meanwhile gets the seat that is offered.
    assert (await sign_up(bea, session_id))["state"] == "waiting"
    await workshop.sql("UPDATE session_sign_ups SET accept_by = now() - interval '1 second' WHERE state = 'offered'")
    late = await carl.post(f"/sessions/{session_id}/accept", json={}, headers={"accept-language": "nl"})
    assert (late.status_code, late.json()["type"]) == (409, "urn:maillage:problem:booking/nothing-offered")
    assert "plaats" in late.json()["detail"]
    await workshop.said()
    await meetings.sweep()
    assert [state for _, state in await meetings.seats_said()] == ["missed", "offered"]
    accepted = await dora.post(f"/sessions/{session_id}/accept", json={})
    assert accepted.json()["mine"]["state"] == "taken"
    assert await mine(carl, session_id) is None


async def test_an_offer_that_is_over_gives_way_to_who_comes(workshop: Workshop, meetings: Meetings) -> None:
    bea, carl, dora = await meetings.people("Bea", "Carl", "Dora")
    session_id = await planned(workshop.as_ana)
    await sign_up(bea, session_id)
    await sign_up(carl, session_id)
    await bea.post(f"/sessions/{session_id}/leave", json={})
    await workshop.sql("UPDATE session_sign_ups SET accept_by = now() - interval '1 second' WHERE state = 'offered'")
    assert (await sign_up(dora, session_id))["state"] == "taken"


async def test_moving_keeps_seats_and_cancelling_ends_it(workshop: Workshop, meetings: Meetings) -> None:
    (bea,) = await meetings.people("Bea")
    session_id = await planned(workshop.as_ana)
    await sign_up(bea, session_id)
    refused = await bea.post(f"/sessions/{session_id}/move", json={"start": iso(at(9)), "end": iso(at(11))})
    assert refused.status_code == 403
    moved = await workshop.as_ana.post(f"/sessions/{session_id}/move", json={"start": iso(at(9)), "end": iso(at(11))})
    assert moved.status_code == 200, moved.text
    assert (moved.json()["start"], states(moved.json())) == (iso(at(9)), [("Bea", "taken")])
    await workshop.said()
    gone = await workshop.as_ana.post(f"/sessions/{session_id}/cancel", json={"reason": "Salle fermée"})
    assert (gone.json()["status"], gone.json()["reason"]) == ("cancelled", "Salle fermée")
    [event] = await workshop.said()
    assert isinstance(event, SessionChanged)
    late = await bea.post(f"/sessions/{session_id}/leave", json={})
    assert late.json()["type"] == "urn:maillage:problem:booking/session-is-cancelled"


async def test_nothing_changes_once_it_has_begun(workshop: Workshop, meetings: Meetings) -> None:
    (bea,) = await meetings.people("Bea")
    session_id = await planned(workshop.as_ana)
    await workshop.sql("UPDATE sessions SET starts_at = now() - interval '1 minute'")
    answer = await bea.post(f"/sessions/{session_id}/sign-up", json={"role": "client"})
    assert answer.json()["type"] == "urn:maillage:problem:booking/session-has-begun"


async def test_roles_and_steps_are_edited_but_no_held_seat_is_lost(workshop: Workshop, meetings: Meetings) -> None:
    bea, carl, dora = await meetings.people("Bea", "Carl", "Dora")
    roles = [{"code": "guest", "label": "Invité·e", "minimum": 0, "maximum": 2}]
    session_id = await planned(workshop.as_ana, roles=roles)
    for one in (bea, carl, dora):
        await sign_up(one, session_id, "guest")
    await bea.post(f"/sessions/{session_id}/leave", json={})
    contents = {"title": "Atelier", "roles": [{"code": "guest", "label": "Convive", "minimum": 1, "maximum": 1}]}
    refused = await workshop.as_ana.put(f"/sessions/{session_id}", json=contents)
    assert (refused.status_code, refused.json()["seats"]) == (409, 2)
    contents["roles"] = [{"code": "other", "label": "Autre", "maximum": 1}]
    assert (await workshop.as_ana.put(f"/sessions/{session_id}", json=contents)).status_code == 409
    await dora.post(f"/sessions/{session_id}/leave", json={})
    contents["roles"] = [
        {"code": "guest", "label": "Convive", "minimum": 1, "maximum": 1},
        {"code": "cook", "label": "Cuisine", "minimum": 1, "maximum": 2},
    ]
    contents["steps"] = [{"title": "Repas", "minutes": 90}]
    changed = (await workshop.as_ana.put(f"/sessions/{session_id}", json=contents)).json()
    assert [(role["label"], role["taken"], role["maximum"]) for role in changed["roles"]] == [
        ("Convive", 1, 1), ("Cuisine", 0, 2)
    ]  # fmt: skip
    assert (changed["steps"][0]["title"], changed["is_short"]) == ("Repas", True)
    # More seats are offered at once to those who wait.
    assert (await sign_up(dora, session_id, "guest"))["state"] == "waiting"
    contents["roles"][0]["maximum"] = 2
    await workshop.as_ana.put(f"/sessions/{session_id}", json=contents)
    assert (await mine(dora, session_id) or {})["state"] == "offered"


async def test_the_monthly_day_is_a_series_with_small_questions(workshop: Workshop, meetings: Meetings) -> None:
    (bea,) = await meetings.people("Bea")
    extras = [
        {"code": "meal", "label": "Repas", "kind": "yes_no"},
        {"code": "children", "label": "Enfants", "kind": "number", "maximum": 4},
    ]
    repeat = {"rrule": "FREQ=WEEKLY;INTERVAL=4;COUNT=5", "without": [str((at(9) + timedelta(weeks=4)).date())]}
    session_id = await planned(workshop.as_ana, template="monthly_day", extras=extras, repeat=repeat)
    first = (await workshop.as_ana.get(f"/sessions/{session_id}")).json()
    series = (await bea.get("/sessions", params={"series_id": first["series_id"], "from": iso(at(0))})).json()
    assert len(series["items"]) == 4
    wrong = await bea.post(f"/sessions/{session_id}/sign-up", json={"role": "client", "answers": {"children": 5}})
    assert wrong.json()["errors"][0]["field"] == "answers.children"
    for bad in ({"meal": 1}, {"children": True}, {"dog": True}):
        answer = await bea.post(f"/sessions/{session_id}/sign-up", json={"role": "client", "answers": bad})
        assert answer.status_code == 422
    place = await sign_up(bea, session_id, answers={"meal": True, "children": 2})
    assert place["answers"] == {"meal": True, "children": 2}
    changed = await bea.put(f"/sessions/{session_id}/answers", json={"answers": {"children": 1}})
    assert [extra["total"] for extra in changed.json()["extras"]] == [0, 1]
    assert changed.json()["participants"][0]["answers"] is None
    led = (await workshop.as_ana.get(f"/sessions/{session_id}")).json()
    assert led["participants"][0]["answers"] == {"meal": False, "children": 1}


async def test_the_list_pages_in_order(workshop: Workshop) -> None:
    ids = [await planned(workshop.as_ana, start=iso(at(9, days=day)), end=iso(at(10, days=day))) for day in (5, 3, 4)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await workshop.as_omar.get("/sessions", params={"from": iso(at(0)), "limit": 1} | cursor)).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == [ids[1], ids[2], ids[0]]
    assert (await workshop.as_omar.get("/sessions", params={"cursor": "x"})).status_code == 422
    assert (await workshop.as_omar.get("/sessions", params={"mine": True})).json()["items"] == []
    assert len((await workshop.as_ana.get("/sessions", params={"mine": True})).json()["items"]) == 3


async def test_the_day_before_is_said_once(workshop: Workshop, meetings: Meetings) -> None:
    (bea,) = await meetings.people("Bea")
    session_id = await planned(workshop.as_ana, roles=[{"code": "client", "label": "C", "minimum": 2, "maximum": 2}])
    await sign_up(bea, session_id)
    await meetings.sweep()
    assert await workshop.said(SessionReminder) == []
    await workshop.sql(
        "UPDATE sessions SET starts_at = now() + interval '23 hours', ends_at = now() + interval '25 hours'"
    )
    await workshop.said()
    await meetings.sweep()
    await meetings.sweep()
    [reminder] = await workshop.said(SessionReminder)
    assert len(reminder.member_ids) == 1
    assert (reminder.short, reminder.video_url) == (True, "https://video.example/salle")
    moved = await workshop.as_ana.post(f"/sessions/{session_id}/move", json={"start": iso(at(9)), "end": iso(at(10))})
    assert moved.status_code == 200
    await workshop.sql(
        "UPDATE sessions SET starts_at = now() + interval '23 hours', ends_at = now() + interval '25 hours'"
    )
    await meetings.sweep()
    assert len(await workshop.said(SessionReminder)) == 1


async def test_who_leaves_the_cooperative_leaves_the_seat(workshop: Workshop, meetings: Meetings) -> None:
    bea_id = await meetings.join("Bea")
    (carl,) = await meetings.people("Carl")
    session_id = await planned(workshop.as_ana)
    await sign_up(workshop.client(bea_id, name="Bea"), session_id)
    await sign_up(carl, session_id)
    gone = MemberState(id=bea_id, name="Bea", role="member", status="left", locale="fr", version=2)
    await workshop.hear(MemberChanged(member=gone))
    assert (await mine(carl, session_id) or {})["state"] == "offered"
