"""`python -m services refit`: learn from people's answers how much each term of a match should count.

Prints old and new, compared on answers that were held back, and changes nothing: a coordinator accepts them
(`POST /api/matching/weights/<id>/accept`).
"""

import asyncio
import sys
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from services.chassis import logs
from services.chassis.database import Database
from services.chassis.settings import load
from services.matching.commands import weighing
from services.matching.learning import FEWEST
from services.matching.settings import MatchingSettings


def main(arguments: list[str]) -> None:
    """Learn once; takes no arguments."""
    if arguments:
        raise SystemExit("usage: python -m services refit")
    settings = load(MatchingSettings)
    try:
        asyncio.run(_refit(settings))
    except (OSError, SQLAlchemyError) as error:
        where = settings.database_url("matching").render_as_string(hide_password=True)
        sys.exit(f"database {where}: {logs.line_of(error)}")


async def _refit(settings: MatchingSettings) -> None:
    db = Database(settings.database_url("matching"), name="maillage refit")
    try:
        made = await db.run(weighing.propose, now=datetime.now(UTC))
    finally:
        await db.close()
    if made is None:
        sys.stdout.write(f"Nothing to learn yet: it takes {FEWEST} answers, of both sorts.\n")
        return
    number, learnt = made
    factors = ", ".join(f"{term} x {factor:.2f}" for term, factor in learnt.factors.items())
    sys.stdout.write(
        f"weights {number}, from {learnt.answers} answers: {factors}\n"
        f"{learnt.pairs} held-back pairs in the right order: {learnt.old:.1%} before, {learnt.new:.1%} with these\n"
        f"They count once a coordinator accepts them: POST /api/matching/weights/{number}/accept\n"
    )
