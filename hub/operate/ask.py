"""Asks a running hub over its broker: a request to `hub/command/NAME`, its answer by the response topic of MQTT 5."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from hub.commands.reply import answers_below
from hub.config import Settings
from hub.errors import SessionError
from hub.ingest.session import Session
from hub.limits import ANSWER_SECONDS
from hub.operate.connect import connected

__all__ = ["NoAnswer", "ask"]


class NoAnswer(SessionError):
    """No hub answered on this broker."""


async def ask(settings: Settings, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the hub's answer; `ok` tells whether it did what was asked.

    Raises:
        SessionError: the broker cannot be reached or will not have us, or no hub answered.

    """
    if settings.broker.protocol != "5":
        raise NoAnswer("a hub answers over MQTT 5 only, and broker.protocol is 3.1.1")
    mark = secrets.token_hex(8)
    client_id = f"hub-cli-{mark}"
    answers = f"{answers_below(settings.publish_prefix)}{client_id}/{name}"
    async with connected(settings.broker, client_id, [answers]) as session:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await session.publish(
                    f"{settings.publish_prefix}/command/{name}",
                    orjson.dumps(request),
                    properties={
                        "response_topic": answers,
                        "correlation_data": mark.encode(),
                        "message_expiry_interval": int(ANSWER_SECONDS),  # a hub that is away must not do it later
                    },
                )
                return await _answer(session)
        except TimeoutError:
            raise NoAnswer(
                f"no hub answered within {ANSWER_SECONDS:.0f} s on {settings.broker}, topic"
                f" {settings.publish_prefix}/command/{name}: is `hub run` running, and may this user write there?"
            ) from None


async def _answer(session: Session) -> Mapping[str, Any]:
    deliveries = await session.receive()
    if not deliveries:
        raise NoAnswer("the session was closed before the hub answered")
    found: Mapping[str, Any] = orjson.loads(deliveries[0].payload)
    return found
