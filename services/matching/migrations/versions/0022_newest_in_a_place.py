"""The newest in a circle, found in indexes alone; what has a tag or a category, in the order of its dates."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_STANDING = sa.text("NOT gone")
_PLACES = ["cell", "side", "kind", "latitude", "longitude", "origin", "language"]
_FILL = """
INSERT INTO labels (what, label, side, changed_at, origin, id, kind, language, latitude, longitude)
SELECT DISTINCT what, lower(unaccent(btrim(label))),
       side, changed_at, origin, id, kind, language, latitude, longitude
  FROM things, LATERAL (SELECT 'tag', unnest(tags) UNION ALL SELECT 'category', category) AS said (what, label)
 WHERE NOT gone AND btrim(label) <> ''
"""


def upgrade() -> None:
    _index("newest", ["side", "changed_at"], ["kind", "latitude", "longitude", "cell", "origin", "id", "language"])
    _index("by_cell", _PLACES, ["changed_at", "id"])
    _create_labels()
    op.execute(_FILL)
    op.create_index(
        "labels_newest",
        "labels",
        ["label", "what", "side", "changed_at"],
        postgresql_include=["kind", "latitude", "longitude", "origin", "id", "language"],
    )
    op.execute("ANALYZE labels")


def downgrade() -> None:
    op.drop_table("labels")
    _index("by_cell", _PLACES, [])
    _index("newest", ["side", "changed_at"], [])


def _create_labels() -> None:
    op.create_table(
        "labels",
        sa.Column("origin", sa.Text(), primary_key=True),
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("what", sa.Text(), primary_key=True),
        sa.Column("label", sa.Text(), primary_key=True),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double()),
        sa.Column("longitude", sa.Double()),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["origin", "id"], ["things.origin", "things.id"], ondelete="CASCADE"),
    )


def _index(name: str, columns: list[str], included: list[str]) -> None:
    op.drop_index(f"things_{name}", "things")
    op.create_index(f"things_{name}", "things", columns, postgresql_where=_STANDING, postgresql_include=included)
