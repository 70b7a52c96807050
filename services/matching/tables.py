"""The tables of matching: an index of what other services and peers have said, and what was proposed."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BIT, JSONB, TSVECTOR

from services.chassis.inbox import inbox_table
from services.chassis.outbox import outbox_table
from services.chassis.pace import pace_table
from services.matching import shelves

metadata = sa.MetaData()

outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
paces = pace_table(metadata)

OURS = ""
"""The `origin` of this cooperative's own things; a peer's is its instance id."""

_instant = sa.DateTime(timezone=True)

_PLACED = ("cell", "side", "kind", "latitude", "longitude", "origin", "language")


def _by_values(name: str, what: str | sa.TextClause, **options: Any) -> sa.Index:
    """An index of values, and of the cells and kinds of what has them."""
    placed = (sa.text("(ARRAY[cell])"), sa.text("(ARRAY[kind])"))
    return sa.Index(name, what, *placed, postgresql_using="gin", postgresql_with={"fastupdate": "off"}, **options)


things = sa.Table(
    "things",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("origin_name", sa.Text),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("said_at", _instant, nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("place_label", sa.Text),
    sa.Column("latitude", sa.Double),
    sa.Column("longitude", sa.Double),
    sa.Column("cell", sa.Integer, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("owner_member_id", sa.Uuid),
    sa.Column("owner_circle_id", sa.Uuid),
    sa.Column("owner_name", sa.Text),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("circle_ids", ARRAY(sa.Uuid), nullable=False),
    sa.Column("valid_from", _instant),
    sa.Column("valid_until", _instant),
    sa.Column("window_start", _instant),
    sa.Column("window_end", _instant),
    sa.Column("urgency", sa.Text, nullable=False),
    sa.Column("changed_at", _instant, nullable=False),
    sa.Column("words", TSVECTOR, nullable=False),
    sa.Column("tags", ARRAY(sa.Text), nullable=False, server_default="{}"),
    _by_values("things_words", "words"),
    sa.Index(
        "things_newest",
        *("side", "changed_at"),
        postgresql_where=sa.text("NOT gone"),
        postgresql_include=("kind", "latitude", "longitude", "cell", "origin", "id", "language"),
    ),
    sa.Index("things_latest", "changed_at", postgresql_where=sa.text("NOT gone")),
    _by_values(
        "things_closed",
        sa.text("(array_append(array_append(circle_ids, owner_member_id), owner_circle_id))"),
        postgresql_where=sa.text("scope = 'circle' AND NOT gone"),
    ),
    sa.Index("things_of_origin", "origin", "changed_at", postgresql_where=sa.text("NOT gone")),
    sa.Index("things_by_cell", *_PLACED, postgresql_where=sa.text("NOT gone"), postgresql_include=("changed_at", "id")),
)
"""Offers and needs, ours and copies. A row with `gone` is a tombstone: no content, and no older version comes back.

`cell`: see `cells.py` (-1: no place). The index of words holds cells and kinds, too, so that a common word in one town
reads nothing of the others; without waiting lists, which every search would have to read. So does `things_closed`: by
whom things for circles may be seen. Those of dates and of places hold all that is needed to find the newest in a
circle.
"""

_BESIDE = ("open", "public", "valid_from", "valid_until", "model", "bits")

labels = sa.Table(
    "labels",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("what", "label")),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("side", "kind", "language")),
    *(sa.Column(name, sa.Double) for name in ("latitude", "longitude")),
    sa.Column("changed_at", _instant, nullable=False),
    *(sa.Column(name, sa.Boolean) for name in ("open", "public")),
    *(sa.Column(name, _instant) for name in ("valid_from", "valid_until")),
    *(sa.Column("model", sa.Text), sa.Column("bits", BIT(384))),
    sa.ForeignKeyConstraint(["origin", "id"], ["things.origin", "things.id"], ondelete="CASCADE"),
    sa.Index(
        "labels_newest",
        *("label", "what", "side", "changed_at"),
        postgresql_include=("kind", "latitude", "longitude", "origin", "id", "language", *_BESIDE),
    ),
)
"""What standing things are tagged with (`what`: "tag") and are in (`what`: "category"), in lower case without accents.

The rest repeats columns of the things and of their vectors, for the index: what filters ask for and what is nearest is
read from it alone. `model` and `bits` are unknown until a vector is made, after an update until a start.
"""

_COMPARED = ("latitude", "longitude", "id", "public", "bits", "origin", "language", "valid_from", "valid_until")

meanings = sa.Table(
    "meanings",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("public", sa.Boolean, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("valid_from", _instant),
    sa.Column("valid_until", _instant),
    sa.Column("latitude", sa.Double),
    sa.Column("longitude", sa.Double),
    sa.Column("cell", sa.Integer, nullable=False),
    sa.Column("changed_at", _instant, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("topics", ARRAY(sa.Text), nullable=False),
    sa.Column("bits", BIT(384), nullable=False),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    sa.Column("aisle", sa.Integer, sa.Computed(shelves.AISLE, persisted=True), nullable=False),
    sa.Column("shelf", sa.Integer, sa.Computed(shelves.SHELF, persisted=True), nullable=False),
    sa.Index("meanings_by_aisle", "aisle", "cell", postgresql_include=_COMPARED),
    sa.Index("meanings_by_shelf", "shelf", "cell", postgresql_include=(*_COMPARED, "changed_at")),
)
"""What things are about. `model`: its name and the version of its means; vectors of another one do not count.

