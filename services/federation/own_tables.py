"""How we present ourselves, and our invitations."""

import sqlalchemy as sa

from services.federation.hub_tables import metadata
from services.federation.tables import instant

profile = sa.Table(
    "profile",
    metadata,
    sa.Column(
        "id", sa.Integer, sa.CheckConstraint("id = 1", name="one_profile"), primary_key=True, autoincrement=False
    ),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("web", sa.Text, nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.CheckConstraint("id = 1", name="one_profile"),
)

invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("invited_by", sa.Uuid, nullable=False),
    sa.Column("invited_by_name", sa.Text, nullable=False),
    instant("created_at", nullable=False),
    instant("expires_at", nullable=False),
    instant("revoked_at"),
    instant("used_at"),
    sa.Column("used_by", sa.Text),
    sa.Column("link_id", sa.Uuid),
)
