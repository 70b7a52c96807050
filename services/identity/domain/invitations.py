"""An invitation to become a member."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from contracts.identity import Role
from services.chassis.problems import Problem, Text

VALID = timedelta(days=7)


class LinkNotValid(Problem):
    """A link from a mail is unknown, was used, was taken back or is too old."""

    status = 410
    slug = "identity/link-not-valid"
    text = Text(
        fr="Ce lien n'est plus valable : il a déjà servi, a été retiré ou a expiré. Demandez-en un nouveau.",
        en="This link is no longer valid: it was used, withdrawn or has expired. Ask for a new one.",
        nl="Deze link is niet meer geldig: hij is al gebruikt, ingetrokken of verlopen. Vraag een nieuwe aan.",
    )


class AlreadyMember(Problem):
    """Somebody with this address is a member already."""

    status = 409
    slug = "identity/already-member"
    text = Text(
        fr="Cette adresse est déjà celle d'un membre de la coopérative.",
        en="This address already belongs to a member of the cooperative.",
        nl="Dit adres is al van een lid van de coöperatie.",
    )


class InvitationIsOver(Problem):
    """The invitation was already accepted, so it cannot be taken back."""

    status = 409
    slug = "identity/invitation-is-over"
    text = Text(
        fr="Cette invitation a déjà été acceptée.",
        en="This invitation was already accepted.",
        nl="Deze uitnodiging is al aanvaard.",
    )


@dataclass(eq=False, kw_only=True)
class Invitation:
    """Who was invited by whom. `token_hash` is the SHA-256 of the secret in the mailed link."""

    id: UUID
    email: str
    email_key: str
    name: str | None
    role: Role
    invited_by: UUID
    token_hash: bytes
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    revoked_at: datetime | None = None

    def status(self, now: datetime) -> Literal["pending", "accepted", "revoked", "expired"]:
        if self.accepted_at is not None:
            return "accepted"
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if now >= self.expires_at else "pending"

    def accept(self, now: datetime) -> None:
        """Raises LinkNotValid unless it is pending."""
        self.check_pending(now)
        self.accepted_at = now

    def revoke(self, now: datetime) -> None:
        """Take it back; again is no error. Raises InvitationIsOver when it was accepted."""
        if self.accepted_at is not None:
            raise InvitationIsOver
        self.revoked_at = self.revoked_at or now

    def check_pending(self, now: datetime) -> None:
        """Raises LinkNotValid."""
        if self.status(now) != "pending":
            raise LinkNotValid
