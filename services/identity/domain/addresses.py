"""E-mail addresses: which are accepted and how they are compared."""

import re
from dataclasses import dataclass

from services.chassis.problems import FieldError, InvalidFields, Text

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_LOCAL = 64
_LONGEST = 254

_WRONG = Text(
    fr="Cette adresse n'a pas la forme d'une adresse e-mail (nom@exemple.org).",
    en="This does not look like an e-mail address (name@example.org).",
    nl="Dit lijkt niet op een e-mailadres (naam@voorbeeld.org).",
)


@dataclass(frozen=True)
class EmailAddress:
    """An address as it is written to (`text`) and as it is compared (`key`: case folded)."""

    text: str
    key: str

    @property
    def local_part(self) -> str:
        return self.text.partition("@")[0]


def email_address(written: str, *, field: str = "email") -> EmailAddress:
    """Read an address: the syntax of HTML's `<input type=email>` with a dotted domain, lengths after RFC 5321.

    A domain in other letters than ASCII is turned into its IDNA form. Raises InvalidFields about `field`.
    """
    local, at, domain = written.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        domain = ""
    labels = domain.split(".")
    well_formed = (
        bool(at)
        and len(local) <= _LONGEST_LOCAL
        and _LOCAL.fullmatch(local) is not None
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )
    text = f"{local}@{domain}"
    if not well_formed or len(text) > _LONGEST:
        raise InvalidFields(FieldError(field, "email", _WRONG))
    return EmailAddress(text, text.casefold())
