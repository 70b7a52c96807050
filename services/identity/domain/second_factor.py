"""The second step of signing in: codes of an app (TOTP), and recovery codes for whoever has lost it.

Source: RFC 6238 with the values that every app knows (SHA-1, 30 s, six digits), OWASP ASVS 5.0, V6.5.
"""

import base64
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from services.chassis.problems import FieldError, InvalidFields, Problem, Text

STEP_SECONDS = 30
DIGITS = 6
_KEY_BYTES = 20
_CLOCKS_APART = 1
"""Steps by which the clocks of phone and server may differ (RFC 6238, 5.2)."""

PENDING_FOR = timedelta(minutes=30)
"""How long a key that was shown waits for its first code."""
BETWEEN_STEPS = timedelta(minutes=5)
"""How long the code may follow the password."""

RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS = 4
_GROUP = 4
_ONLY_DIGITS = re.compile(rf"[0-9]{{{DIGITS}}}")
_RECOVERY = re.compile(rf"[{_LETTERS}]{{{_GROUPS * _GROUP}}}")


class SecondFactorIsOn(Problem):
    """The account has a second factor; it has to be taken off before another one is set up."""

    status = 409
    slug = "identity/second-factor-is-on"
    text = Text(
        fr="La deuxième étape est déjà activée.",
        en="The second step is on already.",
        nl="De tweede stap is al ingeschakeld.",
    )


class SecondFactorIsOff(Problem):
    """The account has no second factor, or its key was shown too long ago."""

    status = 409
    slug = "identity/second-factor-is-off"
    text = Text(
        fr="La deuxième étape n'est pas activée, ou la clé a été montrée il y a trop longtemps. Recommencez.",
        en="The second step is not on, or the key was shown too long ago. Please start again.",
        nl="De tweede stap is niet ingeschakeld, of de sleutel is te lang geleden getoond. Begin opnieuw.",
    )


class StepEnded(Problem):
    """The password was given too long ago, or the step was used."""

    status = 401
    slug = "identity/step-ended"
    text = Text(
        fr="Trop de temps a passé depuis le mot de passe. Connectez-vous à nouveau.",
        en="The password was given too long ago. Please sign in again.",
        nl="Het wachtwoord is te lang geleden ingevuld. Meld u opnieuw aan.",
    )


_WRONG = Text(
    fr="Ce code n'est pas le bon, ou il a déjà servi. Attendez le suivant.",
    en="This is not the right code, or it was used already. Wait for the next one.",
    nl="Deze code klopt niet of is al gebruikt. Wacht op de volgende.",
)
_MISSING = Text(
    fr="Indiquez le code de votre application.",
    en="Give the code of your app.",
    nl="Vul de code van uw app in.",
)


def wrong_code() -> InvalidFields:
    """What is said of a code that is wrong, of another time, or used."""
    return InvalidFields(FieldError("code", "wrong-code", _WRONG))


def missing_code() -> InvalidFields:
    """What is said where a code is needed and none was given."""
    return InvalidFields(FieldError("code", "missing", _MISSING))


@dataclass(frozen=True, kw_only=True)
class Key:
    """What app and server share: 160 random bits."""

    raw: bytes = field(repr=False)

    @classmethod
    def new(cls) -> "Key":
        return cls(raw=secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def read(cls, text: str) -> "Key":
        """Raises ValueError for what is no base 32."""
        return cls(raw=base64.b32decode(text))

    @property
    def text(self) -> str:
        """As people type it into an app: base 32."""
        return base64.b32encode(self.raw).decode()

    def uri(self, *, account: str, issuer: str) -> str:
        """What an app reads from a QR code."""
        return self._codes().get_provisioning_uri(account, issuer)

    def code_at(self, step: int) -> str:
        """The code of a half minute, counted since 1970."""
        return self._codes().generate(step * STEP_SECONDS).decode()

    def step_of(self, code: str, *, now: datetime, after: int) -> int | None:
        """The half minute whose code this is, later than `after`, which was taken already; None: a wrong code."""
        present = int(now.timestamp()) // STEP_SECONDS
        steps = range(present - _CLOCKS_APART, present + _CLOCKS_APART + 1)
        found = [step for step in steps if hmac.compare_digest(self.code_at(step), code)]
        return next((step for step in found if step > after), None)

    def _codes(self) -> TOTP:
        return TOTP(self.raw, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - what RFC 6238 and every app use, in an HMAC


def plain(code: str) -> str:
    """A code as it is compared: without spaces and hyphens, in small letters."""
    return re.sub(r"[\s-]+", "", code).lower()


def is_of_app(code: str) -> bool:
    """Whether this can be a code of an app."""
    return _ONLY_DIGITS.fullmatch(code) is not None


def is_recovery_code(code: str) -> bool:
    """Whether this can be a recovery code."""
    return _RECOVERY.fullmatch(code) is not None


def new_recovery_codes() -> list[str]:
    """Ten codes of 79 random bits, as they are shown: `k3fp-x8mh-2q9d-7tnr`. No two begin alike."""
    found: dict[str, str] = {}
    while len(found) < RECOVERY_CODES:
        groups = ["".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)]
        found[groups[0]] = "-".join(groups)
    return list(found.values())


def beginning(code: str) -> str:
    """What of a plain recovery code is kept as it is, to find it."""
    return code[:_GROUP]


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A code that was given for `member_id` at `at`, and counted.

    `in_session`: by somebody who is signed in, so that what others try at the door is not held against them.
    `recovery_id`: the recovery code that it is, by its hash. Whether a code of an app is right, and whether either was
    used, is decided when it is taken.
    """

    member_id: UUID
    code: str = field(repr=False)
    at: datetime
    try_ids: tuple[UUID, ...]
    in_session: bool
    recovery_id: UUID | None = None
