"""Which answers of RabbitMQ's management API are asked for again."""

import httpx
import pytest

from services.chassis import management
from services.chassis.management import BrokerRefused, Management

ADDRESS = "http://admin:s3cret@broker.test:15672"


def _answering(monkeypatch: pytest.MonkeyPatch, *statuses: int) -> tuple[Management, list[str]]:
    """One that answers with these in turn, without pauses, and what it was asked."""
    asked: list[str] = []
    left = list(statuses)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(left.pop(0), json=[])

    monkeypatch.setattr(management, "_PAUSES", (0, 0, 0))
    made = Management(ADDRESS)
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url=f"{ADDRESS}/api/")
    monkeypatch.setattr(made, "_http", client)
    return made, asked


@pytest.mark.parametrize("stumbles", [0, 1, 3])
async def test_a_list_that_stumbled_is_read_again(monkeypatch: pytest.MonkeyPatch, stumbles: int) -> None:
    made, asked = _answering(monkeypatch, *[500] * stumbles, 200)
    assert await made.call("GET", "users") == []
    assert len(asked) == stumbles + 1


async def test_it_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    made, asked = _answering(monkeypatch, *[500] * 9)
    with pytest.raises(BrokerRefused, match="500"):
        await made.call("GET", "users")
    assert len(asked) == 4


@pytest.mark.parametrize(("method", "status"), [("PUT", 500), ("DELETE", 500), ("GET", 400), ("GET", 503)])
async def test_nothing_else_is_said_twice(monkeypatch: pytest.MonkeyPatch, method: str, status: int) -> None:
    made, asked = _answering(monkeypatch, status, 200)
    with pytest.raises(BrokerRefused):
        await made.call(method, "users")
    assert len(asked) == 1
