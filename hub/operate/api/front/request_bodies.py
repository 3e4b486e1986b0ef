"""Reads the bodies of requests, within bounds: on the size and the time of each, and on the size of all together."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from hub.limits import HTTP_BODIES_BYTES, HTTP_BODY_SECONDS
from hub.operate.api.front.actor import Refused

__all__ = ["Bodies"]


class Bodies:
    """Reads bodies, and counts the bytes of all those that have not come whole yet."""

    def __init__(self) -> None:
        """Begin with no body under way."""
        self._bytes = 0

    async def read(self, request: Request, most: int) -> bytes:
        """Return the body of a request.

        Raises:
            Refused: 413 where it is larger than `most` bytes, whatever its Content-Length says; 408 where it comes too
                slowly; 503 where too much is being read; 400 where the client went away.

        """
        taken = bytearray()
        try:
            async with asyncio.timeout(HTTP_BODY_SECONDS) as deadline:
                async for chunk in request.stream():
                    taken += chunk
                    self._bytes += len(chunk)
                    if len(taken) > most:
                        raise Refused(413, f"the body is larger than {most} bytes")
                    if self._bytes > HTTP_BODIES_BYTES:
                        raise Refused(503, "too many large requests are under way; try again", 1.0)
        except ClientDisconnect:
            raise Refused(400, "the body has not come whole") from None
        except TimeoutError:
            if not deadline.expired():
                raise
            raise Refused(408, f"the body has not come within {HTTP_BODY_SECONDS:g} s") from None
        finally:
            self._bytes -= len(taken)
        return bytes(taken)
