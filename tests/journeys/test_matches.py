"""From a saved search or a need to people who have met, over two linked cooperatives."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from deploy.demo.api import Json, Refused, Visitor, wait_for
from deploy.demo.seed import LASER, Town
from services.chassis import names
from tests.journeys.conftest import Region
from tests.journeys.test_main_job import offer, seen_from_lille

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
    its = f"/searches/{kept['id']}/stop/"  # the offer may fit a need of Marie's, too, of which another mail speaks
    mail = wait_for("the mail", lambda: region.mailbox.subject(marie.email, its))
    assert word in mail["text"]
    stop = next(line for line in mail["text"].splitlines() if its in line)
    key = stop.rpartition("/")[2]
    somebody = Visitor(region.lille.url, region.mailbox.http)
    somebody.call("POST", f"matching/saved-searches/{kept['id']}/stop", params={"key": key})
    [now] = [one for one in marie.get("matching/saved-searches") if one["id"] == kept["id"]]
    assert (now["paused"], now["found"]) == (True, 1)
    marie.call("DELETE", f"matching/saved-searches/{kept['id']}")


def later(region: Region, statement: str, *values: object) -> None:
    """Let time pass in Lille's matching; raises when no row grew older."""
    instance = region.instances["opteos"]
    url = instance.addresses.admin_database_url.rsplit("/", 1)[0] + f"/{names.database(instance.name, 'matching')}"

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            done = await connection.execute(statement, *values)
        finally:
            await connection.close()
        assert not done.endswith(" 0"), done

    asyncio.run(run())


def shown(town: Town, who: str, word: str) -> list[str]:
    """The ids of the needs that a search shows; it also shows those that only sound like `word`."""
    return [one["id"] for one in town.members[who].get("matching/search", q=word, side="need")["items"]]


def question(region: Region, who: str, introduction_id: str, status: str, town: str = "lille") -> Json | None:
    items = getattr(region, town).members[who].get("matching/introductions")
    return next((one for one in items if one["id"] == introduction_id and one["status"] == status), None)


def contact(region: Region, who: str, introduction_id: str, peer: str, town: str) -> Json | None:
    try:
        found: Json = (
            getattr(region, town).members[who].get(f"notify/introductions/{introduction_id}/contact", peer=peer)
        )
    except Refused:
        return None
    return found


def matched(region: Region, need_id: str, offer_id: str) -> Json | None:
    found = region.lille.members["marie"].get(f"matching/needs/{need_id}/matches")
    return next((one for one in found["items"] if one["id"] == offer_id), None)


