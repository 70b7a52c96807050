"""What requests and answers about sessions, tokens for scripts and the trail of acts look like."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.identity import Role
from services.identity.api.models import Code, Form, Name, Password
from services.identity.domain.scopes import SCOPES, Scope


class SessionView(BaseModel):
    """Where somebody is signed in. `device` is empty when it was not told; `current`: the session that asks."""

    id: UUID
    device: str
    since: datetime
    last_used_at: datetime
    current: bool


class PersonalTokenForm(Form):
    """A token for scripts: what for, what it may do, for how many days; and the password again."""

    name: Name
    scopes: Annotated[set[Scope], Field(min_length=1, max_length=len(SCOPES))]
    days: Annotated[int, Field(ge=1, le=366)] = 90
    password: Password
    code: Code = ""


class PersonalTokenView(BaseModel):
    """A token as its owner sees it later: not its secret."""

    id: UUID
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class PersonalTokenMade(PersonalTokenView):
    """`token` is the secret; it is told here and never again."""

    token: str


class ActView(BaseModel):
    """What somebody with a role did. `said`: the facts that came of it, as "type subject". `actor_name`: as of now."""

    id: UUID
    at: datetime
    service: str
    actor_id: UUID
    actor_name: str | None
    role: Role
    what: str
    about: str | None
    said: list[str]
    notes: dict[str, str]
    correlation_id: str | None
