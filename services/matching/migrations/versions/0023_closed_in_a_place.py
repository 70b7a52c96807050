"""What is for circles, found by place and kind, too: a member may see much that is far away."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

_FOR_WHOM = "(array_append(array_append(circle_ids, owner_member_id), owner_circle_id))"


def upgrade() -> None:
    _index([_FOR_WHOM, "(ARRAY[cell])", "(ARRAY[kind])"], {"fastupdate": "off"})


def downgrade() -> None:
    _index([_FOR_WHOM], {})


def _index(expressions: list[str], options: dict[str, str]) -> None:
    op.drop_index("things_closed", "things")
    op.create_index(
        "things_closed",
        "things",
        [sa.text(expression) for expression in expressions],
        postgresql_using="gin",
        postgresql_with=options,
        postgresql_where=sa.text("scope = 'circle' AND NOT gone"),
    )
