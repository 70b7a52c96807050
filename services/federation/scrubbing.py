"""Taking people out of what federation keeps of its own words: the log and the outbox keep numbers and states."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.border import BorderContactShared, BorderIntroduced, BorderListingPublished
from contracts.link import NumbersSkipped
from services.federation.domain import OPEN_ANSWERS
from services.federation.tables import bookings_abroad, border_outbox, guest_bookings, sent_log

_WHOLE = (BorderContactShared.type, BorderIntroduced.type, BorderListingPublished.type)
"""Nothing is left of these without the person: under their number stands a word that means nothing."""

_EMPTIED = {"note": "", "message": "", "instructions": "", "owner_name": None, "place_label": None, "reason": None}
_NAME = {"owner_name": None}


async def take_out(session: AsyncSession, about: Collection[str]) -> None:
    """Take the person out of all that we said with one of `about` in it: pseudonyms, and ids of their things.

    What has not been sent yet says the same without them: states must arrive, and numbers have no gaps.
    """
    for table in (sent_log, border_outbox):
        said = table.c.content
        known = sa.or_(*(said.contains(one, autoescape=True) for one in about))
        content = sa.cast(said, JSONB)
        await session.execute(
            sa.update(table).where(known, said != "").values(content=sa.cast(_without(content), sa.Text))
        )


async def forget_promises(session: AsyncSession, booking_ids: Collection[UUID]) -> None:
    """Forget what a peer has signed, of its person by name, about bookings that stand, too.

    A signature has no part that could be left out. Should the peer come back from a backup, it has these no more.
    """
    named = sa.update(bookings_abroad).where(bookings_abroad.c.booking_id.in_(booking_ids))
    await session.execute(named.values(decision=None))


async def forget_answers(session: AsyncSession, booking_ids: Collection[UUID]) -> None:
    """Forget people in what we keep of these bookings across the border; of open ones that is the names and notes."""
    theirs, ours = bookings_abroad.c, guest_bookings.c
    here = sa.update(bookings_abroad).where(theirs.booking_id.in_(booking_ids))
    await session.execute(here.where(theirs.status.not_in(OPEN_ANSWERS)).values(request=None, decision=None))
    await session.execute(here.where(theirs.request.is_not(None)).values(request=without_words(theirs.request)))
    asked_here = sa.update(guest_bookings).where(ours.booking_id.in_(booking_ids))
    await session.execute(asked_here.values(request=None, pseudonym=None))
    there = asked_here.where(ours.answer.is_not(None))
    answer = sa.cast(ours.answer, JSONB)
    for emptied, which in ((_EMPTIED, ours.status.not_in(OPEN_ANSWERS)), (_NAME, ours.status.in_(OPEN_ANSWERS))):
        await session.execute(there.where(which).values(answer=sa.cast(_emptied(answer, emptied), sa.Text)))


def without_words(content: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The text of something that we said, without what people wrote in it; NULL stays NULL."""
    return sa.cast(_without(sa.cast(content, JSONB)), sa.Text)


async def forget_what_is_past(session: AsyncSession, *, now: datetime) -> None:
    """Bookings at peers that were called off, and whose period is over: nobody needs to be told of them again."""
    past = sa.and_(bookings_abroad.c.status.not_in(("", *OPEN_ANSWERS)), bookings_abroad.c.ends_at <= now)
    values = {"request": None, "decision": None, "ends_at": None}
    await session.execute(sa.update(bookings_abroad).where(past).values(values))


def _without(content: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    data = sa.func.jsonb_extract_path(content, "data", type_=JSONB)
    seq = sa.func.jsonb_extract_path(content, "seq", type_=JSONB)
    epoch = sa.func.jsonb_extract_path(content, "epoch", type_=JSONB)
    nothing = sa.func.jsonb_build_object("epoch", epoch, "first", seq, "last", seq, type_=JSONB)
    skipped = sa.func.jsonb_build_object("type", NumbersSkipped.type, "data", nothing, type_=JSONB)
    emptied = sa.func.jsonb_build_object("data", _emptied(data, _EMPTIED), type_=JSONB)
    kind = sa.func.jsonb_extract_path_text(content, "type")
    return content.op("||", return_type=JSONB)(sa.case((kind.in_(_WHOLE), skipped), else_=emptied))


def _emptied(data: sa.ColumnElement[Any], values: Mapping[str, str | None]) -> sa.ColumnElement[Any]:
    for name, value in values.items():
        path, empty = sa.literal([name], sa.ARRAY(sa.Text)), sa.literal(value, JSONB)
        data = sa.func.jsonb_set(data, path, empty, False, type_=JSONB)
    return data
