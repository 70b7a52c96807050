"""The tables of identity, and the classes of `domain` that map to them."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import registry, relationship

from services.chassis.idempotency import idempotency_table
from services.chassis.inbox import inbox_table
from services.chassis.outbox import outbox_table
from services.chassis.pace import pace_table
from services.identity.domain.circles import Circle
from services.identity.domain.cooperative import Cooperative
from services.identity.domain.invitations import Invitation
from services.identity.domain.members import Member

metadata = sa.MetaData()

_instant = sa.DateTime(timezone=True)
_sha256 = postgresql.BYTEA

outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
paces = pace_table(metadata)
idempotency = idempotency_table(metadata)

cooperative = sa.Table(
    "cooperative",
    metadata,
    sa.Column("only", sa.Boolean, sa.CheckConstraint('"only"', name="cooperative_is_one"), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("place_label", sa.Text, nullable=False),
    sa.Column("latitude", sa.Double),
    sa.Column("longitude", sa.Double),
    sa.Column("contact_email", sa.Text),
    sa.Column("web", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

member = sa.Table(
    "member",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("email_key", sa.Text, unique=True),
    sa.Column("password_hash", sa.Text),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("joined_at", _instant, nullable=False),
    sa.Column("left_at", _instant),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("role_since", _instant),
    sa.Column("second_factor_since", _instant),
    sa.CheckConstraint("role IN ('member', 'coordinator', 'administrator')", name="member_role_is_known"),
    sa.CheckConstraint(
        "CASE status WHEN 'active' THEN email_key IS NOT NULL"
        " WHEN 'left' THEN email IS NULL AND email_key IS NULL AND password_hash IS NULL ELSE false END",
        name="member_who_left_has_no_account",
    ),
    sa.CheckConstraint("status <> 'left' OR name = ''", name="member_who_left_has_no_name"),
)

invitation = sa.Table(
    "invitation",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("email_key", sa.Text, nullable=False, index=True),
    sa.Column("name", sa.Text),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("invited_by", sa.Uuid, sa.ForeignKey("member.id"), nullable=False),
    sa.Column("token_hash", _sha256, nullable=False, unique=True),
    sa.Column("created_at", _instant, nullable=False),
    sa.Column("expires_at", _instant, nullable=False),
    sa.Column("accepted_at", _instant),
    sa.Column("revoked_at", _instant),
)

signed_in = sa.Table(
    "signed_in",
    metadata,
    sa.Column("secret_hash", _sha256, primary_key=True),
    sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), nullable=False, index=True),
    sa.Column("since", _instant, nullable=False),
    sa.Column("last_used_at", _instant, nullable=False, index=True),
    sa.Column("id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")),
    sa.Column("device", sa.Text, nullable=False, server_default=""),
    sa.Column("network_hash", _sha256),
    sa.UniqueConstraint("id", name="signed_in_id"),
)
"""Sessions: who is signed in. Only the SHA-256 of the session's secret is kept. `device`: browser and system.

`network_hash`: of the network from which the session was begun; NULL where that is not known.
"""

personal_token = sa.Table(
    "personal_token",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("secret_hash", _sha256, nullable=False, unique=True),
    sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False),
    sa.Column("created_at", _instant, nullable=False),
    sa.Column("expires_at", _instant, nullable=False, index=True),
    sa.Column("last_used_at", _instant),
)
"""Members' tokens for scripts: what each may do, and until when. Only the SHA-256 of the secret is kept."""

second_factor = sa.Table(
    "second_factor",
    metadata,
    sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), primary_key=True),
    sa.Column("sealed_key", postgresql.BYTEA, nullable=False),
    sa.Column("started_at", _instant, nullable=False),
    sa.Column("confirmed_at", _instant),
    sa.Column("last_step", sa.BigInteger, nullable=False, server_default="0"),
)
"""The keys of members' apps for codes, encrypted. `last_step`: the half minute whose code was taken last."""

recovery_code = sa.Table(
    "recovery_code",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), nullable=False),
    sa.Column("begins", sa.Text, nullable=False),
    sa.Column("code_hash", sa.Text, nullable=False),
    sa.UniqueConstraint("member_id", "begins", name="recovery_code_begins"),
)
"""Codes for whoever has lost the app: how each begins, to find it, and the argon2id hash of it. Used, it is deleted."""

second_step = sa.Table(
    "second_step",
    metadata,
    sa.Column("secret_hash", _sha256, primary_key=True),
    sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), nullable=False, index=True),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("expires_at", _instant, nullable=False, index=True),
)
"""Who has given the right password and not yet the code. Only the SHA-256 of the secret is kept."""

act = sa.Table(
    "act",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("at", _instant, nullable=False),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("actor_id", sa.Uuid, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("about", sa.Text),
    sa.Column("said", postgresql.JSONB, nullable=False),
    sa.Column("notes", postgresql.JSONB, nullable=False),
    sa.Column("correlation_id", sa.Text),
    sa.Column("kept_at", _instant, nullable=False, server_default=sa.func.now()),
    sa.Index("act_by_time", "at", "id"),
    sa.Index("act_by_actor", "actor_id", "at"),
)
"""The trail of what coordinators and administrators did, in all services. The runtime role may add rows and read them,
never change or delete one; `forget_old_acts()` deletes those that were kept for 400 days."""

mailed_link = sa.Table(
    "mailed_link",
    metadata,
    sa.Column("token_hash", _sha256, primary_key=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), nullable=False, index=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("expires_at", _instant, nullable=False, index=True),
)
"""Single-use links for a password or an address: a row is deleted when it is used. `email` is where it was sent."""

tried = sa.Table(
    "tried",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("key_hash", _sha256, nullable=False),
    sa.Column("at", _instant, nullable=False, index=True),
    sa.Index("tried_by_key", "what", "key_hash", "at"),
)
"""Tries that count towards a limit; `key_hash` is the SHA-256 of an address or account."""

circle = sa.Table(
    "circle",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("circle_name_is_one", "name_key", unique=True, postgresql_where=sa.text("status = 'active'")),
)

circle_member = sa.Table(
    "circle_member",
    metadata,
    sa.Column("circle_id", sa.Uuid, sa.ForeignKey("circle.id"), primary_key=True),
    sa.Column("member_id", sa.Uuid, sa.ForeignKey("member.id"), primary_key=True, index=True),
)

mapping = registry(metadata=metadata)
mapping.map_imperatively(Member, member)
mapping.map_imperatively(Invitation, invitation)
mapping.map_imperatively(Cooperative, cooperative)
mapping.map_imperatively(
    Circle,
    circle,
    properties={"members": relationship(Member, secondary=circle_member, lazy="selectin", order_by=member.c.name)},
)
