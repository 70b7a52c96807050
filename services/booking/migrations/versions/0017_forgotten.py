"""What those who have left wrote goes as soon as nothing open needs it; their names go at once."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_NAMES = """
UPDATE bookings SET borrower_name = NULL FROM members m WHERE m.id = borrower_member_id AND m.status = 'left';
UPDATE bookings SET owner_name = NULL FROM members m WHERE m.id = owner_member_id AND m.status = 'left';
UPDATE uses SET borrower_name = NULL FROM members m WHERE m.id = borrower_member_id AND m.status = 'left';
UPDATE uses SET owner_name = NULL FROM members m WHERE m.id = owner_member_id AND m.status = 'left';
UPDATE session_sign_ups SET member_name = '', answers = '{}'
  FROM members m WHERE m.id = member_id AND m.status = 'left';
UPDATE sessions SET organiser_name = '' FROM members m WHERE m.id = organiser_member_id AND m.status = 'left';
UPDATE waiting SET member_name = '', note = '' FROM members m WHERE m.id = member_id AND m.status = 'left';
UPDATE members SET name = '', to_forget = true WHERE status = 'left';
"""


def upgrade() -> None:
    op.add_column("members", sa.Column("to_forget", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("members_to_forget", "members", ["id"], postgresql_where=sa.text("to_forget"))
    for statement in _NAMES.split(";")[:-1]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_index("members_to_forget", "members")
    op.drop_column("members", "to_forget")
