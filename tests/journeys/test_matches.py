"""From a saved search or a need to people who have met, over two linked cooperatives."""

from typing import Any
from uuid import uuid4

import pytest

from deploy.demo.api import Json, Visitor, wait_for
from tests.journeys.conftest import Region
from tests.journeys.test_main_job import offer

pytestmark = pytest.mark.xdist_group("journeys")


def news(region: Region, who: str, template: str, text: str, town: str = "lille") -> list[Json]:
    """The messages of a template in somebody's inbox that speak of `text`."""
    items = getattr(region, town).members[who].get("notify/inbox", limit=100)["items"]
    return [one for one in items if one["template"] == template and text in f"{one['title']} {one['body']}"]


def test_a_saved_search_in_lille_hears_of_an_offer_in_namur_once(region: Region) -> None:
    word = f"Guillotine{uuid4().hex[:6]}"
    marie: Any = region.lille.members["marie"]
    kept = marie.post("matching/saved-searches", {"name": word, "words": word, "how": "instant"})
    offer(region.namur, "paul", title=f"{word} pour papier")
    wait_for("the alert", lambda: news(region, "marie", "searches-found", word))
    [alert] = news(region, "marie", "searches-found", word)
    assert alert["url"] == f"/searches/{kept['id']}"
    mail = wait_for("the mail", lambda: region.mailbox.subject(marie.email, word))
    stop = next(line for line in mail["text"].splitlines() if f"/searches/{kept['id']}/stop/" in line)
    key = stop.rpartition("/")[2]
    somebody = Visitor(region.lille.url)
    somebody.call("POST", f"matching/saved-searches/{kept['id']}/stop", params={"key": key})
    [now] = [one for one in marie.get("matching/saved-searches") if one["id"] == kept["id"]]
    assert (now["paused"], now["found"]) == (True, 1)
    marie.call("DELETE", f"matching/saved-searches/{kept['id']}")
