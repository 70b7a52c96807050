"""Where things lie, in the index of cells: a small circle in a town reads nothing of the rest of its cells."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_STANDING = sa.text("NOT gone")
_COLUMNS = ["cell", "side", "kind"]


def upgrade() -> None:
    op.drop_index("things_by_cell", "things")
    op.create_index("things_by_cell", "things", [*_COLUMNS, "latitude", "longitude"], postgresql_where=_STANDING)


def downgrade() -> None:
    op.drop_index("things_by_cell", "things")
    op.create_index("things_by_cell", "things", _COLUMNS, postgresql_where=_STANDING)
