"""Lists page by an opaque cursor: the sort values of the last row that was shown."""

import base64
import json
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from services.chassis.problems import FieldError, InvalidFields, Text

ItemT = TypeVar("ItemT")

Limit = Annotated[int, Query(ge=1, le=200)]
"""How many rows a page has at the most."""


class Page(BaseModel, Generic[ItemT]):
    """A part of a list. `next` is the cursor for what follows; None at the end."""

    items: list[ItemT]
    next: str | None = None


def encode(*values: Any) -> str:
    """A cursor that holds `values` (JSON-ready)."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def decode(cursor: str, size: int) -> list[Any]:
    """The `size` values of a cursor. Raises InvalidFields when it is not one of ours."""
    try:
        values: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        values = None
    if not isinstance(values, list) or len(values) != size:  # pyright: ignore[reportUnknownArgumentType]
        raise _unknown_page()
    return values  # pyright: ignore[reportUnknownVariableType]


def decode_id(cursor: str) -> UUID:
    """The id that a cursor holds. Raises InvalidFields when it is not one of ours."""
    try:
        return UUID(str(decode(cursor, 1)[0]))
    except ValueError as error:
        raise _unknown_page() from error


def _unknown_page() -> InvalidFields:
    text = Text(
        fr="Page inconnue : revenez au début.", en="Unknown page: go back to the start.", nl="Onbekende pagina."
    )
    return InvalidFields(FieldError("cursor", "invalid", text))
