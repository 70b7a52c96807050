"""The rules of linking, and what can go wrong with it. No I/O."""

import base64
import hashlib
import unicodedata
from datetime import datetime, timedelta
from typing import Literal

from pydantic import ValidationError

from services.chassis.problems import Problem, Text
from services.federation.documents import InvitationCode

INVITATION_LIFETIME = timedelta(hours=72)
DOCUMENT_LIFETIME = timedelta(minutes=10)

Status = Literal["awaiting_confirmation", "to_confirm", "opening", "active", "paused", "ended"]

Kind = Literal["direct", "hub", "member", "behind", "public", "heard"]
"""A cooperative next to us; the hub that we are in; a member of the hub that we are; a cooperative behind a hub.

And two that are no links but streams: what we share with everybody, what a peer does."""

RELATIONS: tuple[Kind, ...] = ("direct", "hub", "member", "behind")
PEERS: tuple[Kind, ...] = ("direct", "behind")
"""With these we share things and bookings."""

HEAR_PUBLIC_STREAM: tuple[Kind, ...] = ("hub", "behind")
"""These hear of changes to what is public on our public stream, and on their own only what they ask for."""

SPEAKING: tuple[Status, ...] = ("active", "paused")
"""What we say to the peer is written down (and waits in its queue while the link is paused)."""

LISTENING: tuple[Status, ...] = ("opening", "active", "paused")
"""What comes from the peer is read. A peer may be ready a moment before us."""


OPEN_ANSWERS = ("pending", "confirmed")
"""A booking of which a peer was told this is not over."""

ENDED_ANSWERS = ("declined", "cancelled", "expired")
"""One of which a peer was told this takes its place no longer, though its period may be still to come."""


class CodeNotReadable(Problem):
    """The invitation code was cut or mistyped."""

    status = 422
    slug = "federation/code-not-readable"
    text = Text(
        fr="Ce code d'invitation est illisible. Copiez-le en entier, sans espace en trop.",
        en="This invitation code cannot be read. Copy all of it, without extra spaces.",
        nl="Deze uitnodigingscode is onleesbaar. Kopieer ze volledig, zonder extra spaties.",
    )


class InvitationOver(Problem):
    """The invitation has expired, was revoked or used."""

    status = 410
    slug = "federation/invitation-over"
    text = Text(
        fr="Cette invitation n'est plus valable : expirée, retirée ou déjà utilisée. Demandez-en une nouvelle.",
        en="This invitation is no longer valid: it has expired, was revoked or was used. Ask for a new one.",
        nl="Deze uitnodiging is niet meer geldig: ze is verlopen, ingetrokken of al gebruikt. Vraag een nieuwe.",
    )


class PeerDoesNotAnswer(Problem):
    """The other cooperative's server cannot be reached, or answers nonsense."""

    status = 502
    slug = "federation/peer-does-not-answer"
    text = Text(
        fr="Le serveur de l'autre coopérative ne répond pas ({why}). Rien n'a été changé : réessayez plus tard.",
        en="The other cooperative's server does not answer ({why}). Nothing was changed: try again later.",
        nl="De server van de andere coöperatie antwoordt niet ({why}). Er is niets gewijzigd: probeer later.",
    )


class PeerNotGenuine(Problem):
    """The server at the address does not hold the key that the invitation names."""

    status = 409
    slug = "federation/peer-not-genuine"
    text = Text(
        fr="Ce serveur n'est pas celui de l'invitation : son empreinte diffère. Prévenez l'autre coopérative.",
        en="This server is not the one of the invitation: its thumbprint differs. Tell the other cooperative.",
        nl="Dit is niet de server van de uitnodiging: de vingerafdruk verschilt. Verwittig de andere coöperatie.",
    )


class AddressNotAllowed(Problem):
    """The address of the other server is not one that we connect to."""

    status = 422
    slug = "federation/address-not-allowed"
    text = Text(
        fr="L'adresse de l'autre coopérative n'est pas acceptée : {why}.",
        en="The other cooperative's address is not accepted: {why}.",
        nl="Het adres van de andere coöperatie wordt niet aanvaard: {why}.",
    )


class AlreadyLinked(Problem):
    """There is a link with this peer, or one is being made."""

    status = 409
    slug = "federation/already-linked"
    text = Text(
        fr="Un lien avec {peer_name} existe déjà ou est en cours. Terminez-le d'abord pour recommencer.",
        en="A link with {peer_name} exists already or is being made. End it first to start again.",
        nl="Er bestaat al een koppeling met {peer_name} of ze wordt gemaakt. Beëindig ze eerst om opnieuw te beginnen.",
    )


