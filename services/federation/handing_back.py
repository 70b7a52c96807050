"""After a restore, what one side has forgotten and the other knows: promises to guests and their ends, own requests.

What counts is one's own signature on what is handed back; how a booking of somebody else's resource stands, its origin
says.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ValidationError
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import (
    BorderBookingAnswered,
    BorderBookingRequested,
    BorderContactShared,
    BorderIntroductionAnswered,
    BorderIntroductionWithdrawn,
)
from contracts.envelope import Event
from contracts.federation import BookingAnswerReceived, BookingEndHandedBack, BookingHandedBack, BookingReadmitted
from contracts.link import DecisionHandedBack, RecoveryAnswered, RequestHandedBack
from services.chassis import logs, outbox
from services.federation import asking_again, introductions, manifests, mending
from services.federation.bounds import first_breach
from services.federation.domain import ENDED_ANSWERS, OPEN_ANSWERS
from services.federation.gate import Refused
from services.federation.keys import Keys, NotGenuine
from services.federation.mending_tables import readmissions, revocations
from services.federation.saying import say
from services.federation.sealed import Content, Sealed, claim_of, opened
from services.federation.tables import bookings_abroad, guest_bookings, pseudonyms, sent_log, streams

HANDED_BACK_AT_MOST = 1000
"""Decisions, and as many requests. What is beyond is told in the log: it has to be agreed upon by people."""

ReadT = TypeVar("ReadT", bound=BaseModel)

_log = logs.get(__name__)


async def hand_back(session: AsyncSession, link: sa.RowMapping) -> None:
    """The peer has forgotten what was said since its backup: its answers to us, and what its members asked of us."""
    decisions, requests = await _decisions(session, link), await _requests(session, link)
    if HANDED_BACK_AT_MOST in {len(decisions), len(requests)}:
        _log.error("handed-back-in-part", link=str(link["id"]), at_most=HANDED_BACK_AT_MOST)
    for handed in (*decisions, *requests.values()):
        await say(session, link, handed)
    ids = list(requests)
    await manifests.say_bookings_again(session, link, ids)  # as signed words of their own, which the peer keeps
    await _say_contacts_again(session, link, ids)
    await asking_again.ask_again(session, link)
    await say(session, link, RecoveryAnswered(handed_back=len(decisions) + len(requests)))


async def was_just_done(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> bool:
    """Whether the peer has all of it on its way to it: asking again and again makes us say, and read, it once."""
    lately = sa.and_(sent_log.c.link_id == link["id"], sent_log.c.at > now - mending.SAME_AGAIN_AFTER)
    answered = sent_log.c.content.contains(RecoveryAnswered.type)
    return bool((await session.execute(sa.select(sa.exists().where(lately, answered)))).scalar_one())


async def _decisions(session: AsyncSession, link: sa.RowMapping) -> list[DecisionHandedBack]:
    ended, future = bookings_abroad.c.status.in_(ENDED_ANSWERS), bookings_abroad.c.ends_at > sa.func.now()
    over_too_early = sa.and_(ended, sa.func.coalesce(future, sa.false()))
    query = sa.select(bookings_abroad.c.request, bookings_abroad.c.decision).where(
        bookings_abroad.c.peer_id == link["peer_id"],
        bookings_abroad.c.request.is_not(None),
        bookings_abroad.c.decision.is_not(None),
        sa.or_(bookings_abroad.c.status.in_(OPEN_ANSWERS), over_too_early),
    )
    promises_first = query.order_by(over_too_early, bookings_abroad.c.booking_id)
    rows = (await session.execute(promises_first.limit(HANDED_BACK_AT_MOST))).all()
    return [DecisionHandedBack(request=row.request, decision=row.decision) for row in rows]


async def _requests(session: AsyncSession, link: sa.RowMapping) -> dict[UUID, RequestHandedBack]:
    """By the booking's id."""
    query = sa.select(guest_bookings.c.booking_id, guest_bookings.c.request, guest_bookings.c.answer).where(
        guest_bookings.c.peer_id == link["peer_id"],
        guest_bookings.c.request.is_not(None),
        guest_bookings.c.status.in_(("", *OPEN_ANSWERS)),
    )
    rows = (await session.execute(query.order_by(guest_bookings.c.booking_id).limit(HANDED_BACK_AT_MOST))).all()
    read = BorderBookingAnswered.model_validate_json
    return {
        row.booking_id: RequestHandedBack(request=row.request, answer=read(row.answer) if row.answer else None)
        for row in rows
    }


