"""An invited coordinator enters a code: the one use case that speaks to the peer between two transactions."""

from datetime import datetime

import sqlalchemy as sa

from services.chassis.database import Database
from services.chassis.outgoing import AddressRefused
from services.federation import linking, peer_documents
from services.federation.border import Border
from services.federation.documents import InvitationCode, KeySet, Presentation
from services.federation.domain import (
    AddressNotAllowed,
    InvitationOver,
    OwnInvitation,
    PeerDoesNotAnswer,
    decode_code,
)
from services.federation.peer_http import PeerRefused, PeerUnreachable


async def look_at(border: Border, code_text: str, now: datetime) -> tuple[InvitationCode, Presentation, KeySet]:
    """Whom the code leads to, checked against the thumbprint in it. Nothing is sent.

    Raises CodeNotReadable, InvitationOver, OwnInvitation, AddressNotAllowed, PeerDoesNotAnswer, PeerNotGenuine,
    HubsStayApart.
    """
    code = decode_code(code_text)
    if code.t == border.us:
        raise OwnInvitation
    if code.e <= now:
        raise InvitationOver
    try:
        text = await border.peers.get(code.a, "/federation/profile")
    except AddressRefused as error:
        raise AddressNotAllowed(why=str(error)) from error
    except PeerUnreachable as error:
        raise PeerDoesNotAnswer(why=str(error)) from error
    presentation, key_set = peer_documents.read_presentation(text, code, now)
    border.kind_of(presentation.profile)
    return code, presentation, key_set


async def accept(db: Database, border: Border, code_text: str, *, by: str, now: datetime) -> sa.RowMapping:
    """Ask the inviting instance for the link. `by`: our coordinator's name.

    Raises what `look_at` does, and AlreadyLinked.
    """
    code, presentation, key_set = await look_at(border, code_text, now)
    # calls go where the invitation led, whatever address the peer gives itself
    profile = presentation.profile.model_copy(update={"address": code.a})
    kind = border.kind_of(profile)
    async with db.transaction() as session:
        link = await linking.begin(session, profile, status="awaiting_confirmation", by=by, now=now, kind=kind)
        await linking.keep_key_set(session, profile.instance_id, key_set, now, signed=presentation.key_set)
        request = await border.request(session, link, code.s, now)
    try:
        await border.peers.post(code.a, "/federation/links", request)
    except (PeerUnreachable, AddressRefused) as error:
        async with db.transaction() as session:
            await linking.forget_attempt(session, link["id"])
        if isinstance(error, PeerRefused) and error.status == InvitationOver.status:
            raise InvitationOver from error
        raise PeerDoesNotAnswer(why=str(error)) from error
    async with db.transaction() as session:
        await linking.announce(session, link)
    return link
