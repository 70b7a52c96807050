"""What members of a hub tell each other about linking, through it: signed by the root key, closed for the other."""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.federation import carrying, limiting, linking, members
from services.federation.documents import Offer, Profile
from services.federation.domain import RELATIONS, SPEAKING, NoSuchMember
from services.federation.gate import Refused
from services.federation.hub_tables import directory
from services.federation.keys import CLOCK_TOLERANCE, Keys, NotGenuine, public_key, read_signed
from services.federation.sealed import LIFETIME
from services.federation.tables import key_sets, links, peer_calls, positions

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(days=1)
"""Between two times that we say the same: a hub may lose it, and it has no number by which it would be missed."""


async def put(
    session: AsyncSession, link: sa.RowMapping | dict[str, Any], keys: Keys, *, over: bool, now: datetime
) -> None:
    """Tell the peer of `link` that we would like to be linked with it, or (`over`) no longer."""
    query = (
        sa.select(links.c.id, key_sets.c.box)
        .join(key_sets, key_sets.c.peer_id == link["peer_id"])
        .where(links.c.id == link["via"], links.c.status.in_(SPEAKING), key_sets.c.box.is_not(None))
    )
    hub = (await session.execute(query)).one_or_none()
    if hub is None:
        return
    offer = Offer(
        audience=link["peer_id"],
        link_id=link["id"],
        your_link_id=link["peer_link_id"],
        over=over,
        issued_at=now,
        expires_at=now + LIFETIME,
    )
    box = {"recipient": link["peer_id"], "box": hub.box}
    await carrying.put_as_it_is(session, hub.id, [keys.sign(offer)], **box)


async def repeat(
    session: AsyncSession, link: sa.RowMapping, call: sa.RowMapping, keys: Keys, *, now: datetime
) -> datetime | None:
    """Tell the peer of `link` again what `call` is about: nothing says that it arrived. Returns when to do it again.

    None: it is known by now. That we want the link, once the peer speaks on it; its end, once there is a new one.
    """
    if call["kind"] == "confirmed":
        known = sa.select(positions.c.link_id).where(positions.c.link_id == link["id"], positions.c.seen_to > 0)
    else:
        anew = sa.and_(links.c.peer_id == link["peer_id"], links.c.kind.in_(RELATIONS), links.c.status != "ended")
        known = sa.select(links.c.id).where(anew)
    is_over = link["status"] == "ended"
    if is_over != (call["kind"] == "ended") or (await session.execute(known)).first() is not None:
        return None
    await put(session, link, keys, over=is_over, now=now)
    return now + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(call["attempts"], 20))


async def speaks_on_what_is_over(session: AsyncSession, hub: sa.RowMapping, instance_id: str, *, now: datetime) -> None:
    """A member, or whoever uses its name, takes a link for alive that has ended here: have it told so again."""
    query = sa.select(links.c.id).where(
        links.c.kind == "behind", links.c.via == hub["id"], links.c.peer_id == instance_id, links.c.status == "ended"
    )
    last = (await session.execute(query.order_by(links.c.ended_at.desc()).limit(1))).scalar_one_or_none()
    if last is not None:
        await _tell_of_end(session, last, now=now)


async def _tell_of_end(session: AsyncSession, link_id: UUID, *, now: datetime) -> None:
    told = sa.select(peer_calls.c.id).where(peer_calls.c.link_id == link_id, peer_calls.c.kind == "ended")
    is_told = (await session.execute(told)).first() is not None
    await linking.call(session, link_id, "ended", now + FIRST_PAUSE if is_told else now)


async def accept(session: AsyncSession, entry_of: tuple[UUID, UUID], keys: Keys, *, by: str, now: datetime) -> UUID:
    """Share with a member of a hub from now on, if it wants to as well. Returns our id of the link.

    `entry_of`: our link with the hub, and the hub's id of the member. `by`: our coordinator's name.
    Raises NoSuchMember, AlreadyLinked, PeerIsBlocked.
    """
    hub_link_id, member = entry_of
    mine = sa.and_(directory.c.hub_link_id == hub_link_id, directory.c.member == member)
    query = sa.select(directory, key_sets.c.box).join(key_sets, key_sets.c.peer_id == directory.c.instance_id)
    entry = (await session.execute(query.where(mine).with_for_update(of=directory))).mappings().first()
    if entry is None or entry["status"] != "member" or entry["box"] is None:
        raise NoSuchMember
    profile = Profile(
        instance_id=entry["instance_id"], name=entry["name"], summary=entry["summary"], web=entry["web"], address=""
    )
    status: Literal["awaiting_confirmation"] = "awaiting_confirmation"
    link = await linking.begin(session, profile, status=status, by=by, now=now, kind="behind", via=hub_link_id)
    offered = entry["offered_link_id"]
    # first that, then what we share: before it the other would not know what it is
    await put(session, dict(link) | {"peer_link_id": offered}, keys, over=False, now=now)
    await linking.call(session, link["id"], "confirmed", now + FIRST_PAUSE)
    if offered is None:
        await linking.announce(session, link)
    else:
        await session.execute(sa.update(directory).where(mine).values(offered_link_id=None))
        await members.activate(session, link, offered, now=now)
    return link["id"]