async def _say_contacts_again(session: AsyncSession, link: sa.RowMapping, booking_ids: Sequence[UUID]) -> None:
    """Whom the peer's members are to meet: nothing keeps that here but the log of what was said."""
    if not booking_ids:
        return
    said = sa.select(sent_log.c.content).where(
        sent_log.c.link_id == link["id"], sent_log.c.content.contains(BorderContactShared.type)
    )
    latest: dict[UUID, BorderContactShared] = {}
    for content in (await session.execute(said.order_by(sent_log.c.epoch, sent_log.c.seq))).scalars():
        read = Content.model_validate_json(content)
        if read.type == BorderContactShared.type:
            contact = BorderContactShared.model_validate(read.data)
            latest[contact.booking_id] = contact
    for booking_id in booking_ids:
        if booking_id in latest:
            await say(session, link, latest[booking_id])


async def take(
    session: AsyncSession, link: sa.RowMapping, handed: DecisionHandedBack | RequestHandedBack, own: Keys
) -> None:
    """Know again of what the peer hands back: what counts is our own signature. Raises Refused.

    Only on a link on which we have begun anew: elsewhere we know all that we have signed.
    """
    if not await begun_anew(session, link):
        raise Refused("malformed", "nothing was asked back")
    if isinstance(handed, DecisionHandedBack):
        await _take_promise(session, link, handed, own)
    else:
        await _take_request(session, link, handed, own)


async def _take_promise(session: AsyncSession, link: sa.RowMapping, handed: DecisionHandedBack, own: Keys) -> None:
    """A booking that we had confirmed, declined or called off."""
    sealed = await our_own(session, handed.decision, link, own)
    answer = _read(BorderBookingAnswered, sealed.data)
    request = _read(BorderBookingRequested, _content(handed.request))
    if (
        sealed.type != answer.type
        or answer.booking_id != request.booking_id
        or answer.status not in {*OPEN_ANSWERS, *ENDED_ANSWERS}
    ):
        raise Refused("malformed", "not a decision that could have been forgotten")
    if breach := first_breach(request):
        raise Refused("malformed", breach)
    if not await _is_of_that_offer(session, link, answer, request):
        raise Refused("not_theirs", f"{answer.booking_id} was for something else than {request.offer_id}")
    if answer.status in ENDED_ANSWERS and sealed.epoch >= await _epoch(session, link):
        return  # said since we have begun anew: that we have not forgotten
    mine = {"peer_id": link["peer_id"], "booking_id": answer.booking_id}
    kept = insert(guest_bookings).values(
        **mine, version=answer.version, status=answer.status, answer=answer.model_dump_json()
    )
    await session.execute(kept.on_conflict_do_nothing())
    await session.execute(insert(readmissions).values(mine).on_conflict_do_nothing())
    # the period and how many are what we confirmed, whatever the peer says that it asked for
    ours = {"start", "end", "status", "version", "change_decided", "withdrawals_heard"}
    wanted: dict[str, Any] = request.model_dump() | answer.model_dump(include=ours)
    wanted["quantity"] = answer.quantity or request.quantity
    wanted |= {"origin": link["peer_id"], "origin_name": link["peer_name"]}
    if answer.status in OPEN_ANSWERS:
        await outbox.add(session, BookingReadmitted(**wanted))
    else:
        wanted |= {"note": "", "reason": answer.reason}
        await outbox.add(session, BookingEndHandedBack(**wanted))


async def _is_of_that_offer(
    session: AsyncSession, link: sa.RowMapping, answer: BorderBookingAnswered, request: BorderBookingRequested
) -> bool:
    """Whether our promise was about what the peer names. Where it does not say so, it must be something we share."""
    if answer.offer_id is not None:
        return answer.offer_id == request.offer_id
    return await introductions.is_shared(session, request.offer_id, link["peer_id"])


