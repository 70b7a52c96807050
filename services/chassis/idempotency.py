"""Idempotency keys: the same request sent twice gives the same answer and one effect.

Source: draft-ietf-httpapi-idempotency-key-header. Scope: (member, route); kept 24 hours.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar
from uuid import UUID

import sqlalchemy as sa
from fastapi import Depends, Header, Request
from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.problems import Problem, Text

KEPT = timedelta(hours=24)
ViewT = TypeVar("ViewT", bound=BaseModel)

_rows = sa.table(
    "idempotency",
    sa.column("member_id", sa.Uuid),
    sa.column("route", sa.Text),
    sa.column("key", sa.Text),
    sa.column("body_hash", sa.LargeBinary),
    sa.column("answer", sa.Text),
    sa.column("at", sa.DateTime(timezone=True)),
)


class KeyUsedOtherwise(Problem):
    """The same Idempotency-Key came with another body."""

    status = 422
    slug = "idempotency-key-used-otherwise"
    text = Text(
        fr="Cette demande a déjà été envoyée avec un autre contenu. Rechargez la page et recommencez.",
        en="This request was already sent with other content. Reload the page and try again.",
        nl="Deze aanvraag werd al met een andere inhoud verzonden. Laad de pagina opnieuw en probeer nogmaals.",
    )


def idempotency_table(metadata: sa.MetaData) -> sa.Table:
    """The table that a service keeps answers in for 24 hours."""
    return sa.Table(
        "idempotency",
        metadata,
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now(), index=True),
    )


class Once:
    """Runs a creation at most once per key. Get it as an endpoint's parameter: `once: OnceDep`."""

    def __init__(self, route: str, key: str | None) -> None:
        self._route = route
        self._key = key

    @property
    def is_keyed(self) -> bool:
        """Whether the request names a key."""
        return self._key is not None

    async def __call__(
        self,
        session: AsyncSession,
        member_id: UUID,
        body: BaseModel,
        view: type[ViewT],
        make: Callable[[], Awaitable[ViewT]],
    ) -> ViewT:
        """The answer of `make`, or the one kept for this key. Raises KeyUsedOtherwise.

        Runs in the caller's transaction: a concurrent twin waits for it and then reads its answer.
        """
        if self._key is None:
            return await make()
        digest = hashlib.sha256(body.model_dump_json().encode()).digest()
        scope = {"member_id": member_id, "route": self._route, "key": self._key}
        await session.execute(sa.delete(_rows).where(_rows.c.at < datetime.now(UTC) - KEPT))
        claim = insert(_rows).values(**scope, body_hash=digest, at=datetime.now(UTC)).on_conflict_do_nothing()
        same = sa.and_(*(_rows.c[name] == value for name, value in scope.items()))
        if (await session.execute(claim.returning(_rows.c.key))).scalar() is None:
            kept = (await session.execute(sa.select(_rows.c.body_hash, _rows.c.answer).where(same))).one()
            if kept.body_hash != digest:
                raise KeyUsedOtherwise
            return view.model_validate_json(kept.answer)
        answer = await make()
        await session.execute(sa.update(_rows).where(same).values(answer=answer.model_dump_json()))
        return answer


async def _once(request: Request, idempotency_key: Annotated[str | None, Header(max_length=200)] = None) -> Once:
    return Once(f"{request.method} {request.url.path}", idempotency_key)


OnceDep = Annotated[Once, Depends(_once)]
