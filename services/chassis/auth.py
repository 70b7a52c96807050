"""Who asks: a short-lived JWT from identity, checked against its published key set.

Source: RFC 7519, RFC 8037 and RFC 9864 (`alg` `Ed25519`); the algorithm is pinned, issuer and audience are checked.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import httpx
from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey
from joserfc.jws import extract_compact

from contracts.identity import Locale, Role
from services.chassis import audit
from services.chassis.problems import NotAllowed, NotSignedIn, Problem, Text, Unavailable

ALGORITHM = "Ed25519"
AUDIENCE = "maillage"
LIFETIME_SECONDS = 300
_REFETCH_SECONDS = 5
_REMEMBERED = 1000
_READING = frozenset({"GET", "HEAD", "OPTIONS"})

COORDINATION = "coordination"
"""The scope without which a script acts as a simple member, whatever role its owner has."""


class MissingScope(Problem):
    """A script's token does not reach so far; `scope` is what it lacks."""

    status = 403
    slug = "missing-scope"
    text = Text(
        fr="Ce jeton ne permet pas cela : il lui manque « {scope} ».",
        en="This token does not allow that: it lacks “{scope}”.",
        nl="Dit token laat dat niet toe: “{scope}” ontbreekt.",
    )


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The person behind a request.

    `scopes`: what a script's token may do in their name, "<service>:read", "<service>:write", "coordination"; None for
    somebody who has signed in, who may do all that their role may. Checked for every route, here.
    """

    id: UUID
    name: str
    role: Role
    locale: Locale
    scopes: frozenset[str] | None = None

    @property
    def is_coordinator(self) -> bool:
        """Coordinators and administrators."""
        return self.role in {"coordinator", "administrator"}


class _Checked(NamedTuple):
    kid: str
    key: OKPKey
    expires: float
    actor: Actor


class Authenticator:
    """Checks tokens of one instance. Fetches identity's key set once, and again when a key is unknown."""

    def __init__(self, *, instance: str, identity_url: str) -> None:
        self._instance = instance
        self._url = f"{identity_url}/keys"
        self._keys: dict[str, OKPKey] = {}
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()
        self._checked: dict[str, _Checked] = {}
        self._registry = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": instance},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
        )

    def know(self, *keys: OKPKey) -> None:
        """Trust `keys` without asking for them: identity knows its own."""
        self._keys |= {key.kid or key.thumbprint(): key for key in keys}

    async def actor(self, token: str) -> Actor:
        """The person whom `token` names. Raises NotSignedIn, or Unavailable when identity's keys cannot be had."""
        checked = self._checked.get(token)
        if checked is not None and time.time() < checked.expires and self._keys.get(checked.kid) is checked.key:
            return checked.actor
        try:
            kid = str(_unverified_header(token).get("kid"))
            key = self._keys.get(kid) or await self._fetch(kid)
            decoded = jwt.decode(token, key, algorithms=[ALGORITHM])
            self._registry.validate(decoded.claims)
            return self._remember(token, _Checked(kid, key, float(decoded.claims["exp"]), _actor_of(decoded.claims)))
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotSignedIn from error

    def _remember(self, token: str, checked: "_Checked") -> Actor:
        """A signature that was right once is right until the token ends, or its key is no longer published."""
        if len(self._checked) >= _REMEMBERED:
            self._checked.clear()
        self._checked[token] = checked
        return checked.actor

    async def _fetch(self, kid: str) -> OKPKey:
        async with self._lock:
            if kid not in self._keys and time.monotonic() - self._fetched_at > _REFETCH_SECONDS:
                try:
                    async with httpx.AsyncClient(timeout=5) as client:
                        answer = (await client.get(self._url)).raise_for_status().json()
                except httpx.HTTPError as error:
                    raise Unavailable from error
                self._keys = {
                    key.kid or "": key for key in KeySet.import_key_set(answer).keys if isinstance(key, OKPKey)
                }
                self._fetched_at = time.monotonic()
            return self._keys[kid]


def issue(key: OKPKey, *, instance: str, actor: Actor, now: float) -> str:
    """A token for `actor`, signed with identity's private `key`; `now` in seconds since the epoch."""
    scope = {} if actor.scopes is None else {"scope": " ".join(sorted(actor.scopes))}
    claims = {
        **scope,
        "iss": instance,
        "aud": AUDIENCE,
        "sub": str(actor.id),
        "name": actor.name,
        "role": actor.role,
        "locale": actor.locale,
        "iat": int(now),
        "exp": int(now) + LIFETIME_SECONDS,
    }
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid or key.thumbprint()}, claims, key, algorithms=[ALGORITHM])


def _unverified_header(token: str) -> dict[str, Any]:
    return dict(extract_compact(token.encode()).headers())


def _actor_of(claims: dict[str, Any]) -> Actor:
    role, locale = claims["role"], claims["locale"]
    if role not in {"member", "coordinator", "administrator"} or locale not in {"fr", "nl", "en"}:
        raise ValueError("unknown role or language")
    scopes = frozenset(str(claims["scope"]).split()) if "scope" in claims else None
    return Actor(id=UUID(str(claims["sub"])), name=str(claims["name"]), role=role, locale=locale, scopes=scopes)


async def _maybe_member(request: Request) -> Actor | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    authenticator = request.app.state.authenticator
    if not isinstance(authenticator, Authenticator):
        raise TypeError("this service checks no tokens")
    actor = await authenticator.actor(token)
    request.state.actor_id = actor.id
    reads = request.method in _READING
    wanted = f"{request.app.state.service}:{'read' if reads else 'write'}"
    if actor.scopes is not None and wanted not in actor.scopes:
        raise MissingScope(scope=wanted)
    if not reads:
        await request.app.state.pace.take(actor.id)
    if actor.is_coordinator and not reads:
        audit.begin(request, actor_id=actor.id, role=actor.role)
    return actor


async def _member(actor: Annotated[Actor | None, Depends(_maybe_member)]) -> Actor:
    if actor is None:
        raise NotSignedIn
    return actor


async def _coordinator(actor: Annotated[Actor, Depends(_member)]) -> Actor:
    if not actor.is_coordinator:
        raise NotAllowed
    return actor


async def _administrator(actor: Annotated[Actor, Depends(_member)]) -> Actor:
    if actor.role != "administrator":
        raise NotAllowed
    return actor


MaybeMember = Annotated[Actor | None, Depends(_maybe_member)]
CurrentMember = Annotated[Actor, Depends(_member)]
Coordinator = Annotated[Actor, Depends(_coordinator)]
Administrator = Annotated[Actor, Depends(_administrator)]

__all__ = ["Actor", "Administrator", "Authenticator", "Coordinator", "CurrentMember", "MaybeMember", "issue"]
