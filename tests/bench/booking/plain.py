"""The booking handler without rules: a token, a row with its event, nothing else; for comparison."""

import json
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel

from services.booking.api.texts import Instant
from services.booking.settings import BookingSettings
from services.chassis.assembly import assemble
from services.chassis.auth import CurrentMember
from services.chassis.database import DatabaseDep
from services.chassis.ids import new_id
from services.chassis.process import run
from services.chassis.settings import load

router = APIRouter()
_INSERT = sa.text("""
WITH said AS (
    INSERT INTO outbox (id, type, subject, time, data) VALUES (:event, 'booking.plain.v1', :subject, now(), :data)
)
INSERT INTO bookings (id, offer_id, offer_title, borrower_member_id, borrower_name, starts_at, ends_at, occupied,
                      exclusive, time_zone, quantity, note, status, remote_version, version, created_at, changed_at)
VALUES (:id, :offer_id, 'x', :member_id, :name, :starts, :ends, tstzrange(:starts, :ends), true, 'UTC', 1, '',
        'confirmed', 0, 1, now(), now())
""").bindparams(
    *(sa.bindparam(name, type_=sa.Uuid) for name in ("event", "id", "offer_id", "member_id")),
    *(sa.bindparam(name, type_=sa.DateTime(timezone=True)) for name in ("starts", "ends")),
)


class Form(BaseModel):
    """A period."""

    offer_id: UUID
    start: Instant
    end: Instant


@router.post("/bookings", status_code=201)
async def create_booking(form: Form, actor: CurrentMember, db: DatabaseDep) -> dict[str, str]:
    """Insert it."""
    booking_id = new_id()
    values = {
        "id": booking_id,
        "event": new_id(),
        "subject": str(booking_id),
        "data": json.dumps({"id": str(booking_id)}),
    }
    values |= {"offer_id": form.offer_id, "member_id": actor.id, "name": actor.name}
    async with db.transaction() as session:
        await session.execute(_INSERT, values | {"starts": form.start, "ends": form.end})
    return {"id": str(booking_id)}


def main() -> None:
    """Serve it in place of booking."""
    settings = load(BookingSettings)
    run(lambda: [assemble("booking", settings, routers=[router])], settings)


if __name__ == "__main__":
    main()
