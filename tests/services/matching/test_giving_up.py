"""Questions to be put in touch that nobody answers end by time, whoever has forgotten them."""

from contracts.federation import IntroductionAnswerReceived
from contracts.matching import IntroductionAnswered, IntroductionWithdrawn
from services.chassis.ids import new_id
from services.matching.commands.giving_up import FORGOTTEN_DAYS, UNANSWERED_DAYS
from tests.services.matching.conftest import Matching
from tests.services.matching.test_following_up import follow_up
from tests.services.matching.test_index import PEER, received
from tests.services.matching.test_introductions import ask, reply, request, said


async def test_our_members_question_ends_after_a_month_and_may_be_asked_again(matching: Matching) -> None:
    ana, thing = new_id(), new_id()
    await matching.tell(received(thing, "Scie à ruban"))
    made = (await ask(matching, ana, thing, origin=PEER)).json()
    await follow_up(matching, days=UNANSWERED_DAYS - 1)
    assert [one for one in await said(matching) if isinstance(one, IntroductionWithdrawn)] == []
    await follow_up(matching, days=UNANSWERED_DAYS + 1)
    await follow_up(matching, days=UNANSWERED_DAYS + 2)
    (over,) = [one for one in await said(matching) if isinstance(one, IntroductionWithdrawn)]
    assert (str(over.introduction.id), over.unanswered) == (made["id"], True)
    assert (await ask(matching, ana, thing, origin=PEER)).json()["id"] != made["id"]


async def test_a_question_that_a_peer_has_forgotten_does_not_wait_for_ever(matching: Matching) -> None:
    offer = await matching.listing("Scie")
    asked = request(offer.id)
    await matching.tell(asked)
    await follow_up(matching, days=FORGOTTEN_DAYS - 1)
    assert [one for one in await said(matching) if isinstance(one, IntroductionAnswered)] == []
    await follow_up(matching, days=FORGOTTEN_DAYS + 1)
    (over,) = [one for one in await said(matching) if isinstance(one, IntroductionAnswered)]
    assert (over.introduction.id, over.introduction.status) == (asked.introduction_id, "declined")
    made = {"id": str(asked.introduction_id), "peer": PEER}
    assert (await reply(matching, offer.owner_member_id, made, accepted=True)).status_code == 409


async def test_an_answer_to_a_question_that_we_have_forgotten_is_nothing(matching: Matching) -> None:
    forgotten = IntroductionAnswerReceived(origin=PEER, origin_name="Namur", introduction_id=new_id(), accepted=True)
    await matching.tell(forgotten)
    assert await said(matching) == []