async def take(
    session: AsyncSession, hub: sa.RowMapping, body: bytes, instance_id: str, own: Keys, *, now: datetime
) -> None:
    """Do what a member that calls itself `instance_id` offers. Raises Refused."""
    mine = sa.and_(directory.c.hub_link_id == hub["id"], directory.c.instance_id == instance_id)
    query = sa.select(directory, key_sets.c.root_x).join(key_sets, key_sets.c.peer_id == directory.c.instance_id)
    entry = (await session.execute(query.where(mine).with_for_update(of=directory))).mappings().first()
    if entry is None or entry["status"] != "member":
        raise Refused("not_a_member", instance_id)
    offer = _read(body, entry["root_x"], own, now=now)
    is_old = entry["heard_at"] is not None and offer.issued_at <= entry["heard_at"]
    if is_old or await limiting.is_blocked(session, instance_id):
        return
    await session.execute(sa.update(directory).where(mine).values(heard_at=offer.issued_at))
    offered = await _settle(session, hub, instance_id, offer, now=now)
    await session.execute(sa.update(directory).where(mine).values(offered_link_id=offer.link_id if offered else None))


def _read(body: bytes, root_x: str, own: Keys, *, now: datetime) -> Offer:
    try:
        offer = read_signed(body.decode("ascii"), Offer, public_key(root_x))
    except (NotGenuine, UnicodeError) as error:
        raise Refused("forged", str(error)) from error
    if offer.audience != own.instance_id:
        raise Refused("wrong_audience", offer.audience)
    if offer.expires_at <= now:
        raise Refused("expired", offer.expires_at.isoformat())
    if offer.issued_at > now + CLOCK_TOLERANCE:
        raise Refused("malformed", f"from the future: {offer.issued_at.isoformat()}")
    return offer


async def _settle(session: AsyncSession, hub: sa.RowMapping, instance_id: str, offer: Offer, *, now: datetime) -> bool:
    """Open, go on with, or end our link with the member. Returns whether its offer waits for our coordinator.

    Messages cross and are repeated: a member that speaks of a link that has ended here has not heard of its end, and
    one that has not spoken yet on the link that we accepted has meanwhile made another in its place.
    """
    link = await members.link_behind(session, hub["id"], instance_id)
    if offer.over:
        if link is not None and (offer.link_id == link["peer_link_id"] or offer.your_link_id == link["id"]):
            await linking.end(session, link, reason="ended_by_peer", tell=False, now=now)
        return False
    if link is None:
        return not await _goes_on_with_what_is_over(session, hub, instance_id, offer, now=now)
    if link["status"] == "awaiting_confirmation":
        await members.activate(session, link, offer.link_id, now=now)
    elif link["peer_link_id"] != offer.link_id:
        if await _has_spoken(session, link):  # it begins anew: what ended it did not reach us
            await linking.end(session, link, reason="ended_by_peer", tell=False, now=now)
            return True
        await linking.change(session, link, peer_link_id=offer.link_id)
    if offer.your_link_id != link["id"]:
        await linking.call(session, link["id"], "confirmed", now)
    return False


async def _goes_on_with_what_is_over(
    session: AsyncSession, hub: sa.RowMapping, instance_id: str, offer: Offer, *, now: datetime
) -> bool:
    """Whether the offer is of a link that has ended here: then its end is told again."""
    ours = sa.and_(links.c.kind == "behind", links.c.via == hub["id"], links.c.peer_id == instance_id)
    same = sa.or_(links.c.peer_link_id == offer.link_id, links.c.id == offer.your_link_id)
    query = sa.select(links.c.id).where(ours, same, links.c.status == "ended").order_by(links.c.ended_at.desc())
    ended = (await session.execute(query.limit(1))).scalar_one_or_none()
    if ended is not None:
        await _tell_of_end(session, ended, now=now)
    return ended is not None


async def _has_spoken(session: AsyncSession, link: sa.RowMapping) -> bool:
    heard = sa.and_(positions.c.link_id == link["id"], positions.c.last_received_at.is_not(None))
    return (await session.execute(sa.select(sa.exists().where(heard)))).scalar_one()
