"""Filters that few things pass: circles, peers and languages in a place, the newest of a category."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_STANDING = sa.text("NOT gone")
_PLACES = ["cell", "side", "kind", "latitude", "longitude"]
_COMPARED = ["latitude", "longitude", "id", "public", "bits", "origin", "language", "valid_from", "valid_until"]


def upgrade() -> None:
    op.create_index(
        "things_closed",
        "things",
        [sa.text("(array_append(array_append(circle_ids, owner_member_id), owner_circle_id))")],
        postgresql_using="gin",
        postgresql_where=sa.text("scope = 'circle' AND NOT gone"),
    )
    op.create_index("things_of_origin", "things", ["origin", "changed_at"], postgresql_where=_STANDING)
    _index_places([*_PLACES, "origin", "language"])
    op.add_column("meanings", sa.Column("changed_at", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE meanings m SET changed_at = t.changed_at FROM things t WHERE t.origin = m.origin AND t.id = m.id"
    )
    op.execute("DELETE FROM meanings WHERE changed_at IS NULL")
    op.alter_column("meanings", "changed_at", nullable=False)
    _index_shelves([*_COMPARED, "changed_at"])


def downgrade() -> None:
    _index_shelves(_COMPARED)
    op.drop_column("meanings", "changed_at")
    _index_places(_PLACES)
    for name in ("closed", "of_origin"):
        op.drop_index(f"things_{name}", "things")


def _index_places(columns: list[str]) -> None:
    op.drop_index("things_by_cell", "things")
    op.create_index("things_by_cell", "things", columns, postgresql_where=_STANDING)


def _index_shelves(included: list[str]) -> None:
    op.drop_index("meanings_by_shelf", "meanings")
    op.create_index("meanings_by_shelf", "meanings", ["shelf", "cell"], postgresql_include=included)
