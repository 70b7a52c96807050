"""Live inboxes of this process: who is connected, and a wake-up for each when their inbox grows.

What waits for a client is one flag, not a queue: a slow client can fill nothing, and reads what is newer than the last
notification that it has seen.
"""

import asyncio
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from prometheus_client import Gauge

from services.chassis.auth import CurrentMember
from services.chassis.problems import Problem, Text

MOST_AT_ONCE = 20
"""Of one member, in one process: more windows than anybody looks at."""
_CONNECTED = Gauge("maillage_live_inboxes", "Clients that follow their inbox live.")


class TooManyLive(Problem):
    """A member follows their inbox in too many places at once."""

    status = 429
    slug = "notify/too-many-live"
    text = Text(
        fr="Vous suivez déjà vos messages dans {most} fenêtres. Fermez-en d'abord.",
        en="You follow your messages in {most} windows already. Close some first.",
        nl="U volgt uw berichten al in {most} vensters. Sluit er eerst enkele.",
    )


class Hub:
    """The connected clients by member."""

    def __init__(self) -> None:
        self._clients: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def wake(self, member_id: str) -> None:
        """Wake the clients of one member; everybody when `member_id` is "" (something may have been missed)."""
        heard = [self._clients[member_id]] if member_id in self._clients else []
        for clients in heard if member_id else self._clients.values():
            for client in clients:
                client.set()

    def check_room(self, member_id: UUID) -> None:
        """Raises TooManyLive."""
        if len(self._clients.get(str(member_id), ())) >= MOST_AT_ONCE:
            raise TooManyLive(most=MOST_AT_ONCE)

    @contextmanager
    def following(self, member_id: UUID) -> Generator[asyncio.Event]:
        """An event that is set whenever the member's inbox may have grown."""
        key, client = str(member_id), asyncio.Event()
        self._clients[key].add(client)
        _CONNECTED.inc()
        try:
            yield client
        finally:
            _CONNECTED.dec()
            self._clients[key].discard(client)
            if not self._clients[key]:
                del self._clients[key]


async def _hub_of(request: Request) -> Hub:
    hub = request.app.state.hub
    if not isinstance(hub, Hub):
        raise TypeError("this service has no live inboxes")
    return hub


HubDep = Annotated[Hub, Depends(_hub_of)]


async def _hub_with_room(hub: HubDep, actor: CurrentMember) -> Hub:
    hub.check_room(actor.id)
    return hub


RoomyHubDep = Annotated[Hub, Depends(_hub_with_room)]
"""For one more client of whoever asks. Raises TooManyLive before anything is streamed."""
