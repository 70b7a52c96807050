"""Forms with a version: overtaken, they can be sent again once it was said; tampered with, they are refused."""

import httpx
import pytest

from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import OFFER, Pretend, Rule, listing, problem

PATH = f"/offers/{OFFER}/edit"


def rules(refusal: httpx.Response) -> dict[str, Rule]:
    answers = iter([refusal, listing(version=9)])
    return {
        f"GET catalog /listings/{OFFER}": lambda _: listing(may_edit=True, mine=True),
        f"PUT catalog /listings/{OFFER}": lambda _: next(answers),
    }


async def test_overtaken_form_can_be_sent_again_after_looking(browse: Browse) -> None:
    refusal = problem(409, "catalog/changed-meanwhile", "Cette annonce a été modifiée entre-temps.", version=8)
    pretend = Pretend(rules=rules(refusal))
    client = browse(pretend)
    page = await client.get(PATH)
    refused = await client.post(PATH, data=fill(page, title="Ce que j'ai écrit"))
    assert refused.status_code == 409
    assert "modifiée entre-temps" in refused.text
    assert "est publiée maintenant" in refused.text
    assert "Ce que j&#39;ai écrit" in refused.text
    again = fill(refused)
    assert again["version"] == "8"
    assert (await client.post(PATH, data=again)).status_code == 303
    sent = [str(body["version"]) for body in pretend.bodies("PUT", f"/api/catalog/listings/{OFFER}")]
    assert sent == ["3", "8"]


@pytest.mark.parametrize("version", ["x", "9" * 40, "-1", "1.5", "²"])
async def test_tampered_version_is_no_error_of_ours(browse: Browse, version: str) -> None:
    said = {"field": "version", "code": "int_parsing", "detail": "Un nombre."}
    pretend = Pretend(rules=rules(problem(422, "invalid-fields", "À corriger.", errors=[said])))
    client = browse(pretend)
    page = await client.get(PATH)
    refused = await client.post(PATH, data=fill(page, version=version))
    assert refused.status_code == 422
    assert fill(refused)["version"] == "3"
