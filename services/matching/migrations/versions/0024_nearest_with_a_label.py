"""The nearest of what has a tag or a category, compared in the index of labels alone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BIT

revision = "0024"
down_revision = "0023"

_BEFORE = ["kind", "latitude", "longitude", "origin", "id", "language"]
_FILL = """
UPDATE labels SET open = scope <> 'circle', public = scope = 'public',
       bits = (SELECT bits FROM meanings m WHERE (m.origin, m.id) = (labels.origin, labels.id))
  FROM things t WHERE (t.origin, t.id) = (labels.origin, labels.id)
"""


def upgrade() -> None:
    op.drop_index("labels_newest", "labels")
    op.add_column("labels", sa.Column("open", sa.Boolean()))
    op.add_column("labels", sa.Column("public", sa.Boolean()))
    op.add_column("labels", sa.Column("bits", BIT(384)))
    op.execute(_FILL)
    _index([*_BEFORE, "open", "public", "bits"])
    op.execute("ANALYZE labels")


def downgrade() -> None:
    op.drop_index("labels_newest", "labels")
    for name in ("open", "public", "bits"):
        op.drop_column("labels", name)
    _index(_BEFORE)


def _index(included: list[str]) -> None:
    op.create_index("labels_newest", "labels", ["label", "what", "side", "changed_at"], postgresql_include=included)
