"""A TCP proxy on loopback that records what a client sends, cuts connections, or falls silent."""

import asyncio


class Proxy:
    """`async with Proxy(port) as proxy`: connect to `proxy.port`; `proxy.sent` is one recording for each connection."""

    def __init__(self, target):
        self.target = target
        self.port = 0
        self.sent = []
        self.held = asyncio.Event()
        self.held.set()
        self.swallow = False
        """While it is true, what the client sends is recorded and goes nowhere; what the broker sends goes on."""
        self._tasks = set()
        self._writers = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        self.resume()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self):
        """Reset every connection, both ways."""
        for writer in self._writers:
            writer.transport.abort()

    def hold(self):
        """Let nothing through, without closing."""
        self.held.clear()

    def resume(self):
        """Let everything through again."""
        self.held.set()

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        recording = bytearray()
        self.sent.append(recording)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        await asyncio.gather(self._pass(reader, back, recording), self._pass(there, writer, None))

    async def _pass(self, reader, writer, recording):
        try:
            while data := await reader.read(1 << 16):
                await self.held.wait()
                if recording is not None:
                    recording += data
                    if self.swallow:
                        continue
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
