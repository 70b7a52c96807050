"""What two instances hand each other over HTTP while they link, each signed by the sender's root key.

`typ` is in the signed header of each kind, so that a signature on one kind of document is none on another.
"""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.identity import Locale
from services.federation.addresses import PASSWORD, QUEUE, USER, VHOST

THUMBPRINT = r"^[A-Za-z0-9_-]{43}$"
"""A SHA-256 digest in base64url (RFC 7638)."""

LARGEST_DOCUMENT = 64 * 1024
LARGEST_SERIAL = 2**53 - 1


class Document(BaseModel):
    """Something signed. Readers ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    typ: ClassVar[str]


class Profile(BaseModel):
    """How an instance presents itself. Names are labels: what counts is `instance_id`, its root key's thumbprint.

    `hub`: it has no things of its own, and passes on what its members say.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    instance_id: str = Field(pattern=THUMBPRINT)
    name: str = Field(min_length=1, max_length=120)
    summary: str = Field(default="", max_length=2000)
    web: str = Field(default="", max_length=300, pattern=r"^(https?://[^\s\"'<>\\]*)?$")
    locale: Locale = "fr"
    address: str = Field(max_length=300)
    hub: bool = False


class PublicKey(BaseModel):
    """An Ed25519 public key as a JWK (RFC 8037); its id is its thumbprint.

    `revoked_epoch`, `revoked_from`: the epoch and number from which on nothing signed with it counts (None: in force).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    x: str = Field(pattern=THUMBPRINT)
    revoked_epoch: int | None = None
    revoked_from: int | None = None


class KeySet(Document):
    """The keys that sign an instance's events. Valid for seven days at most; the highest `serial` counts.

    `box`: the X25519 key with which to encrypt what goes to it through others; None from those who have none yet.
    """

    typ: ClassVar[str] = "maillage-keys"

    root: PublicKey
    keys: list[PublicKey] = Field(min_length=1, max_length=10)
    box: str | None = Field(default=None, pattern=THUMBPRINT)
    serial: int = Field(ge=1, le=LARGEST_SERIAL)
    issued_at: AwareDatetime
    expires_at: AwareDatetime


class Presentation(Document):
    """The answer to `GET /federation/profile`."""

    typ: ClassVar[str] = "maillage-profile"

    profile: Profile
    key_set: str = Field(max_length=LARGEST_DOCUMENT)
    expires_at: AwareDatetime


class ReadAccess(BaseModel):
    """Where and as whom the receiver may read our queue. Separate fields: it builds its own address of them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = Field(max_length=253)
    port: int = Field(ge=1, le=65535)
    tls: bool
    vhost: str = Field(pattern=VHOST)
    user: str = Field(pattern=USER)
    password: str = Field(pattern=PASSWORD)
    queue: str = Field(pattern=QUEUE)


class Addressed(Document):
    """A document for one receiver, for a short time. `link_id` is the sender's own id of the link."""

    audience: str = Field(pattern=THUMBPRINT)
    link_id: UUID
    expires_at: AwareDatetime


class LinkRequest(Addressed):
    """The invited instance asks for the link, with the secret of the invitation."""

    typ: ClassVar[str] = "maillage-link-request"

    secret: str = Field(min_length=20, max_length=100)
    profile: Profile
    key_set: str = Field(max_length=LARGEST_DOCUMENT)
    access: ReadAccess


class LinkConfirmation(Addressed):
    """The inviting instance's coordinator has confirmed. `your_link_id`: the receiver's id of the link."""

    typ: ClassVar[str] = "maillage-link-confirmation"

    your_link_id: UUID
    profile: Profile
    key_set: str = Field(max_length=LARGEST_DOCUMENT)
    access: ReadAccess


class LinkEnding(Addressed):
    """The sender has ended the link, or refuses it: nothing of it is to be kept.

    `your_link_id` is None while the receiver has not told it.
    """

    typ: ClassVar[str] = "maillage-link-ending"

    your_link_id: UUID | None


class Offer(Document):
    """One member of a hub to another, through the hub: we would like to be linked with you, or no longer (`over`).

    `link_id`: the sender's own id of the link; `your_link_id`: the receiver's, as far as the sender has heard of it.
    The newest of a sender counts, whatever way it took.
    """

    typ: ClassVar[str] = "maillage-offer"

    audience: str = Field(pattern=THUMBPRINT)
    link_id: UUID
    your_link_id: UUID | None
    over: bool
    issued_at: AwareDatetime
    expires_at: AwareDatetime


class InvitationCode(BaseModel):
    """What a coordinator passes on by hand. Travels as base64url of this JSON (short names keep it short)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    a: str = Field(max_length=300)
    t: str = Field(pattern=THUMBPRINT)
    s: str = Field(min_length=20, max_length=100)
    e: AwareDatetime
