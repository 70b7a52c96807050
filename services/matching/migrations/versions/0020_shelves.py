"""Vectors are found by one number for what they are of, in place of five texts."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_AISLE = "model || '/' || side || CASE WHEN open THEN '/open/' ELSE '/closed/' END || kind"
_NUMBERS = {"aisle": _AISLE, "shelf": f"{_AISLE} || '/' || topic"}
_INCLUDED = ["latitude", "longitude", "id", "public", "bits", "origin", "language", "valid_from", "valid_until"]
_INCLUDED_BEFORE = ["bits", "origin", "id", "public", "language", "valid_from", "valid_until", "latitude", "longitude"]
_BEFORE = {"kind": ["kind", "cell"], "topic": ["topic", "kind", "cell"]}


def upgrade() -> None:
    for name in _BEFORE:
        op.drop_index(f"meanings_by_{name}", "meanings")
    columns = [
        f"ADD COLUMN {name} integer GENERATED ALWAYS AS "
        f"(('x' || substr(md5({said}), 1, 8))::bit(32)::integer) STORED NOT NULL"
        for name, said in _NUMBERS.items()
    ]
    op.execute(sa.text(f"ALTER TABLE meanings {', '.join(columns)}"))
    for name in _NUMBERS:
        op.create_index(f"meanings_by_{name}", "meanings", [name, "cell"], postgresql_include=_INCLUDED)


def downgrade() -> None:
    for name in _NUMBERS:
        op.drop_index(f"meanings_by_{name}", "meanings")
    op.execute("ALTER TABLE meanings DROP COLUMN aisle, DROP COLUMN shelf")
    for name, columns in _BEFORE.items():
        key = ["model", "side", "open", *columns]
        op.create_index(f"meanings_by_{name}", "meanings", key, postgresql_include=_INCLUDED_BEFORE)
