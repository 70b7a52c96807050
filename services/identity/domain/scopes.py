"""What a script's token may be allowed to do. Deny by default: a route without a scope here is closed to scripts."""

from typing import Literal, get_args

Scope = Literal[
    "identity:read",
    "catalog:read",
    "catalog:write",
    "booking:read",
    "booking:write",
    "matching:read",
    "notify:read",
    "notify:write",
    "federation:read",
    "federation:write",
    "coordination",
]
"""`identity:write` is not among them: no script changes accounts, roles, passwords or tokens."""

SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "maillage_"
"""How every token begins, so that people and scanners of repositories know one when they see it."""


def with_reading(scopes: set[str]) -> set[str]:
    """Whoever may write may read what they wrote."""
    return scopes | {scope.replace(":write", ":read") for scope in scopes}
