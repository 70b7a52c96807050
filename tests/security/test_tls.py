"""Where an operator wants TLS to database and broker, there is nothing else: neither plain nor by another authority.

The servers are pretended; what matters is what reaches them.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from deploy.local.authority import Authority
from services.chassis.connecting import connected
from services.chassis.database import Database
from services.chassis.settings import ServiceSettings

AMQP = b"AMQP\x00\x00\x09\x01"
WANTS_TLS = (8).to_bytes(4) + (80_877_103).to_bytes(4)
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


class Certificates:
    """Of a server on `localhost`, by our authority; and of an authority that did not sign it."""

    def __init__(self, folder: Path) -> None:
        ours, another = Authority(folder / "ours"), Authority(folder / "another")
        made = ours.issue("localhost")
        self.ours, self.another = ours.ca_file, another.ca_file
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(made.certificate, made.key)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


@asynccontextmanager
async def server(talk: Talk, told: list[bytes], context: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """A server's port; what `talk` hears of a client is `told`, and the client is left alone then."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            told.append(await talk(reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(meet, "localhost", 0, ssl=context)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def broker(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> bytes:
    return await reader.readexactly(len(AMQP))


def postgres(context: ssl.SSLContext | None) -> Talk:
    """With a `context` it speaks TLS when it is asked; without, it says that it does not."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        first = await reader.readexactly(8)
        if first != WANTS_TLS:
            return b"plain: " + first
        writer.write(b"S" if context else b"N")
        await writer.drain()
        if context is not None:
            await writer.start_tls(context)
        length = await reader.readexactly(4)
        return b"user" if b"user\x00ana\x00" in await reader.readexactly(int.from_bytes(length) - 4) else b""

    return talk


def settings_for(folder: Path, port: int, ca: Path) -> ServiceSettings:
    (folder / "broker_catalog").write_text("secret", encoding="utf-8")
    place = {"broker_host": "localhost", "broker_port": port, "broker_tls": True, "broker_ca": ca}
    return ServiceSettings.model_validate({"instance": "opteos", "secrets_dir": folder, **place})


async def call_broker(folder: Path, port: int, ca: Path) -> None:
    with pytest.raises(CONNECTION_EXCEPTIONS):
        await connected(settings_for(folder, port, ca).broker_url("catalog"))


async def test_a_broker_is_spoken_to_behind_a_certificate_that_the_authority_signed(
    certificates: Certificates, tmp_path: Path
) -> None:
    told: list[bytes] = []
    async with server(broker, told, certificates.context) as port:
        await call_broker(tmp_path, port, certificates.ours)
        assert told == [AMQP]
        await call_broker(tmp_path, port, certificates.another)
        assert told == [AMQP]
    async with server(broker, told) as port:
        await call_broker(tmp_path, port, certificates.ours)
    assert AMQP not in told[1:]


async def call_database(port: int) -> None:
    url = URL.create("postgresql+asyncpg", username="ana", password="x", host="localhost", port=port, database="x")
    database = Database(url)
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError)):
        await database.ping()
    await database.close()


async def test_a_database_is_spoken_to_behind_a_certificate_that_the_authority_signed(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the variables that every PostgreSQL client knows: PGSSLMODE=verify-full and PGSSLROOTCERT."""
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    told: list[bytes] = []
    async with server(postgres(certificates.context), told) as port:
        monkeypatch.setenv("PGSSLROOTCERT", str(certificates.ours))
        await call_database(port)
        assert told == [b"user"]
        monkeypatch.setenv("PGSSLROOTCERT", str(certificates.another))
        await call_database(port)
        assert told == [b"user"]
    async with server(postgres(None), told) as port:
        monkeypatch.setenv("PGSSLROOTCERT", str(certificates.ours))
        await call_database(port)
    assert told == [b"user"]
