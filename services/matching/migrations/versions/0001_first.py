"""The first tables of matching."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    _configure_text_search()
    _create_busy()
    _create_circles()
    _create_ended_links()
    _create_inbox()
    _create_lexemes()
    _create_outbox()
    _create_proposals()
    _create_resources()
    _create_things()
    _create_to_match()


def downgrade() -> None:
    for table in [
        "to_match",
        "things",
        "resources",
        "proposals",
        "outbox",
        "lexemes",
        "inbox",
        "ended_links",
        "circles",
        "busy",
    ]:
        op.drop_table(table)
    for name in ("fr", "nl", "en"):
        op.execute(f"DROP TEXT SEARCH CONFIGURATION maillage_{name}")


def _configure_text_search() -> None:
    """One configuration for each language: accents go, then words become stems."""
    for name, language in (("fr", "french"), ("nl", "dutch"), ("en", "english")):
        op.execute(f"CREATE TEXT SEARCH CONFIGURATION maillage_{name} (COPY = {language})")
        op.execute(
            f"ALTER TEXT SEARCH CONFIGURATION maillage_{name} ALTER MAPPING FOR "
            f"asciiword, word, hword, hword_part, hword_asciipart, asciihword WITH unaccent, {language}_stem"
        )


def _create_busy() -> None:
    op.create_table(
        "busy",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("intervals", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "offer_id"),
    )


def _create_circles() -> None:
    op.create_table(
        "circles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("circles_member_ids", "circles", ["member_ids"], unique=False, postgresql_using="gin")


def _create_ended_links() -> None:
    op.create_table(
        "ended_links",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("origin"),
    )


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("source", "id"),
    )


def _create_lexemes() -> None:
    op.create_table(
        "lexemes",
        sa.Column("lexeme", sa.Text(), nullable=False),
        sa.Column("documents", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lexeme"),
    )
    op.create_index(
        "lexemes_similar",
        "lexemes",
        ["lexeme"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"lexeme": "gin_trgm_ops"},
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("need_id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("need_id", "origin", "offer_id"),
    )


def _create_resources() -> None:
    op.create_table(
        "resources",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "offer_id"),
    )


def _create_things() -> None:
    op.create_table(
        "things",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("origin_name", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("place_label", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("owner_member_id", sa.Uuid(), nullable=True),
        sa.Column("owner_circle_id", sa.Uuid(), nullable=True),
        sa.Column("owner_name", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("circle_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "id"),
    )
    op.create_index(
        "things_newest", "things", ["side", "changed_at"], unique=False, postgresql_where=sa.text("NOT gone")
    )
    op.create_index(
        "things_place", "things", ["latitude", "longitude"], unique=False, postgresql_where=sa.text("NOT gone")
    )
    op.create_index("things_words", "things", ["words"], unique=False, postgresql_using="gin")


def _create_to_match() -> None:
    op.create_table(
        "to_match",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "id"),
    )
