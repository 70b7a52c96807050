"""Pages about one linked cooperative: its limits are set as ticked, and it can be blocked and let in again."""

import json
from html import unescape

import pytest

from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import BOOKING, HUB, LINK, PEER, STRANGER, Pretend, Rule, link, peer_offer

PAGE = f"/coordination/links/{LINK}"
STRANGE = f"/coordination/links/members/{HUB}/{STRANGER}"


@pytest.mark.parametrize(
    ("typed", "kinds", "circles"),
    [
        ({"kinds": "some", "share_kinds": ["machine", "space"], "circles": "all"}, ["machine", "space"], None),
        ({"kinds": "some", "circles": "some", "share_circles": []}, [], []),
        ({"kinds": "all", "share_kinds": ["machine"]}, None, None),
    ],
)
async def test_limits_are_set_as_ticked(
    browse: Browse, typed: dict[str, object], kinds: list[str] | None, circles: list[str] | None
) -> None:
    pretend = Pretend(role="administrator")
    client = browse(pretend)
    shown = await client.get(f"{PAGE}/limits")
    data = fill(shown, f"{PAGE}/limits", withheld=["text"], open_requests_at_most="3", **typed)
    done = await client.post(f"{PAGE}/limits", data=data)
    assert (done.status_code, done.headers["location"].split("?")[0]) == (303, PAGE)
    sent = json.loads(next(one for one in pretend.seen if one.method == "PUT").content)
    assert sent == {
        "share_kinds": kinds, "share_circles": circles, "withheld": ["text"], "open_requests_at_most": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("shown_at", "action", "call"),
    [
        (f"{PAGE}/block", f"{PAGE}/block", f"/links/{LINK}/block"),
        (PAGE, f"{PAGE}/unclaimed/call-off", f"/links/{LINK}/unclaimed/call-off"),
        (STRANGE, f"{STRANGE}/accept", f"/members/{HUB}/{STRANGER}/accept"),
        ("/coordination/links", f"/coordination/links/blocks/{PEER}/lift", f"/blocks/{PEER}"),
        ("/coordination/links", "/coordination/links/recovery/end", "/recovery"),
    ],
)
async def test_a_button_does_what_it_says(browse: Browse, shown_at: str, action: str, call: str) -> None:
    pretend = Pretend(role="administrator")
    client = browse(pretend)
    done = await client.post(action, data=fill(await client.get(shown_at), action))
    assert done.status_code == 303
    assert any(one.url.path.endswith(call) and one.method in {"POST", "DELETE"} for one in pretend.seen)


async def test_bookings_of_whom_nobody_knows_after_a_restore_are_named_with_a_way_out(browse: Browse) -> None:
    shown = unescape((await browse(Pretend(role="coordinator")).get(PAGE)).text)
    assert "2 réservations tiennent encore chez elle" in shown
    assert f"{peer_offer()['title']} × 2" in shown
    assert "Offre qui n'est plus partagée" in shown
    assert "Annuler les réservations cochées" in shown
    assert f'name="bookings" value="{BOOKING}" checked' in shown
    whole = Pretend(role="coordinator", rules={"GET federation /links": lambda _: [link(unclaimed=0)]})
    without = (await browse(whole).get(PAGE)).text
    assert "unclaimed" not in without


async def test_only_the_bookings_that_are_ticked_are_called_off(browse: Browse) -> None:
    pretend = Pretend(role="coordinator")
    client, action = browse(pretend), f"{PAGE}/unclaimed/call-off"
    done = await client.post(action, data=fill(await client.get(PAGE), action, bookings=[BOOKING]))
    assert done.status_code == 303
    assert pretend.bodies("POST", f"/api/federation/links/{LINK}/unclaimed/call-off") == [{"booking_ids": [BOOKING]}]


async def test_who_is_behind_a_hub_is_shown_with_what_is_doubtful(browse: Browse) -> None:
    client = browse(Pretend(role="administrator"))
    shown = (await client.get("/coordination/links")).text
    assert "Par le hub Inter-CAE" in shown
    assert f'href="{PAGE}"' in shown
    assert STRANGE in shown
    assert "le hub montre une autre clé" in shown
    doubted = (await client.get(STRANGE)).text
    assert "12345 67890" in doubted
    assert "99999 00000" in doubted
    assert (await client.get(f"/coordination/links/members/{HUB}/{HUB}")).status_code == 404


async def test_what_is_stuck_behind_a_hub_is_told_under_that_hub(browse: Browse) -> None:
    behind = {"kind": "behind", "hub_link_id": HUB, "hub_name": "Inter-CAE"}
    stuck = link(**behind, peer_name="Cabestan", reason="messages_missing", refused=3)
    over = link(**behind | {"hub_name": "Ancien hub"}, peer_name="Port Parallèle", status="ended", reason="hub_left")
    pretend = Pretend(role="administrator", rules={"GET federation /links": lambda _: [stuck, over]})
    shown = (await browse(pretend).get("/coordination/links")).text
    under = shown.partition("Par le hub Inter-CAE")[2].partition("Par le hub")[0]
    assert "Cabestan" in under
    assert "des messages manquent" in under
    assert "3 messages refusés" in under
    assert "nous avons quitté le hub" in shown.partition("Par le hub Ancien hub")[2]


async def test_what_is_open_to_everybody_can_be_read_without_an_account(browse: Browse) -> None:
    pretend = Pretend()
    shown = await browse(pretend, signed_in=False).get("/catalogue?side=offer&cursor=abc")
    assert shown.status_code == 200
    asked = next(one for one in pretend.seen if one.url.path.endswith("/listings"))
    assert (asked.url.params["side"], asked.url.params["cursor"]) == ("offer", "abc")
    assert "/api/catalog/listings" in shown.text


async def test_a_hub_offers_nothing_that_it_does_not_have(browse: Browse) -> None:
    held = link(kind="member", reason="held", dropped=3)
    rules: dict[str, Rule] = {"GET federation /links": lambda _: [held]}
    client = browse(Pretend(role="administrator", rules=rules), federation_hub=True)
    assert (await client.get("/")).headers["location"] == "/coordination"
    doors = (await client.get("/coordination")).text
    assert "/coordination/links" in doors
    for missing in ("/coordination/import", "/coordination/limits", "/circles", 'href="/bookings"', "/offers/new"):
        assert missing not in doors
    shown = (await client.get(PAGE)).text
    assert "elle envoie plus que prévu" in unescape(shown)
    assert "3 messages de plus" in shown
    assert f"{PAGE}/catalogue" not in shown
    assert 'value="member"' not in (await client.get("/coordination/members")).text


async def test_what_goes_to_a_hub_cannot_be_limited(browse: Browse) -> None:
    rules: dict[str, Rule] = {"GET federation /links": lambda _: [link(kind="hub")]}
    shown = (await browse(Pretend(role="administrator", rules=rules)).get(PAGE)).text
    assert "Voir ce que le hub montre de nous" in shown
    assert f"{PAGE}/limits" not in shown
