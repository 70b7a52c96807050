"""The tables of what members ask for themselves: searches that they keep, people whom they would like to reach."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.matching.tables import metadata

_instant = sa.DateTime(timezone=True)

left_members = sa.Table(
    "left_members",
    metadata,
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("at", _instant, nullable=False),
)
"""Who has left within the last day: for longer than any token is good."""

saved_searches = sa.Table(
    "saved_searches",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid, nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("side", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("origin", sa.Text),
    sa.Column("place_label", sa.Text),
    sa.Column("latitude", sa.Double),
    sa.Column("longitude", sa.Double),
    sa.Column("radius_km", sa.Double),
    sa.Column("how", sa.Text, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("made_at", _instant, nullable=False),
    sa.Column("since", _instant, nullable=False),
    sa.Column("lexemes", ARRAY(sa.Text), nullable=False),
    sa.Column("model", sa.Text),
    sa.Column("vector", sa.LargeBinary),
)
"""Searches that members keep, and are told of what is new for them. `how`: instant, daily or weekly.

`words`: as typed, in the reader's `language`; `origin`: "ours" or a peer's id. Only what was said after `since` counts.
`lexemes` and `vector` (of `model`): what lets a new thing find the searches that it may be for.
"""

alerted = sa.Table(
    "alerted",
    metadata,
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("thing_id", sa.Uuid, primary_key=True),
    sa.Column("search_id", sa.Uuid, sa.ForeignKey("saved_searches.id", ondelete="SET NULL"), index=True),
    sa.Column("found_at", _instant, nullable=False),
    sa.Column("told_at", _instant),
    sa.Column("told_as", sa.Text),
    sa.Index("alerted_waiting", "member_id", "found_at", postgresql_where=sa.text("told_at IS NULL")),
)
"""What saved searches have found, once for each member and thing: waiting, or told (`told_as`: instant and so on)."""

introductions = sa.Table(
    "introductions",
    metadata,
    sa.Column("asker_peer", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("asker_peer_name", sa.Text),
    sa.Column("asker_id", sa.Uuid, index=True),
    sa.Column("asker_name", sa.Text),
    sa.Column("pseudonym", sa.Text),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("origin_name", sa.Text),
    sa.Column("thing_id", sa.Uuid, nullable=False, index=True),
    sa.Column("thing_title", sa.Text, nullable=False),
    sa.Column("owner_id", sa.Uuid, index=True),
    sa.Column("owner_name", sa.Text),
    sa.Column("need_id", sa.Uuid, index=True),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("quantity", sa.Integer),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("asked_at", _instant, nullable=False),
    sa.Column("changed_at", _instant, nullable=False),
    sa.Column("received_at", _instant),
)
"""Wishes to be put in touch about a thing, asked by ours (`asker_peer` empty) or by a peer's person.

`status`: asked, accepted, declined or withdrawn. `need_id`: the asker's need that the thing may be for; `quantity`:
what was promised towards a need, and `received_at` when its author had it. No address is here: notify has them.
"""

widenings = sa.Table(
    "widenings",
    metadata,
    sa.Column("need_id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid, nullable=False, index=True),
    sa.Column("asked_at", _instant, nullable=False),
    sa.Column("radius_km", sa.Double),
    sa.Column("scope", sa.Text),
    sa.Column("answered_at", _instant),
    sa.Column("answered_by", sa.Uuid),
    sa.Column("widened", sa.Boolean),
)
"""Needs that nobody answered: what their author was asked once, and said. It counts only when `widened` is true.

`radius_km`: how far things may be then; `scope`: who may see the need then (cooperative or peers); NULL: as before.
"""
