"""What we do when a peer speaks about the link itself. Only what has passed the gate gets here."""

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import link as words
from contracts.envelope import Event
from services.chassis import logs
from services.federation import (
    copies,
    erasing,
    handing_back,
    hub,
    linking,
    manifests,
    members,
    mending,
    public_stream,
    receipts,
    recovery,
    replays,
)
from services.federation.gate import Refused
from services.federation.keys import Keys, NotGenuine, read_key_set
from services.federation.saying import say
from services.federation.tables import positions

EARLY = {words.ReplayAsked.type, words.NumbersSkipped.type, words.Receipt.type}
"""Acted upon also while earlier numbers are missing, or two gaps would wait for each other. Each may come twice."""

ASKED_AT_ONCE = 500

_log = logs.get(__name__)


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """Where a word is heard, who we are, and when (aware UTC).

    `relation`: our link with the peer; `link`: the same, or the peer's public stream beside it. `lies`: what is to be
    kept and counted of a word that passed the gate, because it is not true, or asks for too much.
    """

    session: AsyncSession
    link: sa.RowMapping
    relation: sa.RowMapping
    own: Keys
    now: datetime
    lies: list[Refused] = field(default_factory=list[Refused])

    def take_lies(self) -> list[Refused]:
        """What was gathered since this was last asked."""
        taken = self.lies.copy()
        self.lies.clear()
        return taken


async def act(at: Hearing, event: Event) -> int | None:
    """Do what the peer says about the link. Returns the generation of copies when some were dropped. Raises Refused."""
    session, link, now = at.session, at.link, at.now
    match event:
        case (
            words.ReplayAsked()
            | words.ManifestAsked()
            | words.ManifestPageAsked()
            | words.ThingsAsked()
            | words.RecoveryAsked()
        ):
            await _answer(at, event)
        case words.Receipt():
            await recovery.notice(session, link, event, at.own, now=now)
            await receipts.take(session, link, event, now=now)
        case words.ManifestTold() | words.ManifestPageTold() | words.BookingsTold():
            return await _compare(at, event)
        case words.DecisionHandedBack() | words.RequestHandedBack():
            await handing_back.take(session, link, event, at.own)
        case words.RecoveryAnswered():
            await recovery.peer_has_answered(session, link, now=now)
        case words.KeysChanged():
            await _keep_keys(at, event)
        case words.MemberTold():
            at.lies.extend(await members.hear(session, link, event, us=at.own.instance_id, now=now))
        case words.PersonErased():
            await erasing.forget_theirs(session, link, event)
        case words.NumbersSkipped(public=True):
            await mending.skip_public(session, link, event)
        case _:
            pass  # NumbersSkipped, in its turn: nothing was missing
    return None


Question = words.ReplayAsked | words.ManifestAsked | words.ManifestPageAsked | words.ThingsAsked | words.RecoveryAsked


async def _answer(at: Hearing, event: Question) -> None:
    """Say again what the peer asks for, within bounds: it can make us say much with few words."""
    session, link = at.session, at.link
    match event:
        case words.ReplayAsked():
            await _replay(at, event)
        case _ if await replays.is_spent(session, link, now=at.now):
            at.lies.append(Refused("too_much", event.type))
        case words.ManifestAsked(public=False):
            await manifests.want(session, link["id"])
        case _ if await mending.is_asked_too_much(session, link, now=at.now):
            _log.warning("asked-too-much", link=str(link["id"]))
        case words.RecoveryAsked():
            async with replays.counted(session, link, now=at.now, messages=replays.LOG_IS_READ):
                await _help_to_recover(session, link, now=at.now)
        case _:
            async with replays.counted(session, link, now=at.now):
                await _say_anew(session, link, event)


async def _say_anew(
    session: AsyncSession, link: sa.RowMapping, event: words.ManifestAsked | words.ManifestPageAsked | words.ThingsAsked
) -> None:
    match event:
        case words.ManifestAsked():
            await manifests.tell_public(session, link)
        case words.ManifestPageAsked():
            await manifests.tell_page(session, link, event)
        case words.ThingsAsked():
            await manifests.note_what_is_asked(session, link, event)


async def _help_to_recover(session: AsyncSession, link: sa.RowMapping, *, now: datetime) -> None:
    """The peer was restored: give it what it has forgotten."""
    if await handing_back.was_just_done(session, link, now=now):
        _log.warning("asked-to-hand-back-again", link=str(link["id"]))
        return
    await handing_back.hand_back(session, link)
    await hub.tell_again(session, link["id"])
    if link["kind"] == "hub":
        await members.make_up_for_hub(session, link["id"], now=now)
    elif link["kind"] == "behind":  # what everybody was told meanwhile has no number on this link
        await manifests.tell_public(session, link)


async def _replay(at: Hearing, asked: words.ReplayAsked) -> None:
    if not await mending.replay(at.session, at.link, asked, now=at.now):
        at.lies.append(Refused("too_much", f"{asked.first}–{asked.last}"))


async def _compare(at: Hearing, event: words.ManifestTold | words.ManifestPageTold | words.BookingsTold) -> int | None:
    """What the peer shares against what we hold: the rest dies, and what we lack is asked for."""
    session, voice = at.session, await public_stream.voice(at.session, at.link)
    public = at.link["kind"] == "heard" or (not isinstance(event, words.BookingsTold) and event.public)
    link = await public_stream.heard_on(session, at.relation) if public else at.link
    if link is None and at.relation["kind"] == "behind":
        link = await public_stream.heard_from(session, at.relation, now=at.now)
    if link is None or voice is None:
        return None
    match event:
        case words.ManifestTold():
            told = sa.update(positions).where(positions.c.link_id == link["id"]).values(vouched_at=at.now)
            await session.execute(told)
            for first, until in await copies.differing_pages(session, link["id"], event, now=at.now):
                await say(session, voice, words.ManifestPageAsked(first=first, until=until, public=public))
            return None
        case words.ManifestPageTold():
            lacking, dead = await copies.compare_page(session, link, event, now=at.now)
            for start in range(0, len(lacking), ASKED_AT_ONCE):
                some = lacking[start : start + ASKED_AT_ONCE]
                await say(session, voice, words.ThingsAsked(listings=some, bookings=[]))
            return await copies.drop(session, link, dead)
        case words.BookingsTold():
            behind = await manifests.bookings_behind(session, link, event)
            if behind:
                await say(session, voice, words.ThingsAsked(listings=[], bookings=behind))
            return None


async def _keep_keys(at: Hearing, event: words.KeysChanged) -> None:
    try:
        key_set = read_key_set(event.key_set, at.link["peer_id"], at.now)
    except NotGenuine as error:
        raise Refused("forged", f"key set: {error}") from error
    await linking.keep_key_set(at.session, at.link["peer_id"], key_set, at.now, signed=event.key_set)
