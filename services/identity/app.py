"""Puts identity together."""

from services.chassis.assembly import assemble
from services.chassis.process import Service
from services.chassis.sealing import Sealer
from services.chassis.settings import load
from services.identity import consumers
from services.identity.api import (
    account,
    acts,
    circles,
    cooperative,
    invitations,
    members,
    second_factor,
    sessions,
    tokens,
)
from services.identity.hashing import PasswordHashes
from services.identity.housekeeping import Housekeeping
from services.identity.leaked import LeakedPasswords
from services.identity.settings import IdentitySettings
from services.identity.signing import Signer

_PARTS = (cooperative, sessions, account, second_factor, tokens, members, invitations, circles, acts)
ROUTERS = [part.router for part in _PARTS]


def build(settings: IdentitySettings | None = None) -> Service:
    """The service, not yet running. Raises MissingSetting."""
    settings = settings or load(IdentitySettings)
    signer = Signer(settings.secret("identity_signing_key.pem"), instance=settings.instance)
    service = assemble(
        "identity",
        settings,
        routers=ROUTERS,
        consumers=consumers.consumers,
        loops=lambda database: [Housekeeping(database, public_url=settings.public_url)],
    )
    service.app.state.signer = signer
    service.app.state.sealer = Sealer(settings.secret("identity_second_factor_key"), purpose="second factor")
    service.app.state.password_hashes = PasswordHashes(settings.hashing_threads)
    service.app.state.leaked_passwords = LeakedPasswords(settings.leaked_passwords)
    service.app.state.authenticator.know(signer.public_key)
    return service
