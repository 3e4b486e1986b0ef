"""The sign of life to an outside service, which tells people when it does not come: a dead hub cannot tell them.

It is sent only while the hub is really well: a session with the broker, timers that run, and a commit just made.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import aiohttp
from yarl import URL

from hub import __version__
from hub.errors import StoreError
from hub.limits import HEARTBEAT_LEAST_SECONDS, HEARTBEAT_SECONDS
from hub.notify.outward.http import answered, fault
from hub.notify.wording.redact import Redactor, url_secrets
from hub.selfwatch.heartbeat_settings import HeartbeatSettings

__all__ = ["Heartbeat"]


class Heart(Protocol):
    """What the heartbeat asks of the pipeline."""

    @property
    def well(self) -> bool:
        """Whether the timers run."""
        ...

    async def perform(self, change: Callable[..., None]) -> Any:
        """Return when all so far is on disk."""
        ...


class Heartbeat:
    """Sends one request after another; `trouble` gets the reason, once, why none is sent or why it is refused."""

    def __init__(
        self,
        settings: HeartbeatSettings,
        client: aiohttp.ClientSession,
        heart: Heart,
        connected: Callable[[], bool],
        trouble: Callable[[str], None],
    ) -> None:
        """Take where to send it and whom to look at."""
        self._settings, self._client, self._heart = settings, client, heart
        self._connected, self._trouble = connected, trouble
        self._url = URL(settings.url.reveal())
        self._redact = Redactor(url_secrets(settings.url.reveal()))
        self._reason = self._said = ""

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            reason = await self._wrong() or await self._send()
            self._tell(reason)
            await asyncio.sleep(min(self._settings.every, HEARTBEAT_LEAST_SECONDS) if reason else self._settings.every)

    async def _wrong(self) -> str:
        """Return what is wrong with the hub; "" when it is well."""
        if not self._connected():
            return "none is sent: the session with the broker does not stand"
        if not self._heart.well:
            return "none is sent: the timers stand still"
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await self._heart.perform(_nothing)
        except (TimeoutError, StoreError):
            return f"none is sent: nothing was written to disk within {HEARTBEAT_SECONDS:.0f} s"
        return ""

    async def _send(self) -> str:
        """Make the request; return why it was not taken; "" when it was."""
        place = self._url.origin()
        try:
            async with self._client.request(
                self._settings.method,
                self._url,
                allow_redirects=False,
                headers={"User-Agent": f"mqtt-notification-hub/{__version__}"},
                timeout=aiohttp.ClientTimeout(total=HEARTBEAT_SECONDS),
            ) as answer:
                if 200 <= answer.status < 300:
                    return ""
                hint = " (redirects are not followed)" if 300 <= answer.status < 400 else ""
                said = f": {text}" if (text := (await answered(answer)).strip()) else ""
                return self._redact(f"{place} does not take it: {answer.status} {answer.reason or ''}{hint}{said}")
        except TimeoutError:
            return f"{place} does not take it: no answer within {HEARTBEAT_SECONDS:.0f} s"
        except (aiohttp.ClientError, OSError) as error:
            return self._redact(f"{place} does not take it: {fault(error)}")

    def _tell(self, reason: str) -> None:
        """Report a reason that is the same twice in a row: a hub that has just started has no session yet."""
        if reason and reason == self._reason and reason != self._said:
            self._said = reason
            self._trouble(reason)
        elif not reason and self._said:
            self._said = ""
            self._trouble("it is sent again")
        self._reason = reason


def _nothing(*_: Any) -> None:
    """Change nothing: only the commit is wanted."""
