"""Names of those who have left, and how they were invited, are no longer kept."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NAME = "member_who_left_has_no_name"
_INVITED = """
DELETE FROM invitation WHERE accepted_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM member WHERE member.email_key = invitation.email_key)
"""


def upgrade() -> None:
    op.execute("UPDATE member SET name = '' WHERE status = 'left'")
    op.execute(_INVITED)
    op.create_check_constraint(_NAME, "member", sa.text("status <> 'left' OR name = ''"))


def downgrade() -> None:
    op.drop_constraint(_NAME, "member")
