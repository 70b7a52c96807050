"""What members are told of their matches and of what their saved searches have found."""

from contracts.matching import FoundBySearch, FoundThing, SearchesFound
from services.chassis import ids
from tests.services.notify.conftest import NAMUR, Notify


def found(title: str, *, origin: str | None = None) -> FoundThing:
    return FoundThing(
        id=ids.new_id(),
        origin=origin,
        origin_name="OpenFlow" if origin else None,
        side="offer",
        kind="machine",
        title=title,
        place_label="Namur",
    )


def searched(name: str, *things: FoundThing, total: int | None = None) -> FoundBySearch:
    return FoundBySearch(
        search_id=ids.new_id(), name=name, key=f"key-{name}", total=total or len(things), found=list(things)
    )


async def test_a_member_reads_what_a_search_found_with_the_link_that_stops_it(notify: Notify) -> None:
    lotte = await notify.member("Lotte", locale="nl")
    search = searched("zagen", found("Scie à ruban", origin=NAMUR))
    await notify.tell(SearchesFound(member_id=lotte, how="instant", searches=[search]))
    [message] = await notify.inbox(lotte)
    assert (message["title"], message["url"]) == (
        "Iets nieuws voor uw zoekopdracht “zagen”",
        f"/searches/{search.search_id}",
    )
    assert "Scie à ruban (OpenFlow)" in message["body"]
    assert "key-zagen" not in message["body"]
    async with notify.instance.running(notify.service):
        [mail] = await notify.wait_for_mails("lotte@lille.example")
    assert f"http://lille.example/searches/{search.search_id}/stop/key-zagen" in mail.text
    assert "Geen berichten meer voor “zagen”" in mail.text


async def test_a_digest_of_several_searches_is_one_message(notify: Notify) -> None:
    ana = await notify.member("Ana")
    searches = [searched("scie", found("Scie"), total=4), searched("salle", found("Salle"))]
    await notify.tell(SearchesFound(member_id=ana, how="weekly", searches=searches))
    [message] = await notify.inbox(ana)
    assert (message["title"], message["url"]) == ("5 nouveautés pour vos recherches", "/searches")
    [mail] = await notify.mails()
    assert [one["stop"] for one in mail["facts"]["searches"]] == [
        f"/searches/{one.search_id}/stop/{one.key}" for one in searches
    ]


async def test_who_wants_only_what_is_important_finds_it_in_the_inbox_alone(notify: Notify) -> None:
    ana = await notify.member("Ana")
    await notify.client(ana).put("/preferences", json={"email": "important"})
    await notify.tell(SearchesFound(member_id=ana, how="daily", searches=[searched("scie", found("Scie"))]))
    assert len(await notify.inbox(ana)) == 1
    assert await notify.mails() == []
