"""For our own people: links, invitations, peers. What peers call is in `peer_api`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from services.chassis import paging
from services.chassis.auth import Coordinator, CurrentMember
from services.chassis.clock import ClockDep
from services.chassis.database import Database, DatabaseDep
from services.chassis.idempotency import OnceDep
from services.chassis.problems import NotFound
from services.federation import invitations, joining, linking, queries
from services.federation.border import Border
from services.federation.keys import thumbprint_for_people
from services.federation.views import (
    CodeForm,
    InvitationView,
    InvitedView,
    KeptInvitation,
    LinkView,
    NoBody,
    PeerView,
    PreviewView,
    RefusalView,
)

router = APIRouter(tags=["federation"])


async def _border_of(request: Request) -> Border:
    border = request.app.state.border
    if not isinstance(border, Border):
        raise TypeError("this application has no border")
    return border


BorderDep = Annotated[Border, Depends(_border_of)]


@router.get("/peers")
async def list_peers(_actor: CurrentMember, db: DatabaseDep) -> list[PeerView]:
    """The cooperatives that we are linked with."""
    async with db.reading() as session:
        rows = await queries.active_peers(session)
    return [PeerView(peer_id=row["peer_id"], name=row["peer_name"], web=row["peer_web"]) for row in rows]


@router.get("/links")
async def list_links(_actor: Coordinator, db: DatabaseDep, clock: ClockDep) -> list[LinkView]:
    """Every link, the ended ones last."""
    async with db.reading() as session:
        return [LinkView.of(row, now=clock.now()) for row in await queries.all_links(session)]


@router.post("/links", status_code=201)
async def accept_invitation(  # noqa: PLR0917 - FastAPI's way to ask for things
    form: CodeForm, actor: Coordinator, db: DatabaseDep, clock: ClockDep, border: BorderDep, once: OnceDep
) -> LinkView:
    """Enter a code: the inviting cooperative is asked for the link and has to confirm it.

    Of the code, an Idempotency-Key keeps a digest alone.
    """

    async def ask() -> LinkView:
        link = await joining.accept(db, border, form.code, by=actor.name, now=clock.now())
        return await _view(db, link["id"], clock)

    async with db.transaction() as session:  # held while the peer is asked: a twin waits for its answer
        return await once(session, actor.id, form, LinkView, ask)


@router.post("/links/preview")
async def preview_invitation(form: CodeForm, _actor: Coordinator, clock: ClockDep, border: BorderDep) -> PreviewView:
    """Whom a code leads to, before it is entered."""
    code, presentation, _ = await joining.look_at(border, form.code, clock.now())
    profile = presentation.profile
    return PreviewView(
        peer_id=profile.instance_id,
        name=profile.name,
        summary=profile.summary,
        web=profile.web,
        address=code.a,
        hub=profile.hub,
        thumbprint=thumbprint_for_people(profile.instance_id),
    )


@router.get("/links/{link_id}")
async def read_link(link_id: UUID, _actor: Coordinator, db: DatabaseDep, clock: ClockDep) -> LinkView:
    """One link, whatever became of it."""
    return await _view(db, link_id, clock)


@router.post("/links/{link_id}/confirm")
async def confirm_link(link_id: UUID, actor: Coordinator, db: DatabaseDep, clock: ClockDep) -> LinkView:
    """The thumbprints were compared (by telephone, say): make the link."""
    async with db.transaction() as session:
        await linking.confirm(session, link_id, by=actor.name, now=clock.now())
    return await _view(db, link_id, clock)


@router.post("/links/{link_id}/pause")
async def pause_link(link_id: UUID, _actor: Coordinator, db: DatabaseDep, clock: ClockDep) -> LinkView:
    """Nothing crosses until the link is resumed; nothing is lost."""
    async with db.transaction() as session:
        await linking.pause(session, link_id)
    return await _view(db, link_id, clock)


@router.post("/links/{link_id}/resume")
async def resume_link(link_id: UUID, _actor: Coordinator, db: DatabaseDep, clock: ClockDep) -> LinkView:
    """Go on: what waited goes out."""
    async with db.transaction() as session:
        await linking.resume(session, link_id)
    return await _view(db, link_id, clock)


@router.post("/links/{link_id}/end")
async def end_link(link_id: UUID, _actor: Coordinator, db: DatabaseDep, clock: ClockDep) -> LinkView:
    """End the link, or refuse or take back a request for one. Copies go on both sides."""
    async with db.transaction() as session:
        link = await linking.get_for_update(session, link_id)
        await linking.end(session, link, reason="ended_by_us", tell=True, now=clock.now())
    return await _view(db, link_id, clock)


@router.get("/links/{link_id}/refusals")
async def list_refusals(
    link_id: UUID,
    _actor: Coordinator,
    db: DatabaseDep,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: paging.Limit = 50,
) -> paging.Page[RefusalView]:
    """What did not pass the gate, newest first."""
    before = paging.decode_id(cursor) if cursor else None
    async with db.reading() as session:
        rows = await queries.refusals_of(session, link_id, before=before, limit=limit + 1)
    following = paging.encode(str(rows[limit - 1]["id"])) if len(rows) > limit else None
    return paging.Page(items=[RefusalView.of(row) for row in rows[:limit]], next=following)


@router.get("/invitations")
async def list_invitations(_actor: Coordinator, db: DatabaseDep, clock: ClockDep) -> list[InvitationView]:
    """The newest invitations, without their codes."""
    async with db.reading() as session:
        return [InvitationView.of(row, now=clock.now()) for row in await queries.recent_invitations(session)]


@router.post("/invitations", status_code=201)
async def invite(actor: Coordinator, db: DatabaseDep, clock: ClockDep, border: BorderDep, once: OnceDep) -> InvitedView:
    """A code for another cooperative: valid for 72 hours, once. An Idempotency-Key keeps all of it but the secret."""
    async with db.transaction() as session:

        async def make() -> KeptInvitation:
            row = await invitations.invite(session, border.keys, by=actor, now=clock.now())
            return KeptInvitation(id=row["id"], expires_at=row["expires_at"])

        made = await once(session, actor.id, NoBody(), KeptInvitation, make)
    code = invitations.code_of(made.id, border.keys, address=border.address, expires_at=made.expires_at)
    thumbprint = thumbprint_for_people(border.us)
    return InvitedView(id=made.id, code=code, expires_at=made.expires_at, thumbprint=thumbprint)


@router.delete("/invitations/{invitation_id}", status_code=204)
async def revoke_invitation(invitation_id: UUID, _actor: Coordinator, db: DatabaseDep, clock: ClockDep) -> None:
    """Take back an invitation that nobody has used."""
    async with db.transaction() as session:
        await invitations.revoke(session, invitation_id, now=clock.now())


async def _view(db: Database, link_id: UUID, clock: ClockDep) -> LinkView:
    async with db.reading() as session:
        row = await queries.one_link(session, link_id)
    if row is None:
        raise NotFound
    return LinkView.of(row, now=clock.now())
