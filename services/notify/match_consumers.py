"""What notify listens to about matches, saved searches and people who would like to be put in touch."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.federation import IntroductionReceived, PersonForgotten
from contracts.matching import (
    IntroductionAnswered,
    IntroductionAsked,
    IntroductionWithdrawn,
    MatchesProposed,
    NeedUnanswered,
    OutcomeAsked,
    SearchesFound,
)
from services.chassis.clock import Clock
from services.notify.commands import disclosing, introductions, matches
from services.notify.heard import consumers

_clock = Clock()


@consumers.on(MatchesProposed)
async def tell_author_of_matches(event: MatchesProposed, session: AsyncSession) -> None:
    """Every match says why."""
    await matches.matches_proposed(session, event, now=_clock.now())


@consumers.on(SearchesFound)
async def tell_member_what_searches_found(event: SearchesFound, session: AsyncSession) -> None:
    """With a link for each search that stops it."""
    await matches.searches_found(session, event, now=_clock.now())


@consumers.on(OutcomeAsked)
async def ask_author_how_it_went(event: OutcomeAsked, session: AsyncSession) -> None:
    """A week after a yes."""
    await matches.outcome_asked(session, event, now=_clock.now())


@consumers.on(NeedUnanswered)
async def ask_author_whether_to_widen(event: NeedUnanswered, session: AsyncSession) -> None:
    """Only their yes widens it."""
    await matches.need_unanswered(session, event, now=_clock.now())


@consumers.on(IntroductionAsked)
async def ask_whoever_answers(event: IntroductionAsked, session: AsyncSession) -> None:
    """Before anybody's address is told."""
    await introductions.asked(session, event.introduction, now=_clock.now())


@consumers.on(IntroductionAnswered)
async def tell_answer_and_introduce(event: IntroductionAnswered, session: AsyncSession) -> None:
    """After a yes both are told of each other; a peer's person by their own cooperative."""
    await introductions.answered(session, event.introduction, now=_clock.now())


@consumers.on(IntroductionWithdrawn)
async def stop_asking(event: IntroductionWithdrawn, session: AsyncSession) -> None:
    """Nobody asks any more."""
    await introductions.withdrawn(session, event.introduction, unanswered=event.unanswered, now=_clock.now())


@consumers.on(IntroductionReceived)
async def introduce_peers_person(event: IntroductionReceived, session: AsyncSession) -> None:
    """To our member of that introduction."""
    await introductions.received(session, event, now=_clock.now())


@consumers.on(PersonForgotten)
async def forget_person_of_peer(event: PersonForgotten, session: AsyncSession) -> None:
    """Their address goes with them."""
    await introductions.forget(session, event)
    await disclosing.forget_person(session, event)
