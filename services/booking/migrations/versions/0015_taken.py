"""What is taken of several resources, in one call of a function that is planned once."""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0012"


def upgrade() -> None:
    for statement in Path(__file__).with_name("0015_taken.sql").read_text(encoding="utf-8").split("\n\n\n"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP FUNCTION asked_of(uuid[], uuid[], timestamptz[], timestamptz[])")
    op.execute("DROP FUNCTION taken_of(uuid[], timestamptz[], timestamptz[], uuid[], boolean)")
