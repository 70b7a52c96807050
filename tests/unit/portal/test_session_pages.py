"""Planning a session in a minute, and taking a seat in one: what the pages send, and what they say."""

import re
from typing import Any

import httpx
import pytest

from tests.unit.portal.conftest import Browse
from tests.unit.portal.pretend import SESSION, Pretend, problem, session

HERE = f"/sessions/{SESSION}"
API = f"/api/booking{HERE}"


async def fill_in(client: httpx.AsyncClient, page: str, action: str, **values: str) -> httpx.Response:
    """Send the form that goes to `action`, as the page has filled it, with `values` changed."""
    html = (await client.get(page)).text
    [form] = [one for one in re.findall(r"<form.*?</form>", html, re.DOTALL) if f'action="{action}"' in one]
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        ticked = "checkbox" not in tag and "radio" not in tag
        if name and value and (ticked or "checked" in tag):
            fields[name[1]] = value[1]
    for name, inside in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inside) or re.search(r'value="([^"]*)"', inside)
        fields[name] = chosen[1] if chosen else ""
    fields |= dict(re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.DOTALL))
    return await client.post(action, data=fields | values)


async def test_a_template_is_planned_as_it_comes(browse: Browse) -> None:
    pretend = Pretend()
    answer = await fill_in(browse(pretend), "/sessions/new?template=co_development", "/sessions/new")
    assert (answer.status_code, answer.headers["location"]) == (303, HERE)
    [body] = pretend.bodies("POST", "/api/booking/sessions")
    assert body["title"] == "Codéveloppement"
    assert [(one["code"], one["label"], one["maximum"]) for one in body["roles"]] == [
        ("client", "Client·e", "1"), ("consultant", "Consultant·e", "8")
    ]  # fmt: skip
    assert (body["rotating_role"], body["organiser_role"], body["repeat"]) == ("client", "consultant", None)
    assert body["steps"] == [{"title": "Exposé", "minutes": "15"}]


async def test_rows_are_added_renamed_and_taken_away(browse: Browse) -> None:
    pretend = Pretend()
    changed = {
        "roles_0_label": "",
        "roles_1_label": "Conseil",
        "roles_2_label": "Prise de notes",
        "roles_2_maximum": "2",
    }
    await fill_in(browse(pretend), "/sessions/new?template=co_development", "/sessions/new", **changed)
    [body] = pretend.bodies("POST", "/api/booking/sessions")
    assert [(one["code"], one["label"]) for one in body["roles"]] == [
        ("consultant", "Conseil"), ("prise_de_notes_2", "Prise de notes")
    ]  # fmt: skip
    assert body["rotating_role"] is None


