"""Puts federation together: the border post of the instance."""

from services.chassis.assembly import assemble
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.process import Runs, Service
from services.chassis.publishing import Publisher
from services.chassis.settings import load
from services.federation import api, consumers, hub_api, peer_api, sharing_api
from services.federation.border import Border
from services.federation.boxes import LARGEST_BOX
from services.federation.inbound import Inbound
from services.federation.keeping import Keeping
from services.federation.keys import read_keys
from services.federation.peer_http import PeerHttp, Peers
from services.federation.posting import border_relay
from services.federation.settings import FederationSettings


def build(settings: FederationSettings | None = None, *, peers: Peers | None = None) -> Service:
    """The service, not yet running. `peers`: how to call other instances (default: HTTP). Raises MissingSetting."""
    settings = settings or load(FederationSettings)
    peers = peers or PeerHttp(allow_private=settings.federation_allow_private)
    border = Border(settings, read_keys(settings), peers)
    border_url = settings.broker_url("federation", border=True)
    clock = Clock()

    def loops(db: Database) -> list[Runs]:
        return [
            border_relay(db, Publisher(border_url, largest=LARGEST_BOX), border),
            Inbound(db, border_url, border=border, now=clock.now),
            Keeping(db, border, now=clock.now),
        ]

    service = assemble(
        "federation",
        settings,
        routers=[api.router, hub_api.router, sharing_api.router],
        consumers=consumers.consumers,
        loops=loops,
        paths=["/federation"],
    )
    service.app.include_router(peer_api.router)
    service.app.state.border = border
    return service
