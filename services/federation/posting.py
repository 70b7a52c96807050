"""The border relay: what we say to peers, signed at the last moment, into the queues that they read."""

from services.chassis import names
from services.chassis.database import Database
from services.chassis.publishing import Message, Publisher
from services.chassis.relay import Relay, Row
from services.chassis.topology import OUT
from services.federation import boxes
from services.federation.border import Border
from services.federation.sealed import seal
from services.federation.tables import BORDER_CHANNEL


def border_relay(db: Database, publisher: Publisher, border: Border) -> Relay:
    """The relay from the border outbox to `out.<link id>`. Headers are empty: nothing in them would be believed."""

    def message(row: Row) -> Message:
        return Message(
            exchange=OUT,
            key=names.out(str(row["via"] or row["link_id"])),
            headers={},
            body=_body(row, border),
            id=str(row["id"]),
            content_type="application/jose",
        )

    return Relay(
        db,
        publisher,
        message,
        name="border",
        table="border_outbox",
        columns=("link_id", "content", "via", "recipient", "box", "body"),
        channel=BORDER_CHANNEL,
    )


def _body(row: Row, border: Border) -> bytes:
    """Signed by us, or by whoever said it; closed where it goes through others."""
    signed = seal(row["content"], border.keys) if row["body"] is None else row["body"].encode()
    return signed if row["box"] is None else boxes.close(signed, row["recipient"], row["box"])