@pytest.mark.parametrize(
    ("start", "repeat", "rule"),
    [
        ("2031-01-16T09:00", "monthly", "FREQ=MONTHLY;BYDAY=3TH;COUNT=4"),
        ("2031-01-30T09:00", "monthly", "FREQ=MONTHLY;BYDAY=-1TH;COUNT=4"),
        ("2031-01-14T09:00", "fortnightly", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=4"),
    ],
)
async def test_a_repetition_follows_from_the_first_day(browse: Browse, start: str, repeat: str, rule: str) -> None:
    pretend = Pretend()
    values = {"start": start, "repeat": repeat, "times": "4", "minutes": "60"}
    await fill_in(browse(pretend), "/sessions/new?template=open", "/sessions/new", title="Atelier", **values)
    [body] = pretend.bodies("POST", "/api/booking/sessions")
    assert body["repeat"]["rrule"] == rule
    assert body["start"] == f"{start[:10]}T08:00:00+00:00"
    assert body["end"] == f"{start[:10]}T09:00:00+00:00"


async def test_what_is_refused_stands_beside_its_row_and_what_was_typed_stays(browse: Browse) -> None:
    errors = [{"field": "roles.0.minimum", "code": "above_maximum", "detail": "Trop haut."}]
    refusal = problem(422, "invalid-fields", "À corriger.", errors=errors)
    pretend = Pretend(rules={"POST booking /sessions": lambda _: refusal})
    page = "/sessions/new?template=co_development"
    answer = await fill_in(browse(pretend), page, "/sessions/new", roles_0_label="", roles_1_minimum="9")
    assert answer.status_code == 422
    assert re.search(r'id="f-roles_1_minimum"[^>]*value="9"[^>]*aria-describedby="e-roles_1_minimum"', answer.text)
    assert 'id="e-roles_1_minimum"' in answer.text


async def test_signing_up_sends_role_and_answers(browse: Browse) -> None:
    shown = session(mine=None, may_sign_up=True, may_lead=False)
    pretend = Pretend(rules={f"GET booking {HERE}": lambda _: shown})
    values = {"role": "consultant", "answers_meal": "yes", "answers_children": "2"}
    answer = await fill_in(browse(pretend), HERE, f"{HERE}/sign-up", **values)
    assert answer.status_code == 303
    assert pretend.bodies("POST", f"{API}/sign-up") == [
        {"role": "consultant", "answers": {"meal": True, "children": 2}}
    ]  # fmt: skip
    page = (await browse(pretend).get(HERE)).text
    assert "vous laissez passer les autres" in page
    assert "complet\N{NO-BREAK SPACE}: vous serez en position 2" in page


async def test_an_offer_can_be_taken_or_left(browse: Browse) -> None:
    mine: dict[str, Any] = {**session()["mine"], "state": "offered", "accept_by": session()["start"]}
    pretend = Pretend(rules={f"GET booking {HERE}": lambda _: session(mine=mine)})
    client = browse(pretend)
    page = (await client.get(HERE)).text
    assert "Une place vous est proposée" in page
    assert (await fill_in(client, HERE, f"{HERE}/accept")).status_code == 303
    assert (await fill_in(client, HERE, f"{HERE}/leave")).status_code == 303
    late = problem(409, "booking/nothing-offered", "Le délai est passé.")
    pretend.rules[f"POST booking {HERE}/accept"] = lambda _: late
    answer = await fill_in(client, HERE, f"{HERE}/accept")
    assert answer.status_code == 409
    assert "Le délai est passé." in answer.text


async def test_the_organiser_sees_what_is_missing_and_what_was_answered(browse: Browse) -> None:
    page = (await browse(Pretend()).get(HERE)).text
    assert "Il manque encore du monde" in page
    assert "Consultant·e (3 sur 4 au moins)" in page
    assert "<caption" in page


async def test_a_private_session_says_why_nobody_is_named(browse: Browse) -> None:
    shown = session(private=True, participants=None, video_url=None, mine=None, may_lead=True)
    page = (await browse(Pretend(rules={f"GET booking {HERE}": lambda _: shown})).get(HERE)).text
    assert "seules les personnes concernées voient qui participe" in page
    assert "Paul Lemaire" not in page


@pytest.mark.parametrize("what", ["edit", "move", "cancel"])
async def test_only_who_leads_it_may_change_it(browse: Browse, what: str) -> None:
    pretend = Pretend(rules={f"GET booking {HERE}": lambda _: session(may_lead=False)})
    assert (await browse(pretend).get(f"{HERE}/{what}")).status_code == 403


async def test_moving_and_cancelling_say_when_and_why(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    await fill_in(client, f"{HERE}/move", f"{HERE}/move", start="2031-07-01T10:00", minutes="90")
    await fill_in(client, f"{HERE}/cancel", f"{HERE}/cancel", reason="Salle fermée")
    assert pretend.bodies("POST", f"{API}/move") == [
        {"start": "2031-07-01T08:00:00+00:00", "end": "2031-07-01T09:30:00+00:00"}
    ]  # fmt: skip
    assert pretend.bodies("POST", f"{API}/cancel") == [{"reason": "Salle fermée"}]
