"""Every hard filter in the indexes of words and of vectors."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_INCLUDED = ["bits", "origin", "id", "public", "language", "valid_from", "valid_until", "latitude", "longitude"]
_INCLUDED_BEFORE = ["bits", "origin", "id"]
_STANDING = sa.text("NOT gone")
_PLACE = """
    UPDATE things SET cell =
    CASE WHEN latitude IS NULL OR longitude IS NULL THEN -1
         ELSE floor((latitude + 90) * 4)::int * 1440 + mod(floor((longitude + 180) * 4)::int, 1440) END
"""


def upgrade() -> None:
    _place_things()
    _copy_filters()


def downgrade() -> None:
    for name in ("kind", "topic"):
        op.drop_index(f"meanings_by_{name}", "meanings")
        columns = ["model", "side", "open", name, "cell"]
        op.create_index(f"meanings_by_{name}", "meanings", columns, postgresql_include=_INCLUDED_BEFORE)
    for column in ("public", "language", "valid_from", "valid_until", "latitude", "longitude"):
        op.drop_column("meanings", column)
    for name in ("words", "by_cell", "latest"):
        op.drop_index(f"things_{name}", "things")
    op.create_index("things_words", "things", ["words"], postgresql_using="gin")
    op.create_index("things_place", "things", ["latitude", "longitude"], postgresql_where=_STANDING)
    op.drop_column("things", "cell")


def _place_things() -> None:
    op.add_column("things", sa.Column("cell", sa.Integer()))
    op.execute(_PLACE)
    op.alter_column("things", "cell", nullable=False)
    op.drop_index("things_place", "things")
    op.drop_index("things_words", "things")
    op.create_index(
        "things_words",
        "things",
        ["words", sa.text("(ARRAY[cell])"), sa.text("(ARRAY[kind])")],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.create_index("things_by_cell", "things", ["cell", "side", "kind"], postgresql_where=_STANDING)
    op.create_index("things_latest", "things", ["changed_at"], postgresql_where=_STANDING)


def _copy_filters() -> None:
    for name, kind in (("public", sa.Boolean()), ("language", sa.Text())):
        op.add_column("meanings", sa.Column(name, kind))
    for name in ("valid_from", "valid_until"):
        op.add_column("meanings", sa.Column(name, sa.DateTime(timezone=True)))
    for name in ("latitude", "longitude"):
        op.add_column("meanings", sa.Column(name, sa.Double()))
    op.execute(
        """
        UPDATE meanings m SET public = t.scope = 'public', language = t.language, valid_from = t.valid_from,
               valid_until = t.valid_until, latitude = t.latitude, longitude = t.longitude
          FROM things t WHERE t.origin = m.origin AND t.id = m.id
        """
    )
    op.execute("DELETE FROM meanings WHERE public IS NULL")
    for name in ("public", "language"):
        op.alter_column("meanings", name, nullable=False)
    for name, columns in (("kind", ["kind", "cell"]), ("topic", ["topic", "kind", "cell"])):
        op.drop_index(f"meanings_by_{name}", "meanings")
        key = ["model", "side", "open", *columns]
        op.create_index(f"meanings_by_{name}", "meanings", key, postgresql_include=_INCLUDED)
