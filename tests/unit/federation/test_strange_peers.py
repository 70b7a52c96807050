"""What a peer may send that no honest one would: it is refused, and holds nobody up."""

import asyncio
import base64

import pytest

from services.federation import peer_http
from services.federation.gate import Refused, authenticate
from services.federation.keys import NotGenuine, read_key_set
from services.federation.peer_http import PeerHttp, PeerUnreachable
from tests.unit.federation.peers import LILLE, NOW, passage


def _part(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("header", ['"alg"', '["alg"]', "{}", "null", "7"])
def test_a_header_that_is_no_object_is_refused(header: str) -> None:
    with pytest.raises(Refused, match="unreadable"):
        authenticate(f"{_part(header)}.{_part('{}')}.{_part('x')}".encode(), passage())


async def test_a_peer_that_answers_drop_by_drop_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_http, "ANSWER_SECONDS", 0.3)

    over = asyncio.Event()

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        try:
            for _ in range(100):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        finally:
            writer.close()
            over.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server, asyncio.timeout(3):
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(PeerUnreachable, match="TimeoutError"):
            await PeerHttp(allow_private=True).get(f"http://127.0.0.1:{port}", "/federation/keys")
        await over.wait()
        await asyncio.sleep(0.01)  # the loop closes the connection: left open, it would be a later test's warning


def test_a_key_set_numbered_beyond_what_a_database_holds_is_refused() -> None:
    genuine = read_key_set(LILLE.key_set(NOW), LILLE.instance_id, NOW)
    huge = genuine.model_copy(update={"serial": 10**30})
    with pytest.raises(NotGenuine, match="not a key set"):
        read_key_set(LILLE.sign(huge), LILLE.instance_id, NOW)


def test_a_message_with_bytes_of_no_jws_is_refused_before_its_key_is_looked_for() -> None:
    header = _part('{"alg": "Ed25519", "kid": "unknown", "typ": "maillage-event"}')
    with pytest.raises(Refused, match="unreadable"):
        authenticate(header.encode() + b".e30.A\xffA", passage())


@pytest.mark.parametrize("critical", ["null", "5", "true", "[5]", "[[]]", '["b64"]'])
def test_a_header_that_no_library_expects_is_a_forgery_and_no_accident(critical: str) -> None:
    header = f'{{"alg": "Ed25519", "kid": "{LILLE.signing_kid}", "typ": "maillage-event", "crit": {critical}}}'
    with pytest.raises(Refused, match="forged"):
        authenticate(f"{_part(header)}.{_part('{}')}.{_part('x')}".encode(), passage())
