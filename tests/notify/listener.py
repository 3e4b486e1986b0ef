"""A real HTTP listener for tests: answers as it is told, keeps what it got."""

import asyncio
import contextlib

from aiohttp import web


class Listener:
    """Answers each request with the next of `answers` (a status, a response, "hang"), then with 204."""

    def __init__(self):
        self.answers, self.requests = [], []
        self.gate = asyncio.Event()

    async def handle(self, request):
        body = await request.read()
        self.requests.append((request.method, request.path_qs, dict(request.headers), body))
        answer = self.answers.pop(0) if self.answers else 204
        if answer == "hang":
            await self.gate.wait()
            answer = 204
        return answer if isinstance(answer, web.Response) else web.Response(status=answer)

    @contextlib.asynccontextmanager
    async def listening(self, port=0):
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{tail:.*}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            self.gate.set()
            await runner.cleanup()
