"""What is logged of a busy instance holds no secret, no token, no address; and what slips in is taken out."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import logs
from services.chassis.redaction import redact
from services.identity import limits
from tests.services.identity.conftest import ADMINISTRATOR, PASSWORD, Cooperative, cooperative, instance
from tests.services.identity.test_tokens import FORM

__all__ = ["cooperative", "instance"]  # fixtures
SECRETS = [
    "amqp://opteos.booking:s3cr3tpassw0rd@rabbitmq:5672/opteos", "postgresql+asyncpg://a:b@host/db",
    "Authorization: Bearer eyJhbGciOiJFZDI1NTE5In0.eyJzdWIiOiIxIn0.c2ln", "session TKI-I5A9PvcbnS2nhamqIXJ4sG2fQ6GA",
    "maillage_I5A9PvcbnS2nhamqIXJ4sG2fQ6GA", "GET /account/reset/TKI-I5A9PvcbnS2nhamqIXJ4", "zoe.martin+x@example.org",
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA", "/api/booking/calendars/TKI-I5A9Pvcbn.ics",
    "/api/matching/outcomes/TKI-I5A9Pvcbn", "/searches/1/stop/TKI-I5A9Pvcbn", "GET /stop?key=TKI-I5A9Pvcbn",
]  # fmt: skip
HIDDEN = [
    "s3cr3tpassw0rd", "a:b@", "eyJzdWIiOiIxIn0", "TKI-I5A9", "I5A9PvcbnS2nhamqIXJ4sG2fQ6GA", "TKI-I5A9Pvcbn",
    "zoe.martin", "c29tZXNhbHQ", "TKI-I5A9Pvcbn", "TKI-I5A9Pvcbn", "TKI-I5A9Pvcbn", "TKI-I5A9Pvcbn",
]  # fmt: skip


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that is logged at the most talkative setting, as it would be written."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.configure("debug")
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


async def test_a_day_s_requests_leave_nothing_in_the_logs(cooperative: Cooperative, written: io.StringIO) -> None:
    claire = await cooperative.sign_in(ADMINISTRATOR)
    link = await cooperative.invite(claire, "zoe@opteos.example")
    zoe = (
        await cooperative.visitor.post(
            "invitations/accept", json={"token": link, "name": "Zoé", "password": PASSWORD, "locale": "fr"}
        )
    ).json()
    made = (await claire.http.post("me/tokens", json=FORM)).json()["token"]
    script = await cooperative.visitor.post("tokens", headers={"Authorization": f"Token {made}"})
    await cooperative.visitor.post("sessions", json={"email": "zoe@opteos.example", "password": "a wrong one indeed"})
    await cooperative.visitor.post("password-resets", json={"email": "zoe@opteos.example"})
    await claire.http.post("me/email", json={"email": "clara@opteos.example", "password": PASSWORD})
    await claire.http.get("members", params={"q": "zoe@opteos.example"})
    await cooperative.visitor.get(f"invitations/by-token/{link}")
    await claire.http.post("invitations", json={"email": "broken", "password": PASSWORD})
    await _fail_loudly(cooperative, made)
    text = written.getvalue()
    assert "request-failed" in text
    assert len(text) > 1000
    for secret in (
        ADMINISTRATOR, "zoe@opteos", "clara@opteos", PASSWORD, "a wrong one indeed", link, made, zoe["session"],
        claire.session, script.json()["token"], cooperative.settings.secret("db_identity"),
        cooperative.settings.secret("broker_identity"), "argon2id$v",
    ):  # fmt: skip
        assert secret not in text, secret


async def _fail_loudly(cooperative: Cooperative, token: str) -> None:
    """An accident whose error quotes what it should not."""

    async def explode() -> None:
        raise RuntimeError(
            f"cannot tell zoe@opteos.example of {token} over {cooperative.settings.broker_url('identity')}"
        )

    cooperative.service.app.add_api_route("/api/identity/explode", explode)
    transport = httpx.ASGITransport(app=cooperative.service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/api/identity/explode")
    assert answer.status_code == 500
    assert token not in answer.text


@pytest.mark.parametrize(("text", "hidden"), list(zip(SECRETS, HIDDEN, strict=True)))
def test_what_is_secret_is_taken_out(text: str, hidden: str) -> None:
    assert hidden in text
    assert hidden not in redact(f"failed: {text!r}, again")


@given(st.text(alphabet="abc 0123:{}[]._-/'\"", max_size=60))
def test_plain_words_stay(text: str) -> None:
    assert redact(text) == text


def test_nested_values_and_traces_are_redacted(written: io.StringIO) -> None:
    try:
        {}["zoe@opteos.example"]
    except KeyError:
        logs.get("test").exception(
            "went-wrong", people=["zoe@opteos.example"], by={"who": "zoe@opteos.example"}, count=3
        )
    logging.getLogger("library").warning("no answer from %s", "amqp://u:p@ssw0rd@host/")
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    entry: dict[str, Any] = first
    assert (entry["count"], entry["event"]) == (3, "went-wrong")
    assert "opteos.example" not in json.dumps(first)
    assert "Traceback" in entry["exception"]
    assert "ssw0rd" not in second["event"]


def entries(written: io.StringIO, event: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [json.loads(line) for line in written.getvalue().splitlines()]
    return [entry for entry in found if entry["event"] == event]


async def test_every_try_to_sign_in_is_on_record_with_whose_and_from_where(
    cooperative: Cooperative, written: io.StringIO
) -> None:
    claire = await cooperative.sign_in(ADMINISTRATOR)
    for email in (ADMINISTRATOR, "nobody@opteos.example"):
        await cooperative.visitor.post("sessions", json={"email": email, "password": "a wrong one indeed"})
    await claire.http.post("me/email", json={"email": "clara@opteos.example", "password": "wrong again"})
    for _ in range(limits.PASSWORD_PER_ACCOUNT.most):
        await cooperative.visitor.post("sessions", json={"email": "nobody@opteos.example", "password": "x"})
    told = [(entry["outcome"], entry["member"]) for entry in entries(written, "sign-in")]
    assert told[:3] == [("done", claire.id), ("wrong-password", claire.id), ("wrong-password", None)]
    assert told[-1] == ("identity/too-many-tries", None)
    assert {entry["network"] for entry in entries(written, "sign-in")} == {"127.0.0.1"}
    (again,) = entries(written, "asked-again")
    assert (again["outcome"], again["member"]) == ("wrong-password", claire.id)


async def test_who_was_refused_what_is_on_record_without_what_the_address_holds(
    cooperative: Cooperative, written: io.StringIO
) -> None:
    claire = await cooperative.sign_in(ADMINISTRATOR)
    zoe = await cooperative.join(claire, "Zoé")
    await zoe.http.get("acts")
    await zoe.http.delete(f"me/tokens/{claire.id}")
    await cooperative.visitor.get("members", params={"q": "secret words"})
    await cooperative.visitor.get("invitations/by-token/secret-link")
    told = [(one["what"], one["problem"], one["by"]) for one in entries(written, "refused")]
    assert told == [
        ("identity GET /acts", "not-allowed", zoe.id),
        ("identity DELETE /me/tokens/{token_id}", "not-found", zoe.id),
        ("identity GET /members", "not-signed-in", None),
    ]
    assert "secret" not in json.dumps(entries(written, "refused"))
