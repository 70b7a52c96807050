"""The nearest of what has a tag or a category, compared in the index of labels alone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BIT

revision = "0024"
down_revision = "0023"

_BEFORE = ["kind", "latitude", "longitude", "origin", "id", "language"]
_ADDED = {
    "open": sa.Boolean(),
    "public": sa.Boolean(),
    "valid_from": sa.DateTime(timezone=True),
    "valid_until": sa.DateTime(timezone=True),
    "model": sa.Text(),
    "bits": BIT(384),
}
_FILL = """
UPDATE labels SET open = scope <> 'circle', public = scope = 'public', valid_from = t.valid_from,
       valid_until = t.valid_until, model = near.model, bits = near.bits
  FROM things t
       LEFT JOIN meanings near ON (near.origin, near.id) = (t.origin, t.id)
 WHERE (t.origin, t.id) = (labels.origin, labels.id)
"""


def upgrade() -> None:
    op.drop_index("labels_newest", "labels")
    op.execute("LOCK TABLE meanings IN SHARE MODE")  # the version before may be making vectors still
    for name, kind in _ADDED.items():
        op.add_column("labels", sa.Column(name, kind))
    op.execute(_FILL)
    _index([*_BEFORE, *_ADDED])
    op.execute("ANALYZE labels")


def downgrade() -> None:
    op.drop_index("labels_newest", "labels")
    for name in _ADDED:
        op.drop_column("labels", name)
    _index(_BEFORE)


def _index(included: list[str]) -> None:
    op.create_index("labels_newest", "labels", ["label", "what", "side", "changed_at"], postgresql_include=included)