async def _take_request(session: AsyncSession, link: sa.RowMapping, handed: RequestHandedBack, own: Keys) -> None:
    """What our member has asked of the peer; of a member whom we do not know any more it is kept for coordinators."""
    sealed, answer = await our_own(session, handed.request, link, own), handed.answer
    request = _read(BorderBookingRequested, sealed.data)
    if sealed.type != request.type:
        raise Refused("malformed", "not a request")
    if answer is not None and (answer.booking_id != request.booking_id or answer.status not in OPEN_ANSWERS):
        raise Refused("malformed", "not an open booking")
    known = sa.select(pseudonyms.c.member_id).where(
        pseudonyms.c.peer_id == link["peer_id"], pseudonyms.c.pseudonym == request.pseudonym
    )
    member_id = (await session.execute(known)).scalar_one_or_none()
    words = request if member_id is not None else request.model_copy(update={"note": ""})
    content = Content(**sealed.model_dump(exclude={"source", "data"}), data=words.model_dump(mode="json"))
    row = {"booking_id": request.booking_id, "peer_id": link["peer_id"], "request": content.model_dump_json()}
    kept = insert(bookings_abroad).values(row | {"unclaimed": member_id is None}).on_conflict_do_nothing()
    await session.execute(kept)
    if member_id is None:
        _log.warning("booking-of-somebody-forgotten", booking=str(request.booking_id), peer=link["peer_id"])
        return
    origin = {"origin": link["peer_id"], "origin_name": link["peer_name"]}
    wanted: dict[str, Any] = request.model_dump(exclude={"pseudonym"}) | origin | {"member_id": member_id}
    wanted["answer"] = BookingAnswerReceived(**answer.model_dump(), **origin) if answer is not None else None
    await outbox.add(session, BookingHandedBack(**wanted))


async def hear_answer_to_nothing(session: AsyncSession, link: sa.RowMapping, event: Event) -> None:
    """The peer answers what we asked before we were restored, and have forgotten: no reproach, and nothing to act upon.

    A booking comes with what is handed back; to whoever said yes to being put in touch, we say that nobody asks.
    """
    _log.warning("answer-to-something-forgotten", type=event.type, subject=event.subject, peer=link["peer_id"])
    if isinstance(event, BorderIntroductionAnswered) and event.accepted:
        await say(session, link, BorderIntroductionWithdrawn(introduction_id=event.introduction_id))


async def begun_anew(session: AsyncSession, link: sa.RowMapping) -> bool:
    """Whether we have come back from a backup since this link was made: we may have forgotten what we said on it."""
    return await _epoch(session, link) > link["epoch"]


async def _epoch(session: AsyncSession, link: sa.RowMapping) -> int:
    return (await session.execute(sa.select(streams.c.epoch).where(streams.c.link_id == link["id"]))).scalar_one()


async def our_own(session: AsyncSession, body: str, link: sa.RowMapping, own: Keys) -> Sealed:
    """What we once signed for this peer, and not a thief of a key of ours. Raises Refused."""
    try:
        sealed = opened(body, own)
    except NotGenuine as error:
        raise Refused("forged", f"not signed by us: {error}") from error
    if sealed.source != own.instance_id or sealed.audience != link["peer_id"] or sealed.stream != link["id"]:
        raise Refused("forged", "not what we said on this link")
    if await _is_a_thiefs(session, body, sealed, link):
        raise Refused("key_revoked", f"{sealed.epoch}/{sealed.seq}")
    return sealed


async def _is_a_thiefs(session: AsyncSession, body: str, sealed: Sealed, link: sa.RowMapping) -> bool:
    """Whether it is signed with a key that did not count any more on this link when we said so much."""
    claim = claim_of(body.encode())
    place = sa.tuple_(revocations.c.epoch, revocations.c.seq)
    said = sa.tuple_(sa.literal(sealed.epoch, sa.BigInteger), sa.literal(sealed.seq, sa.BigInteger))
    of_key = sa.and_(revocations.c.link_id == link["id"], revocations.c.kid == (claim[0] if claim else ""))
    return bool((await session.execute(sa.select(sa.exists().where(of_key, place <= said)))).scalar_one())


def _content(body: str) -> dict[str, Any]:
    try:
        return Content.model_validate_json(body).data
    except ValidationError as error:
        raise Refused("malformed", "not a booking") from error


def _read(kind: type[ReadT], data: dict[str, Any]) -> ReadT:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise Refused("malformed", "not a booking") from error
