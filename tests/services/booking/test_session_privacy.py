"""Who sees a session, and who sees who takes part; and whose turn it is."""

import json

import pytest
import sqlalchemy as sa

from tests.services.booking.sessions import Meetings, mine, planned, sign_up, states
from tests.services.booking.workshop import Workshop, at, iso

LISTENING = [
    {"code": "listener", "label": "Écoute", "minimum": 1, "maximum": 1},
    {"code": "person", "label": "Personne", "minimum": 1, "maximum": 1},
]


@pytest.fixture
def meetings(workshop: Workshop) -> Meetings:
    return Meetings(workshop)


async def test_only_those_concerned_see_who_takes_part_in_a_private_session(
    workshop: Workshop, meetings: Meetings
) -> None:
    zoe, outside = await meetings.people("Zoé", "Paul")
    session_id = await planned(workshop.as_ana, private=True, roles=LISTENING, organiser_role="listener")
    await sign_up(zoe, session_id, "person")
    for client in (zoe, workshop.as_ana):
        view = (await client.get(f"/sessions/{session_id}")).json()
        assert states(view) == [("Ana", "taken"), ("Zoé", "taken")]
        assert view["video_url"] == "https://video.example/salle"
    for client in (workshop.as_chloe, outside):
        seen = await client.get(f"/sessions/{session_id}")
        listed = await client.get("/sessions")
        assert seen.json()["participants"] is None
        assert "Zoé" not in seen.text + listed.text
        assert "video.example" not in seen.text + listed.text
    assert "Zoé" not in json.dumps([event.model_dump(mode="json") for event in await workshop.said()])


async def test_names_are_shown_where_it_is_not_private_but_waiting_only_to_the_organiser(
    workshop: Workshop, meetings: Meetings
) -> None:
    bea, carl = await meetings.people("Bea", "Carl")
    session_id = await planned(workshop.as_ana)
    await sign_up(bea, session_id)
    await sign_up(carl, session_id)
    assert states((await workshop.as_omar.get(f"/sessions/{session_id}")).json()) == [("Bea", "taken")]
    led = states((await workshop.as_ana.get(f"/sessions/{session_id}")).json())
    assert led == [("Bea", "taken"), ("Carl", "waiting")]
    waiting = (await carl.get(f"/sessions/{session_id}")).json()
    assert (waiting["video_url"], waiting["has_video"]) == (None, True)


async def test_a_circles_session_is_for_the_circle(workshop: Workshop, meetings: Meetings) -> None:
    circle = await meetings.circle(workshop.ana, workshop.omar)
    (paul,) = await meetings.people("Paul")
    session_id = await planned(
        workshop.as_ana, audience="circles", audience_circle_ids=[str(circle)], circle_id=str(circle)
    )
    assert (await workshop.as_omar.get(f"/sessions/{session_id}")).json()["circle_name"] == "Cercle bois"
    for path in (f"/sessions/{session_id}", f"/sessions/{session_id}/sign-up"):
        answer = await (paul.get(path) if path.endswith(session_id) else paul.post(path, json={"role": "client"}))
        assert answer.status_code == 404
    assert (await paul.get("/sessions")).json()["items"] == []
    assert len((await workshop.as_omar.get("/sessions", params={"circle_id": str(circle)})).json()["items"]) == 1
    assert (await workshop.as_chloe.get(f"/sessions/{session_id}")).status_code == 200
    for field in ({"circle_id": str(circle)}, {"audience": "circles", "audience_circle_ids": [str(circle)]}):
        refused = await paul.post("/sessions", json=_form(**field))
        assert refused.status_code == 422


def _form(**changes: object) -> dict[str, object]:
    return {
        "title": "Atelier", "start": iso(at(9)), "end": iso(at(10)), "time_zone": "Europe/Paris",
        "roles": [{"code": "a", "label": "A", "maximum": 1}], **changes,
    }  # fmt: skip


async def test_who_was_the_client_last_time_waits_until_two_days_before(workshop: Workshop, meetings: Meetings) -> None:
    circle = await meetings.circle(workshop.ana, *[await meetings.join(name) for name in ("x", "y")])
    bea_id, carl_id = await meetings.join("Bea"), await meetings.join("Carl")
    bea, carl = workshop.client(bea_id, name="Bea"), workshop.client(carl_id, name="Carl")
    common = {"circle_id": str(circle), "rotating_role": "client"}
    last = await planned(workshop.as_ana, start=iso(at(9, days=2)), end=iso(at(10, days=2)), **common)
    following = await planned(workshop.as_ana, start=iso(at(9, days=9)), end=iso(at(10, days=9)), **common)
    await sign_up(bea, last)
    view = (await bea.get(f"/sessions/{following}")).json()
    assert view["roles"][0]["i_must_wait"] is True
    assert (await sign_up(bea, following))["state"] == "waiting"
    await meetings.sweep()
    assert (await mine(bea, following) or {})["state"] == "waiting"
    assert (await sign_up(carl, following))["state"] == "taken"
    await carl.post(f"/sessions/{following}/leave", json={})
    assert (await mine(bea, following) or {})["state"] == "waiting"
    soon = (
        "UPDATE sessions SET starts_at = now() + make_interval(hours => :hours),"
        " ends_at = now() + make_interval(hours => :hours + 1) WHERE id = :id"
    )
    await workshop.sql(soon, id=following, hours=47)
    await workshop.sql(soon, id=last, hours=46)
    await meetings.sweep()
    assert (await mine(bea, following) or {})["state"] == "offered"


async def test_without_circle_or_series_nobody_takes_turns(workshop: Workshop, meetings: Meetings) -> None:
    (bea,) = await meetings.people("Bea")
    for day in (3, 4):
        session_id = await planned(
            workshop.as_ana, start=iso(at(9, days=day)), end=iso(at(10, days=day)), rotating_role="client"
        )
        assert (await sign_up(bea, session_id))["state"] == "taken"


async def test_without_a_token_nothing_is_shown_or_done(workshop: Workshop) -> None:
    session_id = await planned(workshop.as_ana)
    nobody = workshop.as_ana
    del nobody.headers["authorization"]
    for method, path in (
        ("GET", "/sessions"), ("GET", f"/sessions/{session_id}"), ("POST", "/sessions"), ("GET", "/session-templates"),
        ("PUT", f"/sessions/{session_id}"), ("PUT", f"/sessions/{session_id}/answers"),
        *(("POST", f"/sessions/{session_id}/{what}") for what in ("sign-up", "accept", "leave", "move", "cancel")),
    ):  # fmt: skip
        assert (await nobody.request(method, path, json={})).status_code in {401, 422}, path
        assert (await nobody.request(method, path, json=_form())).status_code in {401, 422}, path
    async with workshop.db.reading() as session:
        assert (await session.execute(sa.text("SELECT count(*) FROM sessions"))).scalar_one() == 1
