"""Dead letters on the coordinators' page: shown, tried again, deleted only after a second yes."""

import httpx

from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import LETTER, Pretend, Rule, letter, problem

PAGE = "/coordination/dead"
ONE = f"{PAGE}/notify/{LETTER}"


def nothing(_request: httpx.Request) -> None:
    """An answer without a body."""


def coordinator(**rules: Rule) -> Pretend:
    known: dict[str, Rule] = {"GET notify /dead-letters": lambda _: {"items": [letter()], "more": False}}
    return Pretend(role="coordinator", rules=known | rules)


def sent(pretend: Pretend) -> list[str]:
    return [one.url.path for one in pretend.seen if one.method == "POST" and "dead-letters" in one.url.path]


async def test_members_do_not_see_them(browse: Browse) -> None:
    client = browse(Pretend())
    assert (await client.get(PAGE)).status_code == 403
    assert (await client.get(ONE)).status_code == 403


async def test_a_letter_is_tried_again_from_its_page(browse: Browse) -> None:
    pretend = coordinator(**{f"POST notify /dead-letters/{LETTER}/replay": nothing})
    client = browse(pretend)
    assert "no stamps left" in (await client.get(PAGE)).text
    answer = await client.post(f"{ONE}/replay", data=fill(await client.get(ONE), f"{ONE}/replay"))
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert sent(pretend) == [f"/api/notify/dead-letters/{LETTER}/replay"]


async def test_a_letter_is_deleted_only_from_the_page_that_says_what_that_means(browse: Browse) -> None:
    pretend = coordinator(**{f"POST notify /dead-letters/{LETTER}/drop": nothing})
    client = browse(pretend)
    assert f'action="{ONE}/drop"' not in (await client.get(ONE)).text
    asked = await client.get(f"{ONE}?drop=1")
    assert f'action="{ONE}/drop"' in asked.text
    assert sent(pretend) == []
    assert (await client.post(f"{ONE}/drop", data=fill(asked, f"{ONE}/drop"))).status_code == 303
    assert sent(pretend) == [f"/api/notify/dead-letters/{LETTER}/drop"]


async def test_a_letter_that_is_gone_and_a_service_that_is_none_are_not_found(browse: Browse) -> None:
    client = browse(coordinator())
    assert (await client.get(f"{PAGE}/notify/other")).status_code == 404
    assert (await client.get(f"{PAGE}/portal/{LETTER}")).status_code == 404
    assert (await client.post(f"{PAGE}/portal/{LETTER}/drop", data={})).status_code == 404


async def test_a_refusal_is_said_on_the_page(browse: Browse) -> None:
    def gone(_request: httpx.Request) -> httpx.Response:
        return problem(404, "not-found", "Il n'est plus là.")

    client = browse(coordinator(**{f"POST notify /dead-letters/{LETTER}/replay": gone}))
    answer = await client.post(f"{ONE}/replay", data=fill(await client.get(ONE), f"{ONE}/replay"))
    assert answer.status_code == 404
    assert "Il n'est plus là." in answer.text or "n&#39;est plus" in answer.text
