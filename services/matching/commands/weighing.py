"""How much each term of the score counts: learnt by command, used after a coordinator's yes."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.problems import NotFound, Problem, Text
from services.matching.learning import Answer, Learnt, learn
from services.matching.queries.weights import factors_in_force
from services.matching.tables import proposals, weights


class AlreadyUsed(Problem):
    """Weights that were accepted once are replaced by accepting others."""

    status = 409
    slug = "weights-already-used"
    text = Text(
        fr="Cette proposition a déjà été acceptée. Pour ne plus l'utiliser, revenez à d'autres poids.",
        en="This proposal was accepted already. To stop using it, go back to other weights.",
        nl="Dit voorstel werd al aanvaard. Om het niet meer te gebruiken, keert u terug naar andere gewichten.",
    )


async def propose(session: AsyncSession, *, now: datetime) -> tuple[int, Learnt] | None:
    """Learn from all answers and keep the result beside those in force; None with too few answers.

    What was declined because it is no longer to be had says nothing about the match.
    """
    told = sa.or_(proposals.c.status == "accepted", sa.and_(proposals.c.status == "declined", _about_the_match()))
    chosen = sa.select(proposals).where(told).order_by(sa.func.md5(sa.cast(proposals.c.offer_id, sa.Text)))
    rows = (await session.execute(chosen)).mappings().all()
    answers = [
        Answer(gains=row["gains"], accepted=row["status"] == "accepted" and row["outcome"] is not False) for row in rows
    ]
    learnt = learn(answers, await factors_in_force(session))
    if learnt is None:
        return None
    report: dict[str, Any] = {name: getattr(learnt, name) for name in ("answers", "pairs", "old", "new")}
    kept = sa.insert(weights).values(made_at=now, factors=learnt.factors, report=report).returning(weights.c.id)
    return (await session.execute(kept)).scalar_one(), learnt


async def accept(session: AsyncSession, weights_id: int, *, by: UUID, now: datetime) -> None:
    """Use these from now on. The caller has checked that `by` is a coordinator. Raises NotFound."""
    await _set(session, weights_id, accepted_at=now, accepted_by=by, declined_at=None, declined_by=None)


async def decline(session: AsyncSession, weights_id: int, *, by: UUID, now: datetime) -> None:
    """Do not use these, for now. The caller has checked that `by` is a coordinator. Raises NotFound, AlreadyUsed."""
    chosen = sa.select(weights.c.accepted_at).where(weights.c.id == weights_id).with_for_update()
    if (await session.execute(chosen)).scalar() is not None:
        raise AlreadyUsed
    await _set(session, weights_id, declined_at=now, declined_by=by)


async def _set(session: AsyncSession, weights_id: int, **values: Any) -> None:
    changed = sa.update(weights).where(weights.c.id == weights_id).values(**values)
    if (await session.execute(changed.returning(weights.c.id))).scalar() is None:
        raise NotFound


def _about_the_match() -> sa.ColumnElement[bool]:
    return proposals.c.reason.is_distinct_from("gone")
