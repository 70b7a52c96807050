"""Who is reading: the session cookie holds identity's opaque secret; tokens made from it are kept for a minute."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.identity import Locale
from services.portal.client import Caller, Json, PartMissing, Refusal, Services

FRESH_SECONDS = 60
_MARGIN_SECONDS = 20
_MOST = 5_000


@dataclass(frozen=True, kw_only=True)
class Member:
    """The person who is signed in, with the role that counts now.

    `second_factor_due`: until when their role asks for a second factor; None: it is there, or not asked for.
    """

    id: str
    name: str
    role: str
    locale: Locale
    second_factor_due: datetime | None = None

    @property
    def second_factor_late(self) -> bool:
        """Whether the role is on hold until there is one."""
        return self.second_factor_due is not None and self.second_factor_due <= datetime.now(UTC)

    @property
    def is_coordinator(self) -> bool:
        """Coordinators and administrators."""
        return self.role in {"coordinator", "administrator"}


@dataclass(frozen=True)
class _Known:
    token: str
    member: Member
    asked_at: float
    ends_at: float


class Sessions:
    """Turns session secrets into members and tokens. Bounded; nothing but digests of the secrets is kept as a key."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def resolve(self, secret: str, caller: Caller) -> tuple[Member, str] | None:
        """The member and a token, or None when the session has ended. Raises PartMissing.

        While identity does not answer, a token that is still valid goes on serving.
        """
        key = _digest(secret)
        known = self._known.get(key)
        if known is not None and time.time() - known.asked_at < FRESH_SECONDS and time.time() < known.ends_at:
            return known.member, known.token
        try:
            answer = await self._services.ask(
                "identity", "POST", "/tokens", caller=caller, headers={"authorization": f"Session {secret}"}
            )
        except PartMissing:
            if known is not None and time.time() < known.ends_at:
                return known.member, known.token
            raise
        except Refusal:
            self._known.pop(key, None)
            return None
        known = _Known(
            str(answer["token"]),
            member_of(answer["member"], due=answer.get("second_factor_due")),
            time.time(),
            datetime.fromisoformat(answer["expires_at"]).timestamp() - _MARGIN_SECONDS,
        )
        self._known[key] = known
        self._known.move_to_end(key)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return known.member, known.token

    def forget(self, secret: str) -> None:
        """Ask identity again at the next request (after a change of name, or signing out)."""
        self._known.pop(_digest(secret), None)


def member_of(view: Json, *, due: str | None = None) -> Member:
    """Identity's MemberView as the pages need it. `due`: until when a second factor is asked for."""
    return Member(
        id=str(view["id"]),
        name=str(view["name"]),
        role=str(view["role"]),
        locale=view["locale"],
        second_factor_due=datetime.fromisoformat(due) if due else None,
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
