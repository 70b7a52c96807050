"""What PostgreSQL cannot hold is the sender's to mend; what it cannot do now is ours."""

import httpx
import pytest
from sqlalchemy.exc import DBAPIError

from services.chassis.http import create_app


class FromPostgres(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(("state", "status"), [("22021", 422), ("22003", 422), ("57P01", 503), ("23505", 503)])
async def test_data_that_cannot_be_held_is_refused_and_an_outage_is_said(state: str, status: int) -> None:
    app = create_app("booking")

    @app.get("/broken")
    async def broken() -> None:
        raise DBAPIError("SELECT", {}, FromPostgres(state))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/broken")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