class PeerIsBlocked(Problem):
    """Our coordinators have blocked this cooperative."""

    status = 403
    slug = "federation/peer-is-blocked"
    text = Text(
        fr="Cette coopérative est bloquée. Levez d'abord le blocage pour vous lier avec elle.",
        en="This cooperative is blocked. Lift the block first to link with it.",
        nl="Deze coöperatie is geblokkeerd. Hef eerst de blokkering op om u ermee te koppelen.",
    )


class HubsStayApart(Problem):
    """A hub is linked with cooperatives only."""

    status = 409
    slug = "federation/hubs-stay-apart"
    text = Text(
        fr="Deux hubs ne se lient pas entre eux : chaque coopérative peut être membre des deux.",
        en="Two hubs are not linked with each other: each cooperative can be a member of both.",
        nl="Twee hubs worden niet met elkaar gekoppeld: elke coöperatie kan lid zijn van beide.",
    )


class NoSuchMember(Problem):
    """Nobody of that kind is, or still is, in the hub's directory."""

    status = 404
    slug = "federation/no-such-member"
    text = Text(
        fr="Cette coopérative n'est pas, ou plus, membre de ce hub.",
        en="This cooperative is not, or no longer, a member of this hub.",
        nl="Deze coöperatie is geen lid (meer) van deze hub.",
    )


class NoOtherKey(Problem):
    """The last signing key cannot be revoked: nothing could be said any more."""

    status = 409
    slug = "federation/no-other-key"
    text = Text(
        fr="C'est la seule clé. Créez d'abord la suivante (python -m services secrets --next-signing-key).",
        en="It is the only key. Make the next one first (python -m services secrets --next-signing-key).",
        nl="Dit is de enige sleutel. Maak eerst de volgende (python -m services secrets --next-signing-key).",
    )


class OwnInvitation(Problem):
    """A coordinator entered a code of their own cooperative."""

    status = 409
    slug = "federation/own-invitation"
    text = Text(
        fr="C'est une invitation de votre propre coopérative : transmettez ce code à l'autre coopérative.",
        en="This is your own cooperative's invitation: pass the code on to the other cooperative.",
        nl="Dit is een uitnodiging van uw eigen coöperatie: geef de code door aan de andere coöperatie.",
    )


class NotNow(Problem):
    """The link is not in a state for this."""

    status = 409
    slug = "federation/not-now"
    text = Text(
        fr="Ce n'est pas possible dans l'état actuel du lien. Rechargez la page.",
        en="This is not possible in the link's present state. Reload the page.",
        nl="Dit kan niet in de huidige toestand van de koppeling. Herlaad de pagina.",
    )


class NotSigned(Problem):
    """A document of a peer that is not signed as it should be, not for us, or too old."""

    status = 403
    slug = "federation/not-signed"
    text = Text(
        fr="Ce document n'est pas signé comme il faut, ou pas pour nous ({why}).",
        en="This document is not signed as it should be, or not for us ({why}).",
        nl="Dit document is niet naar behoren ondertekend, of niet voor ons ({why}).",
    )


def encode_code(code: InvitationCode) -> str:
    """The invitation as text that people can paste."""
    return base64.urlsafe_b64encode(code.model_dump_json().encode()).decode().rstrip("=")


def decode_code(text: str) -> InvitationCode:
    """What a coordinator pasted; spaces and line breaks of a mail program do no harm. Raises CodeNotReadable."""
    packed = "".join(text.split()).rstrip("=")
    try:
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
        return InvitationCode.model_validate_json(raw)
    except (ValueError, ValidationError) as error:
        raise CodeNotReadable from error


def hash_secret(secret: str) -> bytes:
    """What we keep of an invitation's secret (256 random bits: a plain hash is enough)."""
    return hashlib.sha256(secret.encode()).digest()


def check_invitation_counts(
    *, expires_at: datetime, revoked_at: datetime | None, used_by: str | None, peer_id: str, now: datetime
) -> None:
    """Raises InvitationOver unless `peer_id` may use the invitation at `now`; who has used it may repeat itself."""
    if revoked_at is not None or expires_at <= now or used_by not in {None, peer_id}:
        raise InvitationOver


def next_status(status: str, act: Literal["confirm", "confirmed", "open", "pause", "resume", "end"]) -> Status:
    """The status after `act`. Raises NotNow."""
    steps: dict[tuple[str, str], Status] = {
        ("to_confirm", "confirm"): "opening",
        ("awaiting_confirmation", "confirmed"): "opening",
        ("opening", "open"): "active",
        ("active", "pause"): "paused",
        ("paused", "resume"): "active",
    }
    if act == "end" and status != "ended":
        return "ended"
    found = steps.get((status, act))
    if found is None:
        raise NotNow
    return found


def name_to_compare(name: str) -> str:
    """The same for two names that people would read as one: width, case, spaces and invisible signs do not count."""
    visible = "".join(sign for sign in unicodedata.normalize("NFKC", name) if unicodedata.category(sign) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", visible.casefold()).split())
