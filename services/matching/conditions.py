"""Hard filters as SQL conditions on `things`, in a form that can be kept: what varies stands beside them.

Composing and rendering a statement costs more than running it, so those of the same shape are made once.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Filters that must all hold.

    `key`: conditions with the same key have the same clauses, and `values` gives what their parameters stand for. None:
    made for one use, with their values in them. `member`: the name of the value that says who must be able to see what
    passes; None where that is nobody in particular.
    """

    clauses: Sequence[Condition] = field(compare=False)
    key: Hashable = None
    values: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False)
    member: str | None = None


def once(*clauses: Condition) -> Conditions:
    """Conditions for one use."""
    return Conditions(clauses=clauses)
