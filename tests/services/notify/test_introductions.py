"""People who are put in touch: the other side is asked first, and addresses are told after a yes, to both alone."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from contracts.federation import IntroductionReceived, LinkChanged, LinkState, PersonForgotten
from contracts.matching import (
    IntroductionAnswered,
    IntroductionAsked,
    IntroductionParty,
    IntroductionState,
    IntroductionWithdrawn,
    NeedUnanswered,
    OutcomeAsked,
)
from contracts.notify import IntroductionDisclosed
from services.chassis import ids
from services.notify.commands.introductions import NotKnownYet
from tests.services.notify.conftest import NAMUR, Notify

THEIRS = IntroductionParty(peer_id=NAMUR, peer_name="OpenFlow", pseudonym="p1")


def ours(member_id: UUID, name: str = "Ana") -> IntroductionParty:
    return IntroductionParty(member_id=member_id, name=name)


def introduction(asker: IntroductionParty, owner: IntroductionParty, **changes: Any) -> IntroductionState:
    values = {
        "id": ids.new_id(), "thing_id": ids.new_id(), "thing_origin": owner.peer_id, "thing_title": "Scie à ruban",
        "need_id": None, "asker": asker, "owner": owner, "message": "une planche à couper", "quantity": None,
        "status": "asked", "reason": None, "version": 1, "changed_at": datetime.now(UTC),
    }  # fmt: skip
    return IntroductionState.model_validate(values | changes)


def later(state: IntroductionState, **changes: Any) -> IntroductionState:
    return state.model_copy(update={"version": state.version + 1} | changes)


async def contact(notify: Notify, reader: UUID, state: IntroductionState, peer: str = "") -> tuple[int, str]:
    answer = await notify.client(reader).get(f"/introductions/{state.id}/contact", params={"peer": peer})
    return answer.status_code, answer.json().get("email", "")


async def test_two_of_ours_are_told_of_each_other_after_a_yes_and_not_before(notify: Notify) -> None:
    ana, omar = await notify.member("Ana"), await notify.member("Omar")
    eve = await notify.member("Eve")
    state = introduction(ours(ana), ours(omar, "Omar"))
    await notify.tell(IntroductionAsked(introduction=state))
    [question] = await notify.inbox(omar)
    assert question["title"] == "Ana voudrait vous joindre : Scie à ruban"
    assert "@" not in str(question) + str((await notify.mails())[0]["facts"])
    assert [(await contact(notify, reader, state))[0] for reader in (ana, omar, eve)] == [404] * 3
    await notify.tell(IntroductionAnswered(introduction=later(state, status="accepted")))
    assert [await contact(notify, reader, state) for reader in (ana, omar)] == [
        (200, "omar@lille.example"), (200, "ana@lille.example"),
    ]  # fmt: skip
    assert (await contact(notify, eve, state))[0] == 404
    assert (await notify.inbox(ana))[0]["title"] == "Vous êtes en contact avec Omar : Scie à ruban"
    assert [mail["facts"]["email"] for mail in await notify.mails() if mail["template"] == "introduction-made"] == [
        "omar@lille.example", "ana@lille.example",
    ]  # fmt: skip
    assert (await notify.inbox(omar))[-1]["read_at"] is not None
    assert await notify.said() == []


async def test_a_no_and_a_withdrawal_give_nothing(notify: Notify) -> None:
    ana, omar = await notify.member("Ana"), await notify.member("Omar")
    refused, withdrawn = introduction(ours(ana), ours(omar)), introduction(ours(ana), ours(omar))
    for state in (refused, withdrawn):
        await notify.tell(IntroductionAsked(introduction=state))
    await notify.tell(IntroductionAnswered(introduction=later(refused, status="declined", reason="gone")))
    await notify.tell(IntroductionWithdrawn(introduction=later(withdrawn, status="withdrawn")))
    assert [(one["title"], one["body"]) for one in await notify.inbox(ana)] == [
        ("Pas de mise en contact pour Scie à ruban", "Ce n'est plus disponible."),
    ]
    assert all(one["read_at"] for one in await notify.inbox(omar))
    for state in (refused, withdrawn):
        assert [(await contact(notify, reader, state))[0] for reader in (ana, omar)] == [404, 404]


async def test_who_got_no_answer_is_told_so_and_the_question_is_put_away(notify: Notify) -> None:
    ana, omar = await notify.member("Ana"), await notify.member("Omar")
    state = introduction(ours(ana), ours(omar))
    await notify.tell(IntroductionAsked(introduction=state))
    over = later(state, status="withdrawn")
    await notify.tell(IntroductionWithdrawn(introduction=over, unanswered=True))
    (told,) = await notify.inbox(ana)
    assert told["title"] == "Sans réponse pour Scie à ruban"
    assert "close" in told["body"]
    assert all(one["read_at"] for one in await notify.inbox(omar))


async def test_a_question_that_was_answered_before_it_came_is_not_put(notify: Notify) -> None:
    ana, omar = await notify.member("Ana"), await notify.member("Omar")
    state = introduction(ours(ana), ours(omar))
    await notify.tell(IntroductionAnswered(introduction=later(state, status="declined")))
    await notify.tell(IntroductionAsked(introduction=state))
    assert await notify.inbox(omar) == []


async def test_across_the_border_our_address_goes_to_that_peer_once_and_theirs_to_our_member(notify: Notify) -> None:
    ana, eve = await notify.member("Ana"), await notify.member("Eve")
    state = introduction(ours(ana), IntroductionParty(peer_id=NAMUR, peer_name="OpenFlow"))
    await notify.tell(IntroductionAsked(introduction=state))
    theirs = IntroductionReceived(
        origin=NAMUR, origin_name="OpenFlow", introduction_id=state.id, pseudonym="q9", name="Paul",
        email="paul@namur.example",
    )  # fmt: skip
    with pytest.raises(NotKnownYet):
        await notify.tell(theirs)
    for _ in range(2):
        await notify.tell(IntroductionAnswered(introduction=later(state, status="accepted")))
    assert await notify.said() == [
        IntroductionDisclosed(
            introduction_id=state.id, peer_id=NAMUR, member_id=ana, name="Ana", email="ana@lille.example"
        )
    ]
    with pytest.raises(NotKnownYet):
        await notify.tell(theirs.model_copy(update={"origin": "another"}))
    assert (await contact(notify, ana, state, NAMUR))[0] == 404
    await notify.tell(theirs)
    assert await contact(notify, ana, state, NAMUR) == (200, "paul@namur.example")
    assert (await contact(notify, eve, state, NAMUR))[0] == 404
    assert (await notify.inbox(ana))[0]["title"] == "Vous êtes en contact avec Paul (OpenFlow) : Scie à ruban"
    await notify.tell(PersonForgotten(origin=NAMUR, origin_name="OpenFlow", pseudonym="q9"))
    assert (await contact(notify, ana, state, NAMUR))[0] == 404


async def test_a_peers_person_asks_and_our_owner_is_disclosed_in_answer_to_their_address(notify: Notify) -> None:
    omar = await notify.member("Omar", contact=False)
    state = introduction(THEIRS, ours(omar), thing_origin=None)
    await notify.tell(IntroductionAsked(introduction=state))
    [question] = await notify.inbox(omar)
    assert question["title"] == "Une personne de la coopérative OpenFlow voudrait vous joindre : Scie à ruban"
    assert question["url"] == f"/introductions/{state.id}?peer={NAMUR}"
    received = IntroductionReceived(
        origin=NAMUR, origin_name="OpenFlow", introduction_id=state.id, pseudonym="p1", name="Paul", email="p@n.example"
    )
    with pytest.raises(NotKnownYet):
        await notify.tell(received)
    await notify.tell(IntroductionAnswered(introduction=later(state, status="accepted")))
    assert await notify.said() == []
    with pytest.raises(NotKnownYet):
        await notify.tell(received)
    await notify.tell_contact(omar, "Omar", "omar@lille.example")
    for _ in range(2):
        await notify.tell(received)
    assert [one.email for one in await notify.said() if isinstance(one, IntroductionDisclosed)] == [
        "omar@lille.example"
    ]
    assert await contact(notify, omar, state, NAMUR) == (200, "p@n.example")
    assert [one["title"] for one in await notify.inbox(omar)].count(
        "Vous êtes en contact avec Paul (OpenFlow) : Scie à ruban"
    ) == 1
    link = LinkState(link_id=ids.new_id(), peer_id=NAMUR, peer_name="OpenFlow", peer_web="", status="ended", version=9)
    await notify.tell(LinkChanged(link=link))
    with pytest.raises(NotKnownYet):
        await notify.tell(received)


async def test_a_yes_that_crossed_a_withdrawal_discloses_nobody(notify: Notify) -> None:
    ana, omar = await notify.member("Ana"), await notify.member("Omar")
    mine = introduction(ours(ana), IntroductionParty(peer_id=NAMUR, peer_name="OpenFlow"))
    theirs = introduction(THEIRS, ours(omar), thing_origin=None)
    for state in (mine, theirs):
        await notify.tell(IntroductionAsked(introduction=state))
    yes = later(theirs, status="accepted")
    await notify.tell(IntroductionAnswered(introduction=yes))
    await notify.tell(IntroductionWithdrawn(introduction=later(yes, status="withdrawn")))
    await notify.tell(IntroductionWithdrawn(introduction=later(mine, status="withdrawn")))
    for state, reader in ((mine, ana), (theirs, omar)):
        await notify.tell(
            IntroductionReceived(
                origin=NAMUR, origin_name="OpenFlow", introduction_id=state.id, pseudonym="p", name="Paul",
                email="paul@namur.example",
            )
        )  # fmt: skip
        assert (await contact(notify, reader, state, NAMUR))[0] == 404
    assert await notify.said() == []
    assert "paul@namur.example" not in str([await notify.inbox(one) for one in (ana, omar)])


async def test_who_leaves_is_no_longer_reached(notify: Notify) -> None:
    ana, omar = await notify.member("Ana"), await notify.member("Omar")
    state = introduction(ours(ana), ours(omar))
    await notify.tell(IntroductionAnswered(introduction=later(state, status="accepted")))
    assert (await contact(notify, ana, state))[0] == 200
    await notify.tell_member(omar, "Omar", left=True)
    assert (await contact(notify, ana, state))[0] == 404


async def test_the_outcome_is_asked_with_a_link_for_each_answer(notify: Notify) -> None:
    ana = await notify.member("Ana", locale="en")
    await notify.tell(
        OutcomeAsked(
            need_id=ids.new_id(), need_title="Planche", member_id=ana, offer_id=ids.new_id(), origin=None,
            origin_name=None, offer_title="Scie", key="KEY",
        )
    )  # fmt: skip
    [message] = await notify.inbox(ana)
    assert (message["title"], message["url"]) == ("Did it work out? Scie", "/outcomes/KEY")
    async with notify.instance.running(notify.service):
        [mail] = await notify.wait_for_mails("ana@lille.example")
    for answer in ("yes", "no"):
        assert f"http://lille.example/outcomes/KEY?worked=3D{answer}".replace("3D", "") in mail.text


async def test_whoever_nobody_answered_is_asked_and_reads_that_nothing_changed(notify: Notify) -> None:
    ana = await notify.member("Ana")
    need_id = ids.new_id()
    await notify.tell(
        NeedUnanswered(need_id=need_id, need_title="Planche", member_id=ana, days=7, radius_km=300.0, scope="peers")
    )
    [message] = await notify.inbox(ana)
    assert message["url"] == f"/needs/{need_id}#widen"
    assert "Rien ne change sans votre accord." in message["body"]