def test_the_life_of_a_match_over_two_cooperatives(region: Region) -> None:
    """Proposed, seen, contacted, accepted with a promise; both are told of each other, and the outcome is asked."""
    word = f"Chevalets{uuid4().hex[:6]}"
    marie: Any = region.lille.members["marie"]
    paul: Any = region.namur.members["paul"]
    made = paul.post("catalog/listings", LASER | {"title": f"{word} solides", "kind": "equipment", "quantity": 8})
    there = seen_from_lille(region, f"{word} solides")["origin"]
    form = {"side": "need", "kind": "equipment", "title": f"{word} pour une fête", "quantity": 5}
    need = marie.post("catalog/listings", form | {"audience": {"scope": "cooperative"}})
    wait_for("the match", lambda: news(region, "marie", "matches-proposed", word))
    assert (wait_for("the match", lambda: matched(region, need["id"], made["id"])) or {})["status"] == "proposed"
    marie.post(f"matching/needs/{need['id']}/seen", {"offers": [{"offer_id": made["id"], "origin": there}]})
    assert (matched(region, need["id"], made["id"]) or {})["status"] == "seen"

    asking = {"thing_id": made["id"], "origin": there, "need_id": need["id"], "message": "Pour samedi, cinq."}
    asked = marie.post("matching/introductions", asking)
    assert (matched(region, need["id"], made["id"]) or {})["status"] == "contacted"
    request = wait_for("the question", lambda: question(region, "paul", asked["id"], "asked", "namur"))
    wait_for("the message", lambda: news(region, "paul", "introduction-asked", word, "namur"))
    told = [one for one in paul.get("notify/inbox", limit=100)["items"] if word in str(one)]
    assert told
    assert marie.email not in str(told)
    assert "Marie" not in str(request)
    assert contact(region, "marie", asked["id"], there, "lille") is None

    peer = request["peer"]
    paul.call("POST", f"matching/introductions/{asked['id']}/answer", params={"peer": peer},
              json={"accepted": True, "quantity": 3})  # fmt: skip
    wait_for("the yes", lambda: question(region, "marie", asked["id"], "accepted"))
    theirs = wait_for("Paul's address", lambda: contact(region, "marie", asked["id"], there, "lille"))
    ours = wait_for("Marie's address", lambda: contact(region, "paul", asked["id"], peer, "namur"))
    assert (theirs["email"], ours["email"]) == (paul.email, marie.email)
    wait_for("the mail", lambda: region.mailbox.subject(marie.email, paul.email))
    view = marie.get(f"matching/needs/{need['id']}/matches")
    assert [(one["quantity"], one["by"]["peer_id"]) for one in view["promised"]] == [(3, there)]
    assert (matched(region, need["id"], made["id"]) or {})["status"] == "accepted"

    later(region, "UPDATE proposals SET changed_at = now() - interval '8 days' WHERE need_id = $1", need["id"])
    [message] = wait_for("the question how it went", lambda: news(region, "marie", "outcome-asked", word))
    Visitor(region.lille.url, region.mailbox.http).call("PUT", f"matching{message['url']}", json={"worked": True})
    assert (matched(region, need["id"], made["id"]) or {})["outcome"] is True


def test_a_question_that_is_taken_back_gives_nothing(region: Region) -> None:
    title = offer(region.namur, "paul")["title"]
    found = seen_from_lille(region, title)
    marie: Any = region.lille.members["marie"]
    asking = {"thing_id": found["id"], "origin": found["origin"], "message": "Une question."}
    asked = marie.post("matching/introductions", asking)
    wait_for("the question", lambda: question(region, "paul", asked["id"], "asked", "namur"))
    marie.post(f"matching/introductions/{asked['id']}/withdraw")
    taken = wait_for("its end", lambda: question(region, "paul", asked["id"], "withdrawn", "namur"))
    with pytest.raises(Refused) as refused:
        region.namur.members["paul"].call(
            "POST",
            f"matching/introductions/{asked['id']}/answer",
            params={"peer": taken["peer"]},
            json={"accepted": True},
        )
    assert refused.value.status == 409
    assert contact(region, "marie", asked["id"], found["origin"], "lille") is None


def test_a_need_that_nobody_answered_goes_to_namur_only_after_its_authors_yes(region: Region) -> None:
    word = f"Presse{uuid4().hex[:6]}"
    marie: Any = region.lille.members["marie"]
    form = {"side": "need", "kind": "machine", "title": f"{word} à cidre", "audience": {"scope": "cooperative"}}
    need = marie.post("catalog/listings", form)
    wait_for("the index", lambda: need["id"] in shown(region.lille, "marie", word))
    later(region, "UPDATE things SET said_at = now() - interval '8 days' WHERE id = $1", need["id"])
    wait_for("the question", lambda: news(region, "marie", "need-unanswered", word))
    assert need["id"] not in shown(region.namur, "paul", word)
    assert marie.get(f"catalog/listings/{need['id']}")["audience"]["scope"] == "cooperative"
    marie.post(f"matching/needs/{need['id']}/widening", {"widen": True})
    wait_for("the need in Namur", lambda: need["id"] in shown(region.namur, "paul", word))
    assert marie.get(f"matching/needs/{need['id']}/matches")["widening"]["widened"] is True
