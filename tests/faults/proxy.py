"""A TCP proxy between two programs of this machine, by which a test cuts the line between them."""

import asyncio
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager, suppress
from typing import Any, Literal

from deploy.local.processes import HOST, choose_port

Line = Literal["open", "cut", "silent"]
_CHUNK = 65536
CONNECT_SECONDS = 2.0


class Proxy:
    """Listens on `port` and forwards to `target_port` of the loopback address, in a thread of its own.

    `cut`: closes every connection and refuses new ones, as a process that died. `silence`: keeps connections open,
    takes new ones and forwards nothing, as a firewall that drops packets; what was sent meanwhile is lost with its
    connection, never delivered late. `mend`: forwards again; connections from before must be made anew.
    """

    def __init__(self, target_port: int, *, port: int | None = None, host: str = HOST, target_host: str = HOST) -> None:
        self.port = port or choose_port(None, "the proxy of a test")
        self._host = host
        self._target_host = target_host
        self.forwarded = 0
        """Bytes, both ways."""
        self._target = target_port
        self._line: Line = "open"
        self._lines: set[asyncio.StreamWriter] = set()
        self._forwarding: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server: asyncio.Server | None = self._do(self._listen())

    def cut(self) -> None:
        self._do(self._set("cut"))

    def silence(self) -> None:
        self._do(self._set("silent"))

    def mend(self) -> None:
        self._do(self._set("open"))

    def lead_to(self, target_port: int) -> None:
        """From now on forward new connections there, as a load balancer does; ends those that it has."""
        self._target = target_port
        self._do(self._drop_all())

    def close(self) -> None:
        self._do(self._set("cut"))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._forward, self._host, self.port)

    async def _set(self, line: Line) -> None:
        before, self._line = self._line, line
        if line == "cut" and self._server is not None:
            self._server.close()
            self._server = None
        if line == "cut" or (line == "open" and before == "silent"):
            await self._drop_all()
        if line != "cut" and self._server is None:
            self._server = await self._listen()

    async def _drop_all(self) -> None:
        for writer in self._lines:
            writer.transport.abort()
        if self._forwarding:
            await asyncio.wait(self._forwarding)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            self._forwarding.add(task)
            task.add_done_callback(self._forwarding.discard)
        self._lines.add(writer)
        try:
            # as load balancers do: who waits for a line that drops packets would wait half a minute after it is mended
            async with asyncio.timeout(CONNECT_SECONDS):
                there = await asyncio.open_connection(self._target_host, self._target)
        except OSError:
            self._lines.discard(writer)
            writer.transport.abort()
            return
        self._lines.add(there[1])
        both = [asyncio.create_task(self._pump(reader, there[1])), asyncio.create_task(self._pump(there[0], writer))]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        await asyncio.wait(both)
        for end in (writer, there[1]):
            end.transport.abort()
            with suppress(OSError):
                await end.wait_closed()
            self._lines.discard(end)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._line == "open":
                    self.forwarded += len(data)
                    writer.write(data)
                    await writer.drain()


@contextmanager
def proxied(target_port: int) -> Generator[Proxy]:
    """A proxy to `target_port` while the block runs."""
    proxy = Proxy(target_port)
    try:
        yield proxy
    finally:
        proxy.close()