`vector`: a byte for each dimension and one for how crowded it is, `bits` the signs of them. `open`: its audience is no
circle, `public`: it is for everybody. `topic`: the nearest category. `aisle`, `shelf`: see `shelves.py`. The indexes
hold all that is needed to find the nearest under filters, which are those of the things themselves.
"""


def _waiting(name: str) -> sa.Table:
    """Things that wait: `first` those that somebody waits for; then the latest (`since`), before a long import."""
    return sa.Table(
        name,
        metadata,
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("first", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("since", _instant, nullable=False, server_default=sa.func.now()),
        sa.Index(f"{name}_order", sa.text("first DESC"), sa.text("since DESC")),
    )


to_encode = _waiting("to_encode")
"""New or changed things whose vector is still to be made. Until then they are found by words."""

circles = sa.Table(
    "circles",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("member_ids", ARRAY(sa.Uuid), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Index("circles_member_ids", "member_ids", postgresql_using="gin"),
)

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("offer_id", sa.Uuid, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("said_at", _instant, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("rules", JSONB, nullable=False),
)
"""How offers can be booked. `rules`: time zone, opening hours, lengths, as their owner's booking service said."""

busy = sa.Table(
    "busy",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("offer_id", sa.Uuid, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("said_at", _instant, nullable=False),
    sa.Column("intervals", JSONB, nullable=False),
)
"""When resources are taken: a list of [start, end) in UTC."""

ended_links = sa.Table(
    "ended_links",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("at", _instant, nullable=False),
)
"""When the last link with a peer ended: what federation said before that instant no longer counts."""

lexemes = sa.Table(
    "lexemes",
    metadata,
    sa.Column("lexeme", sa.Text, primary_key=True),
    sa.Column("documents", sa.BigInteger, nullable=False),
    sa.Index("lexemes_similar", "lexeme", postgresql_using="gin", postgresql_ops={"lexeme": "gin_trgm_ops"}),
)
"""In how many things a word stem occurs: rare words weigh more, and misspelt ones are looked up here."""

to_match = _waiting("to_match")
"""New or changed things that wait to be compared: needs with all offers, offers with all needs."""

proposals = sa.Table(
    "proposals",
    metadata,
    sa.Column("need_id", sa.Uuid, primary_key=True),
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("offer_id", sa.Uuid, primary_key=True),
    sa.Column("told_at", _instant, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="proposed"),
    sa.Column("changed_at", _instant),
    sa.Column("reason", sa.Text),
    sa.Column("outcome", sa.Boolean),
    sa.Column("gains", JSONB, nullable=False, server_default="{}"),
    sa.Column("outcome_asked_at", _instant),
    sa.Column("outcome_key", sa.Text),
    sa.Index("proposals_outcome_key", "outcome_key", unique=True),
)
"""Offers that the author of a need was told of (nobody is told twice) or has answered: the life of a match.

`status`: proposed, seen, contacted, accepted or declined, since `changed_at`; `reason`: why it was declined; `outcome`:
whether it worked out, asked at `outcome_asked_at` by a mail that has `outcome_key`. `gains`: what each term gave to the
score when it was answered.
"""

uses = sa.Table(
    "uses",
    metadata,
    sa.Column("peer", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("lent", sa.Boolean, nullable=False),
    sa.Column("used", sa.Boolean, nullable=False),
    sa.Column("owner_id", sa.Uuid, nullable=False),
    sa.Column("at", _instant, nullable=False),
    sa.Column("asked_at", _instant),
    sa.Index("uses_at", "at"),
    sa.Index("uses_asked", "asked_at", postgresql_where=sa.text("asked_at IS NOT NULL")),
    sa.Index("uses_with_peers", "peer", "at", postgresql_where=sa.text("peer <> '' AND used")),
)
"""What counts of bookings for fairness. `peer`: the other cooperative, empty among our own members.

`lent`: a thing of ours; `used`: it is or was a use; `owner_id`: who was asked (a peer's offer stands for its owner);
`asked_at`: when a decision was asked for, none where nobody had to decide.
"""

weights = sa.Table(
    "weights",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("made_at", _instant, nullable=False),
    sa.Column("factors", JSONB, nullable=False),
    sa.Column("report", JSONB, nullable=False),
    sa.Column("accepted_at", _instant),
    sa.Column("accepted_by", sa.Uuid),
    sa.Column("declined_at", _instant),
    sa.Column("declined_by", sa.Uuid),
)
"""How much each term of the score counts here, learnt from answers. The last that a coordinator accepted is used.

`declined_at`: a coordinator said no; they can still be accepted later.
"""

skills = sa.Table(
    "skills",
    metadata,
    sa.Column("scheme", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("language", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("shown", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("names", ARRAY(sa.Text), nullable=False),
    sa.Column("import_id", sa.Uuid, nullable=False),
    sa.Index("skills_names", "names", postgresql_using="gin"),
)
"""Skills and occupations of ESCO and ROME, as their files gave them. `names`: all of them, folded."""
