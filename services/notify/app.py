"""notify, put together."""

from services.chassis.assembly import assemble
from services.chassis.process import Service
from services.chassis.settings import load
from services.notify import api, consumers
from services.notify.commands.telling import MAILS, NOTIFICATIONS
from services.notify.listening import Listening, Pulse
from services.notify.live import Hub
from services.notify.sending import Sending
from services.notify.settings import NotifySettings
from services.notify.sweeping import Sweeping


def build(settings: NotifySettings | None = None) -> Service:
    """The service, not yet running."""
    settings = settings or load(NotifySettings)
    hub, mails = Hub(), Pulse()
    service = assemble(
        "notify",
        settings,
        routers=[api.router],
        consumers=consumers.consumers,
        loops=lambda db: [
            Listening(db.url, {NOTIFICATIONS: hub.wake, MAILS: mails.beat}),
            Sending(db, settings, mails),
            Sweeping(db),
        ],
    )
    service.app.state.hub = hub
    return service
