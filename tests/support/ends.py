"""The ends that notifications come to: a web server that answers as it is told, and a watcher on the broker."""

import asyncio
import json
from contextlib import asynccontextmanager

from aiohttp import web

from tests.support.mqtt import client
from tests.support.record import Record


class Web:
    """`requests` holds each request's path, headers, body … in order of arrival; `answer` decides what comes back.

    `answer(each)` is given what goes into `requests` and returns a status, a web.Response, or an awaitable of one.
    """

    def __init__(self, answer=lambda _: 204):
        self.answer = answer
        self.requests = Record()
        self.port = 0
        self._runner = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def ids(self, path="/"):
        """Return the Idempotency-Key of each request to this path, in order."""
        return [each["key"] for each in self.requests if each["path"] == path]

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *_):
        await self.stop()

    async def start(self):
        """Listen, again on the same port if it did before."""
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", r"/{tail:[\s\S]*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self):
        await self._runner.cleanup()

    async def _handle(self, request):
        body = await request.read()
        key = request.headers.get("Idempotency-Key")
        seen = {"path": request.path, "key": key, "headers": request.headers, "body": body}
        seen |= {"json": json.loads(body or b"null"), "cut": request.transport.abort, "url": request.raw_path}
        self.requests.add(seen)
        answer = self.answer(seen)
        if asyncio.iscoroutine(answer):
            answer = await answer
        return answer if isinstance(answer, web.Response) else web.Response(status=answer)


@asynccontextmanager
async def watching(broker, *filters, user="viewer", name="watcher"):
    """Subscribe and keep all that comes; Message has topic, payload, retain."""
    seen = Record()
    async with client(broker.settings(user), name) as connected:
        for each in filters:
            assert await connected.subscribe(each) < 0x80

        async def listen():
            while True:
                seen.add(await connected.messages.get())

        listening = asyncio.create_task(listen())
        try:
            yield seen
        finally:
            listening.cancel()


def lines_of(path):
    """Return the whole JSON lines of a file receiver, and how many were cut off."""
    if not path.exists():
        return [], 0
    whole, cut = [], 0
    for line in path.read_bytes().split(b"\n"):
        try:
            if line:
                whole.append(json.loads(line))
        except ValueError:
            cut += 1
    return whole, cut
