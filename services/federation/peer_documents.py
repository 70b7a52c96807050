"""What peers hand in while linking: read, checked, and done. Nothing in it is believed before its signature is."""

from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import names
from services.chassis.outgoing import AddressRefused, check_host
from services.chassis.problems import NotFound
from services.federation import invitations, linking, tables
from services.federation.addresses import check_web_address
from services.federation.border import Border
from services.federation.documents import (
    LARGEST_DOCUMENT,
    Addressed,
    InvitationCode,
    KeySet,
    LinkConfirmation,
    LinkEnding,
    LinkRequest,
    Presentation,
    Profile,
    ReadAccess,
)
from services.federation.domain import AddressNotAllowed, NotSigned, PeerNotGenuine, next_status
from services.federation.keys import NotGenuine, public_key, read_key_set, read_signed
from services.federation.tables import links

FRESH_FOR = timedelta(hours=1)

AddressedT = TypeVar("AddressedT", bound=Addressed)


def read_presentation(text: str, code: InvitationCode, now: datetime) -> tuple[Presentation, KeySet]:
    """Who answered at the invitation's address. Raises PeerNotGenuine when it is not who was named."""
    try:
        unverified = Presentation.model_validate_json(_unverified(text))
        key_set = read_key_set(unverified.key_set, code.t, now)
        presentation = read_signed(text, Presentation, public_key(key_set.root.x))
    except (NotGenuine, ValidationError) as error:
        raise PeerNotGenuine from error
    if presentation.profile.instance_id != code.t or presentation.expires_at <= now:
        raise PeerNotGenuine
    return presentation, key_set


async def receive_request(session: AsyncSession, border: Border, text: str, now: datetime) -> sa.RowMapping:
    """An invited instance asks for a link, which waits for our coordinator.

    Raises NotSigned, AddressNotAllowed, InvitationOver, AlreadyLinked, HubsStayApart.
    """
    try:
        unverified = LinkRequest.model_validate_json(_unverified(text))
        key_set = read_key_set(unverified.key_set, unverified.profile.instance_id, now)
    except (NotGenuine, ValidationError) as error:
        raise NotSigned(why="the request cannot be read") from error
    request = _read_addressed(text, LinkRequest, public_key(key_set.root.x), border, now)
    _check_fields(request.profile, request.access, request.link_id, border)
    peer_id = request.profile.instance_id
    known = (await session.execute(sa.select(links).where(_living(peer_id, request.link_id)))).mappings().first()
    if known is not None:
        return known  # it asked before and did not get our answer
    invitation = await invitations.use(session, request.secret, peer_id=peer_id, link_id=request.link_id, now=now)
    kind, by = border.kind_of(request.profile), invitation["invited_by_name"]
    link = await linking.begin(session, request.profile, status="to_confirm", by=by, now=now, kind=kind)
    await linking.keep_key_set(session, peer_id, key_set, now, signed=request.key_set)
    values = sa.update(links).where(links.c.id == link["id"])
    values = values.values(peer_link_id=request.link_id, access=request.access.model_dump_json())
    link = (await session.execute(values.returning(*links.c))).mappings().one()
    await linking.announce(session, link)
    return link


def _living(peer_id: str, peer_link_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(links.c.peer_id == peer_id, links.c.peer_link_id == peer_link_id, links.c.status != "ended")


async def receive_confirmation(session: AsyncSession, border: Border, link_id: UUID, text: str, now: datetime) -> None:
    """The inviting instance's coordinator has confirmed our request. Raises NotFound, NotSigned, NotNow."""
    link = await linking.get_for_update(session, link_id)
    root = await _root_of(session, link["peer_id"])
    confirmation = _read_addressed(text, LinkConfirmation, root, border, now)
    _check_fields(confirmation.profile, confirmation.access, confirmation.link_id, border)
    if confirmation.your_link_id != link_id or confirmation.profile.instance_id != link["peer_id"]:
        raise NotSigned(why="of another link")
    if link["status"] != "awaiting_confirmation" and link["peer_link_id"] == confirmation.link_id:
        return  # said twice: our answer got lost
    try:
        key_set = read_key_set(confirmation.key_set, link["peer_id"], now)
    except NotGenuine as error:
        raise NotSigned(why=str(error)) from error
    await linking.keep_key_set(session, link["peer_id"], key_set, now, signed=confirmation.key_set)
    changed = await linking.change(
        session,
        link,
        status=next_status(link["status"], "confirmed"),
        peer_link_id=confirmation.link_id,
        access=confirmation.access.model_dump_json(),
    )
    await linking.order(session, changed, "create")


async def receive_ending(session: AsyncSession, border: Border, text: str, now: datetime) -> None:
    """The peer has ended the link. Raises NotFound (also when it ended before), NotSigned."""
    try:
        unverified = LinkEnding.model_validate_json(_unverified(text))
    except (NotGenuine, ValidationError) as error:
        raise NotSigned(why="the document cannot be read") from error
    ours = (
        links.c.id == unverified.your_link_id if unverified.your_link_id else links.c.peer_link_id == unverified.link_id
    )
    query = sa.select(links).where(ours, links.c.status != "ended").with_for_update()
    link = (await session.execute(query)).mappings().first()
    if link is None:
        raise NotFound
    ending = _read_addressed(text, LinkEnding, await _root_of(session, link["peer_id"]), border, now)
    if link["peer_link_id"] not in {None, ending.link_id}:
        raise NotSigned(why="of another link")
    await linking.end(session, link, reason="ended_by_peer", tell=False, now=now)


async def _root_of(session: AsyncSession, peer_id: str) -> OKPKey:
    """The peer's root key: it was checked against the peer's id when it was kept, and does not age."""
    query = sa.select(tables.key_sets.c.root_x).where(tables.key_sets.c.peer_id == peer_id)
    root_x = (await session.execute(query)).scalar_one_or_none()
    if root_x is None:
        raise NotFound
    return public_key(root_x)


def _read_addressed(text: str, kind: type[AddressedT], root: OKPKey, border: Border, now: datetime) -> AddressedT:
    try:
        document = read_signed(text, kind, root)
    except NotGenuine as error:
        raise NotSigned(why=str(error)) from error
    if document.audience != border.us:
        raise NotSigned(why="not for us")
    if not now < document.expires_at < now + FRESH_FOR:
        raise NotSigned(why="out of date")
    return document


def _check_fields(profile: Profile, access: ReadAccess, link_id: UUID, border: Border) -> None:
    """Raises AddressNotAllowed, NotSigned. Names are made of the peer's link id, so they must be."""
    allow_private = border.settings.federation_allow_private
    try:
        check_web_address(profile.address, allow_private=allow_private)
        check_host(access.host)
    except AddressRefused as error:
        raise AddressNotAllowed(why=str(error)) from error
    if not access.tls and not allow_private:
        raise AddressNotAllowed(why="AMQPS is needed")
    if access.queue != names.out(str(link_id)) or not access.user.endswith(f".peer.{link_id}"):
        raise NotSigned(why="the queue is not of this link")


def _unverified(text: str) -> bytes:
    """The payload before anything is checked, to find out which key to check with. Raises NotGenuine."""
    if len(text) > LARGEST_DOCUMENT:
        raise NotGenuine("too large")
    try:
        return jws.extract_compact(text.encode()).payload or b""
    except (JoseError, ValueError) as error:
        raise NotGenuine("not a signed document") from error
