"""Inviting people and joining."""

from uuid import UUID

from fastapi import APIRouter

from services.chassis.auth import Coordinator
from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.chassis.idempotency import OnceDep
from services.chassis.paging import Limit, Page
from services.identity import queries
from services.identity.api.checks import NewPasswordDep
from services.identity.api.given import ClientNetwork, HashesDep, SettingsDep
from services.identity.api.members import Cursor
from services.identity.api.models import (
    AcceptanceForm,
    InvitationForm,
    InvitationView,
    MemberView,
    SignedIn,
    WelcomeView,
)
from services.identity.commands import invitations, members, sessions
from services.identity.commands.cooperative import cooperative_name
from services.identity.domain.addresses import email_address
from services.identity.domain.members import check_is_staff

router = APIRouter(prefix="/invitations")


@router.post("", status_code=201)
async def invite(
    *,
    form: InvitationForm,
    actor: Coordinator,
    db: DatabaseDep,
    clock: ClockDep,
    settings: SettingsDep,
    once: OnceDep,
) -> InvitationView:
    """Mail somebody a link with which they become a member, valid for seven days. It replaces an earlier one."""
    check_is_staff(form.role, at_a_hub=settings.federation_hub)
    address = email_address(form.email)
    async with db.transaction() as session:
        inviter = await members.acting(session, actor)

        async def make() -> InvitationView:
            made = await invitations.invite(
                session,
                address,
                name=form.name,
                role=form.role,
                by=inviter,
                public_url=settings.public_url,
                now=clock.now(),
            )
            return InvitationView.of(made, inviter_name=inviter.name, now=clock.now())

        return await once(session, actor.id, form, InvitationView, make)


@router.get("")
async def list_invitations(
    actor: Coordinator, db: DatabaseDep, clock: ClockDep, cursor: Cursor = None, limit: Limit = 50
) -> Page[InvitationView]:
    """Invitations, newest first; also those that are over."""
    now = clock.now()
    async with db.reading() as session:
        await members.check_is_coordinator(session, actor)
        found, following = await queries.invitations(session, cursor=cursor, limit=limit)
    items = [InvitationView.of(one, inviter_name=inviter, now=now) for one, inviter in found]
    return Page(items=items, next=following)


@router.delete("/{invitation_id}", status_code=204)
async def revoke(invitation_id: UUID, actor: Coordinator, db: DatabaseDep, clock: ClockDep) -> None:
    """Take an invitation back: its link is no longer valid."""
    async with db.transaction() as session:
        decider = await members.acting(session, actor)
        await invitations.revoke(session, invitation_id, by=decider, now=clock.now())


@router.get("/by-token/{token}")
async def read_by_token(token: str, db: DatabaseDep, clock: ClockDep) -> WelcomeView:
    """Who invites whom to what, for whoever has the link."""
    async with db.reading() as session:
        found = await invitations.by_token(session, token, now=clock.now())
        inviter = await queries.member_by_id(session, found.invited_by)
        name = await cooperative_name(session)
    return WelcomeView(email=found.email, name=found.name, cooperative_name=name, inviter_name=inviter.name)


@router.post("/accept", status_code=201)
async def accept(
    *,
    form: AcceptanceForm,
    network: ClientNetwork,
    db: DatabaseDep,
    clock: ClockDep,
    hashes: HashesDep,
    accepted: NewPasswordDep,
) -> SignedIn:
    """Become a member and be signed in."""
    now = clock.now()
    async with db.reading() as session:
        found = await invitations.by_token(session, form.token, now=now)
        context = [found.email, form.name, await cooperative_name(session)]
    kept = await hashes.of(await accepted(form.password, context=context))
    async with db.transaction() as session:
        joined = await invitations.accept(
            session, form.token, name=form.name, password_hash=kept, locale=form.locale, now=now
        )
        secret = await sessions.open_session(session, joined.id, device=form.device, now=now, network=network)
    return SignedIn(session=secret, member=MemberView.of(joined, with_email=True))
