"""Searches that are kept: one button on the search page, what can be changed, and the link of a mail."""

import httpx
import pytest

from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import (
    NEED,
    OFFER,
    PEER,
    SEARCH,
    Pretend,
    listing,
    page,
    problem,
    result,
    saved_search,
)


async def test_one_button_keeps_what_is_searched_for(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    shown = await client.get(f"/search?q=scie+à+ruban&side=offer&kind=machine&origin={PEER}&near=50.63,3.06&radius=25")
    answer = await client.post("/searches", data=fill(shown, "/searches"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/searches")
    (sent,) = pretend.bodies("POST", "/api/matching/saved-searches")
    assert sent == {
        "name": "scie à ruban", "words": "scie à ruban", "side": "offer", "kind": "machine", "origin": PEER,
        "around": {"latitude": "50.63", "longitude": "3.06", "radius_km": "25", "label": "ma position"}, "how": "daily",
    }  # fmt: skip
    assert "chaque matin" in (await client.get("/searches")).text


async def test_without_words_the_search_is_called_by_its_kind_and_the_place_is_the_cooperatives(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    shown = await client.get("/search?kind=space&near=here&radius=10")
    await client.post("/searches", data=fill(shown, "/searches"))
    (sent,) = pretend.bodies("POST", "/api/matching/saved-searches")
    assert (sent["name"], sent["side"], sent["origin"]) == ("lieu", None, None)
    assert sent["around"]["label"] == "Lille"
    assert sent["around"]["radius_km"] == "10"


async def test_visitors_have_no_such_button(browse: Browse) -> None:
    shown = await browse(Pretend(), signed_in=False).get("/search?q=scie")
    assert 'action="/searches"' not in shown.text


@pytest.mark.parametrize("do", ["pause", "resume"])
async def test_a_search_is_paused_and_resumed_as_it_is(browse: Browse, do: str) -> None:
    pretend = Pretend()
    client = browse(pretend)
    hidden = fill(await client.get("/searches"), f"/searches/{SEARCH}")
    answer = await client.post(f"/searches/{SEARCH}", data={**hidden, "do": do})
    assert answer.status_code == 303
    (sent,) = pretend.bodies("PUT", f"/api/matching/saved-searches/{SEARCH}")
    assert sent == saved_search(made_at=sent["made_at"]) | {"paused": do == "pause"}


async def test_it_is_changed_where_it_stands_and_a_refusal_keeps_what_was_typed(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    hidden = fill(await client.get("/searches"), f"/searches/{SEARCH}")
    typed = {"name": "Scies", "words": "scie", "side": "", "kind": "", "radius": "", "how": "instant"}
    assert (await client.post(f"/searches/{SEARCH}", data={**hidden, **typed})).status_code == 303
    (sent,) = pretend.bodies("PUT", f"/api/matching/saved-searches/{SEARCH}")
    assert [sent[name] for name in ("name", "words", "side", "kind", "around", "how", "paused")] == [
        "Scies", "scie", None, None, None, "instant", False,
    ]  # fmt: skip
    pretend.rules[f"PUT matching /saved-searches/{SEARCH}"] = lambda _: problem(422, "invalid-fields", "À corriger.")
    refused = await client.post(f"/searches/{SEARCH}", data={**hidden, **typed})
    assert refused.status_code == 422
    assert 'value="Scies"' in refused.text
    assert "À corriger." in refused.text


async def test_a_distance_that_no_list_has_stays_chosen(browse: Browse) -> None:
    assert '<option value="30" selected>30 km</option>' in (await browse(Pretend()).get("/searches")).text


async def test_it_is_removed_and_opens_as_the_newest_first(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend)
    opened = await client.get(f"/searches/{SEARCH}")
    assert opened.headers["location"] == (
        f"/search?q=scie+ruban&side=offer&kind=machine&origin={PEER}&near=50.63%2C3.06&radius=30&sort=newest"
    )
    hidden = fill(await client.get("/searches"), f"/searches/{SEARCH}")
    await client.post(f"/searches/{SEARCH}", data={**hidden, "do": "remove"})
    assert [one.method for one in pretend.seen if one.url.path.endswith(SEARCH)] == ["DELETE"]
    other = "0190a000-0000-7000-8000-0000000000ff"
    assert (await client.get(f"/searches/{other}")).status_code == 404


async def test_the_link_of_a_mail_asks_first_and_needs_no_account(browse: Browse) -> None:
    pretend = Pretend()
    client = browse(pretend, signed_in=False)
    path = f"/searches/{SEARCH}/stop/key"
    shown = await client.get(path)
    assert "Scie à ruban" in shown.text
    assert [one.method for one in pretend.seen if one.url.path.endswith("/stop")] == ["GET"]
    token = shown.text.split('name="form" value="')[1].split('"')[0]
    stopped = await client.post(path, data={"form": token})
    assert "C'est arrêté" in stopped.text
    sent = [one for one in pretend.seen if one.method == "POST"]
    assert [dict(one.url.params) for one in sent] == [{"key": "key"}]
    assert (await client.post(path, data={"form": "foreign"})).status_code == 403


async def test_what_is_kept_of_me_can_be_taken_along(browse: Browse) -> None:
    pretend = Pretend(rules={"GET matching /me/data": lambda _: {"saved_searches": [saved_search()]}})
    answer = await browse(pretend).get("/searches/data.json")
    assert answer.json()["saved_searches"][0]["name"] == "Scie à ruban"
    assert "attachment" in answer.headers["content-disposition"]


async def test_the_limit_is_told(browse: Browse) -> None:
    def full(_: httpx.Request) -> httpx.Response:
        return problem(409, "too-many-searches", "Vous gardez déjà 20 recherches. Supprimez-en une d'abord.", most=20)

    pretend = Pretend(rules={"POST matching /saved-searches": full})
    client = browse(pretend)
    hidden = fill(await client.get("/search?q=scie"), "/searches")
    answer = await client.post("/searches", data=hidden)
    assert answer.status_code == 409
    assert "Vous gardez déjà 20 recherches." in answer.text


@pytest.mark.parametrize(("at_least", "said"), [(True, "Plus de 2 résultats"), (False, "2 résultats")])
async def test_a_count_that_is_a_lower_bound_is_said_to_be_one(browse: Browse, *, at_least: bool, said: str) -> None:
    pretend = Pretend()
    pretend.rules["GET matching /search"] = lambda _: page(result(listing()), total=2, at_least=at_least)
    shown = await browse(pretend).get("/search?q=scie")
    assert f"<h1>{said} pour" in shown.text


@pytest.mark.parametrize("path", [f"/offers/{OFFER}", f"/needs/{NEED}"])
async def test_codes_stand_on_the_page_of_what_they_are_of(browse: Browse, path: str) -> None:
    assert "ROME B1803 : Couture" in (await browse(Pretend()).get(path)).text
