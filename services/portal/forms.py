"""What people typed: kept as typed, with a sentence beside each field that is wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from services.portal.client import PartMissing, Refusal


@dataclass
class Form:
    """The values of a form (always lists of texts, as browsers send them), and what was said about them.

    `problem`: what goes to the top of the form; `errors`: sentences by field; `key`: the Idempotency-Key of this try.
    """

    values: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    errors: dict[str, str] = field(default_factory=dict[str, str])
    problem: Refusal | None = None
    key: str = field(default_factory=lambda: uuid4().hex)

    def __getitem__(self, name: str) -> str:
        """The value of `name`, without spaces around it; empty when it was not sent."""
        return self.values.get(name, [""])[0].strip()

    def raw(self, name: str) -> str:
        """The value exactly as typed (passwords)."""
        return self.values.get(name, [""])[0]

    def or_none(self, name: str) -> str | None:
        """The value, None when it is empty."""
        return self[name] or None

    def all(self, name: str) -> list[str]:
        """Every value of a group of check boxes."""
        return [value for value in self.values.get(name, []) if value]

    def has(self, name: str, value: str) -> bool:
        """Whether the box `value` of the group `name` is ticked."""
        return value in self.values.get(name, [])

    def refused(self, refusal: Refusal, names: Mapping[str, str] | None = None) -> "Form":
        """Take over what a service said. `names` maps its fields to ours where dots become underscores is not enough.

        A new Idempotency-Key is given unless nobody answered: then the same request may have been done.
        """
        self.problem = refusal
        for name, sentence in refusal.errors.items():
            own = (names or {}).get(name, name.replace(".", "_"))
            self.errors.setdefault(own, sentence)
        if not isinstance(refusal, PartMissing):
            self.key = uuid4().hex
        return self

    def stray_errors(self, shown: Iterable[str]) -> list[tuple[str, str]]:
        """Errors of fields that the page does not show."""
        known = set(shown)
        return [(name, text) for name, text in self.errors.items() if name not in known]


def filled(**values: Any) -> Form:
    """A form that shows what is there already; None shows as empty."""
    return Form({name: _texts(value) for name, value in values.items()})


def _texts(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [str(one) for one in value]
    return ["" if value is None else str(value)]
